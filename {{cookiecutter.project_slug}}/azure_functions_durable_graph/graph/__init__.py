"""What a graph is: frozen data and pure functions.

May import: errors.
"""
