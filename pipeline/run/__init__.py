"""One run in the launching process: from the checked manifest to the report and the run record.

May import: graph, steps, and what they need.
"""
