"""What the launcher and the workers of one run tell each other through a folder: progress and the request to stop.

May import: storage.
"""
