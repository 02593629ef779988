"""Plain records that are sent between processes.

May import: limits and errors.
"""
