"""`h5ferry inspect`: what a file is, described in a confined process and shown in a terminal.

May import: isolation, report.
"""
