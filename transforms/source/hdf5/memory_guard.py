"""Limits the memory of a call into HDF5 whose size the file does not state beforehand.

An attribute of variable-length strings holds references into a heap. Thousands of them may lead to the same megabyte,
so that a small file expands to gigabytes, and HDF5 has no call for their total length.
"""

from __future__ import annotations

import resource
from collections.abc import Iterator
from contextlib import contextmanager

from transforms.platform.system_calls import address_space

#: Messages of HDF5 and h5py for exhausted memory.
_OUT_OF_MEMORY = ("alloc", "memory", "resource unavailable")


@contextmanager
def bounded_growth(size: int) -> Iterator[None]:
    """Limits the growth of this process's address space to `size` bytes, if the system reports its size.

    Raises:
        MemoryError: the block needed more.
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
