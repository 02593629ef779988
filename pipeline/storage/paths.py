"""Local paths and URLs of Beam file systems."""

from __future__ import annotations

import os
import posixpath
import re

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")


def is_remote(path: str) -> bool:
    """True for a URL of a Beam file system (`gs://…`), False for a local path."""
    return _SCHEME.match(path) is not None


def absolute_path(path: str) -> str:
    """A local path made absolute; a URL without a trailing slash."""
    return path.rstrip("/") if is_remote(path) else os.path.abspath(path)


def resolve_path(base: str, path: str) -> str:
    """Resolves a manifest's path relative to `base`, the manifest's folder, which may be a URL."""
    if is_remote(path):
        return path
    if is_remote(base) and not path.startswith("/"):
        scheme, _, rest = base.partition("://")
        return f"{scheme}://{posixpath.normpath(posixpath.join(rest, path))}"
    return os.path.normpath(os.path.join(base, path))
