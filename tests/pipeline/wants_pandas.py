"""Looks for pandas when it is imported, as tf-keras does."""

import importlib.util

try:
    FOUND = importlib.util.find_spec("pandas") is not None
except ValueError:  # what find_spec says of a module that is barred
    FOUND = False


def found():
    return FOUND
