"""Assigns stored arrays to the weights of layers.

May import: architecture, source.
"""
