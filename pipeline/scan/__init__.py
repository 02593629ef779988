"""`h5ferry scan`: finds legacy models in folders and proposes a manifest.

May import: isolation, manifest.
"""
