"""What a change of a graph means for runs in flight.

May import: errors, graph, declare.
"""
