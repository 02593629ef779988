"""Which release of TensorFlow first knows an operation or attribute, as scripts/tensorflow_operations.py distilled it.

A release loads no graph that holds an operation or attribute it does not know. The registries of ten releases were
read; one in between is taken for the next older of them.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from importlib.resources import files
from typing import Any

from transforms.releases.table import Release

#: The oldest release in which artefacts were loaded and compared: nothing is said of older ones.
OLDEST_SERVED: Release = (1, 15)


def operation_since(operation: str, attribute: str = "") -> Release:
    """The first release, of those read, that knows an operation, or an attribute of it; the oldest where all do."""
    return _first().get(f"{operation}.{attribute}" if attribute else operation, tensorflow_releases()[0])


@functools.cache
def tensorflow_releases() -> tuple[Release, ...]:
    """The releases whose registries were read, oldest first."""
    return tuple(map(parse_release, _table()["releases"]))


def release_text(release: Release) -> str:
    """A release as people write it: "2.4"."""
    return ".".join(map(str, release))


def parse_release(text: str) -> Release:
    """The minor release in "2.4" or "2.4.1". Raises ValueError for what is none."""
    parts = text.split(".")
    if not 2 <= len(parts) <= 3 or not all(part.isascii() and part.isdecimal() for part in parts):
        raise ValueError(f"{text!r} is no release of TensorFlow, such as 2.4")
    return tuple(map(int, parts[:2]))


@functools.cache
def _first() -> Mapping[str, Release]:
    return {
        name: parse_release(release)
        for kind in ("operations", "attributes")
        for release, names in _table()[kind].items()
        for name in names.split()
    }


@functools.cache
def _table() -> Mapping[str, Any]:
    stored = files("transforms.releases") / "tensorflow_operations.json"
    found: Mapping[str, Any] = json.loads(stored.read_text("utf-8"))
    return found
