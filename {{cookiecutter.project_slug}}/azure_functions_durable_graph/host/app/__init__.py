"""The user's function app: loaded and called as the Python worker does.

May import: errors, azure, host/engine.
"""
