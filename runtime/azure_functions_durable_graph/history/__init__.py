"""What happened to a run, read back from its history.

May import: errors, graph, run.
"""
