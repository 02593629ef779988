"""What a file is that has a model's name and no HDF5 signature, from its first and last bytes."""

from __future__ import annotations

import os

from transforms.source.checkpoint.files import INDEX_END

_HEAD_BYTES = 64
#: First bytes, after white space, of what people mistake for a Keras HDF5 file.
_FIRST_BYTES = (
    (b"PK\x03\x04", "a ZIP archive, perhaps a Keras 3 .keras file"),
    (b"version https://git-lfs", "a git-LFS pointer: fetch the real file with `git lfs pull`"),
    (b"/annex/objects/", "a git-annex pointer: fetch the real file with `git annex get`"),
    (b"\x1f\x8b", "a gzip file: decompress it first"),
    (b"\x80\x02", "a Python pickle"),
    (b"\x80\x03", "a Python pickle"),
    (b"\x80\x04", "a Python pickle"),
    (b"\x80\x05", "a Python pickle"),
    (b"<", "an HTML or XML page, perhaps a failed download"),
    (b"{", "JSON: an architecture without weights"),
    (b"model_checkpoint_path:", "the state file of TensorFlow checkpoints: name the prefix that it states"),
)


def looks_like(descriptor: int, size: int) -> str:
    """A description of an open file, such as "a Python pickle"; "" for an unknown kind.

    Raises OSError if it cannot be read.
    """
    if size == 0:
        return "an empty file"
    head = os.pread(descriptor, _HEAD_BYTES, 0).lstrip()
    for prefix, name in _FIRST_BYTES:
        if head.startswith(prefix):
            return name
    if os.pread(descriptor, len(INDEX_END), max(0, size - len(INDEX_END))) == INDEX_END:
        return "a TensorFlow checkpoint of one file (V1), or an index by another name than PREFIX.index"
    return ""
