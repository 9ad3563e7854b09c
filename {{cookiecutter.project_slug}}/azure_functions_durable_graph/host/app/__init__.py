"""The user's function app: loaded and called as the Python worker does.

May import: errors, work, azure, host/engine.
"""
