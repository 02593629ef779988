"""`h5ferry doctor`: what this machine offers, what would be used, and whether a model comes through.

May import: every package below `cli`.
"""
