"""The artefact: writing it, templates that share a graph, stable names, the check of its operations.

May import: rebuild.
"""
