"""What a file is that has a model's name and no HDF5 signature, from its first and last bytes."""

from __future__ import annotations

from transforms.source.checkpoint.files import INDEX_END

HEAD_BYTES, TAIL_BYTES = 64, len(INDEX_END)
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


def looks_like(head: bytes, tail: bytes, size: int) -> str:
    """A description such as "a Python pickle", "" for an unknown kind.

    Args:
        head: the first HEAD_BYTES of the file, or all of it.
        tail: the last TAIL_BYTES.
        size: of the file, in bytes.
    """
    if size == 0:
        return "an empty file"
    for prefix, name in _FIRST_BYTES:
        if head.lstrip().startswith(prefix):
            return name
    if tail == INDEX_END:
        return "a TensorFlow checkpoint of one file (V1), or an index by another name than PREFIX.index"
    return ""
