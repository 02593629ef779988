"""A stored config as a graph of layers, as data: parsing, calls, functions by name, dtype policies.

May import: records.
"""
