"""The host's HTTP: the app's own routes and the Durable management API.

May import: errors, graph, azure, host/engine, host/app, host.
"""
