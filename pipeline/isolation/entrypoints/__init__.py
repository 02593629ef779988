"""The functions that the converting and the verifying child run.

May import: transforms.
"""
