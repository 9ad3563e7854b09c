"""The host in a test: graphs or whole apps, with a clock that jumps.

May import: errors, graph, work, history, azure, http, host/engine, host/app, host, host/web.
"""
