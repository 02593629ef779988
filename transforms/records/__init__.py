"""Plain records that cross process borders.

May import: limits and errors alone.
"""
