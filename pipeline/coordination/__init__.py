"""Communication between launcher and workers of one run through a folder: progress and the request to stop.

May import: storage.
"""
