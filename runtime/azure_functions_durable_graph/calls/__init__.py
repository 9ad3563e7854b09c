"""The API as typed calls, whatever carries them.

May import: errors, graph, history, http.
"""
