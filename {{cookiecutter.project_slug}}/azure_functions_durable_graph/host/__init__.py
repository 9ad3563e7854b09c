"""Azure on your machine: one task hub with its clock, its store and its queue.

May import: errors, graph, run, work, history, azure, host/engine, host/app.
"""
