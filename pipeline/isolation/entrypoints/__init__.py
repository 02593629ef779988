"""Functions run by the converting and the verifying child.

May import: transforms.
"""
