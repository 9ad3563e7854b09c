"""The command line: one file a command.

May import: errors, graph, work, change, history, host, host/app, host/web.
"""
