"""Bounds what a call into HDF5 may allocate, where the file does not say beforehand how much that is.

An attribute of variable-length strings holds references into a heap. Thousands of them may lead to the same megabyte,
so that a small file reads as gigabytes, and HDF5 has no call that adds the lengths up.
"""

from __future__ import annotations

import resource
from collections.abc import Iterator
from contextlib import contextmanager

from transforms.platform import address_space

#: How HDF5 and h5py say that memory ran out.
_OUT_OF_MEMORY = ("alloc", "memory", "resource unavailable")


@contextmanager
def bounded_growth(size: int) -> Iterator[None]:
    """Lets the address space of this process grow by `size` bytes and no more, where the system can tell it.

    Raises:
        MemoryError: the block asked for more.
    """
    space = address_space()
    if space is None:
        yield
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    ceiling = space + size
    if soft != resource.RLIM_INFINITY:
        ceiling = min(ceiling, soft)
    resource.setrlimit(resource.RLIMIT_AS, (ceiling, hard))
    try:
        yield
    except (OSError, RuntimeError) as error:
        if any(word in str(error).lower() for word in _OUT_OF_MEMORY):
            raise MemoryError(str(error)) from error
        raise
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
