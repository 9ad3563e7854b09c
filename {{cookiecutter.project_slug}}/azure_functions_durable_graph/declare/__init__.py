"""Turns declarations into a graph, reports every fault, and draws diagrams.

May import: errors, graph.
"""
