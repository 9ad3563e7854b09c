"""The only door to Azure Functions and its SDKs.

May import: errors, graph, declare, run, work, change, history, http, calls, studio.
"""
