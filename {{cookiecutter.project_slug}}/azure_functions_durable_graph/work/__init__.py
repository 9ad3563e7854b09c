"""Where user code runs: the activity, and the graphs it can find.

May import: errors, graph, run.
"""
