"""From declarations to a graph, with every fault and a picture.

May import: errors, graph.
"""
