"""Facts of each layer class, in one place: arrays, options with their legacy defaults, output shape, masks.

May import: architecture, records. The reference imports nothing of this: it has rules of its own.
"""
