"""One run, replayed: the orchestrator, without user code, clock or registry.

May import: errors, graph.
"""
