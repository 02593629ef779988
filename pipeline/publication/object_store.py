"""Publishing to an object store, where no rename is atomic: the receipt is what makes a version complete.

The old receipt goes first, so that a half-replaced version is never taken for either. Then come the files, with
saved_model.pb after all others, then a check of every size, and the new receipt as the very last.
"""

from __future__ import annotations

from pathlib import Path

from apache_beam.io.filesystem import CompressionTypes
from apache_beam.io.filesystems import FileSystems

from pipeline.publication.layout import RECEIPT
from pipeline.publication.receipt import Receipt, parse_receipt
from pipeline.storage.durable_file import write_file

_GRAPH = "saved_model.pb"
_BLOCK = 1 << 20


def upload(staged: Path, destination: str, receipt: Receipt) -> None:
    """Uploads a staged folder.

    Raises:
        OSError: the destination holds no valid receipt then.
    """
    stale = _sizes(destination)
    if RECEIPT in stale:
        FileSystems.delete([f"{destination}/{RECEIPT}"])
    paths = sorted((file.path for file in receipt.files), key=lambda path: (path == _GRAPH, path))
    for path in paths:
        _upload_file(staged / path, f"{destination}/{path}")
    unwanted = sorted(set(stale) - set(paths) - {RECEIPT})
    if unwanted:
        FileSystems.delete([f"{destination}/{path}" for path in unwanted])
    arrived = _sizes(destination)
    damaged = [file.path for file in receipt.files if arrived.get(file.path) != file.size]
    if damaged:
        raise OSError(f"{destination}: {damaged[0]} did not arrive whole")
    write_file(f"{destination}/{RECEIPT}", receipt.to_json().encode())


def remote_receipt(destination: str) -> Receipt | None:
    """The receipt of a remote output when all its files are there with their sizes; else None.

    Raises:
        OSError: the store cannot be asked.
    """
    sizes = _sizes(destination)
    if RECEIPT not in sizes:
        return None
    with FileSystems.open(f"{destination}/{RECEIPT}", compression_type=CompressionTypes.UNCOMPRESSED) as stream:
        receipt = parse_receipt(stream.read())
    complete = receipt is not None and all(sizes.get(file.path) == file.size for file in receipt.files)
    return receipt if complete else None


def _sizes(folder: str) -> dict[str, int]:
    """Path below `folder` -> bytes, for each object there."""
    matches = FileSystems.match([f"{folder}/**"])
    return {entry.path.removeprefix(f"{folder}/"): entry.size_in_bytes for entry in matches[0].metadata_list}


def _upload_file(source: Path, url: str) -> None:
    with source.open("rb") as stream:
        sink = FileSystems.create(url, compression_type=CompressionTypes.UNCOMPRESSED)
        with sink:
            while block := stream.read(_BLOCK):
                sink.write(block)
