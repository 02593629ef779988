"""The reference's layers, one file for each family of layer classes.

May import: architecture, legacy.release.
"""
