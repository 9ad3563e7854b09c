"""The Durable engine as a pure state machine: apply(now, message).

May import: errors.
"""
