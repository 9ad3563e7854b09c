"""The API of a served app, called from outside over httpx.

May import: errors, http, calls.
"""
