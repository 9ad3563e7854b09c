"""The studio: one page on which people see runs and answer them.

May import: errors.
"""
