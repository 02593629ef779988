"""Confined child processes: limits, messages between parent and child, a parallel map.

May import: storage, transforms.
"""
