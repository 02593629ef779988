"""The command line: options, exit statuses, help.

May import: every other package.
"""
