"""The only door to Azure Functions and its SDKs.

May import: errors, graph, run, work, change, history, http.
"""
