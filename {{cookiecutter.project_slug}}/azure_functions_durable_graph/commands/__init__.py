"""The command line: one file per command.

May import: errors, graph, work, change, history, http, host, host/app, host/web, host/harness, remote.
"""
