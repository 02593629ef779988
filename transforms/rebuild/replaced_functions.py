"""A function of a library, replaced for a while."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any


@contextmanager
def instead(module: ModuleType, name: str, function: Callable[..., Any]) -> Iterator[None]:
    """Has everybody who looks the name up in its module, at each call, find another function."""
    known = getattr(module, name)
    setattr(module, name, function)
    try:
        yield
    finally:
        setattr(module, name, known)
