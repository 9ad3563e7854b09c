"""Checks of the blocks of code in docs/usage.md: one module a part of the page."""
