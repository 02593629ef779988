"""`h5ferry doctor`: what this machine offers, what a run would use, and whether a test model migrates.

May import: every package below `cli`.
"""
