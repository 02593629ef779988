"""`h5ferry inspect`: description of a file, made in a confined process and shown in a terminal.

May import: isolation, report.
"""
