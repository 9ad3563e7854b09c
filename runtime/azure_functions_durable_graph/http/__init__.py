"""The API, host-neutral: values in, values out.

May import: errors, graph, declare, run, work, history.
"""
