"""The host's HTTP: the app's own routes and the Durable management API.

May import: errors, graph, host/engine, host/app, host.
"""
