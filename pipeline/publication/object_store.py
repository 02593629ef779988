"""Publishing to an object store, which has no atomic rename: a version is complete when its receipt exists.

First a list of all files to be written is uploaded, so that a later run can distinguish a killed run's leftovers from
foreign objects. Then the old receipt is removed, so that a partly replaced version is never complete. Then follow the
files, with saved_model.pb last, a check of every size, and the new receipt; finally the list is removed. Only what this
program published for the same model and version is replaced or removed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path, PurePosixPath

from apache_beam.io.filesystem import CompressionTypes
from apache_beam.io.filesystems import FileSystems

from pipeline.publication.destination import foreign_to, occupied
from pipeline.publication.layout import GRAPHS, RECEIPT, RECEIPT_BYTES, UPLOADING, output_folder
from pipeline.publication.receipt import PublishedFile, Receipt, StoredReceipt, claim_of
from pipeline.storage.durable_file import read_file, write_file
from transforms.saved_model.file_names import GRAPH

_BLOCK = 1 << 20


def upload(staged: Path, output: str, receipt: Receipt) -> None:
    """Uploads a staged folder to the place of its receipt's model and version.

    Raises:
        MigrationError: `output_occupied`, and nothing was changed.
        OSError: an upload failed; the destination has no valid receipt.
    """
    destination = output_folder(output, receipt.model, receipt.version)
    there = _sizes(destination)
    _check_destination(output, receipt.model, receipt.version, there)
    paths = sorted((file.path for file in receipt.files), key=lambda path: (path == GRAPH, path))
    stale = sorted(there.keys() - set(paths) - {RECEIPT, UPLOADING})
    intended = replace(receipt, files=(*receipt.files, *(PublishedFile(path, there[path], "") for path in stale)))
    write_file(f"{destination}/{UPLOADING}", intended.to_json().encode())
    if RECEIPT in there:
        FileSystems.delete([f"{destination}/{RECEIPT}"])
    for path in paths:
        _upload_file(staged / path, f"{destination}/{path}")
    if stale:
        FileSystems.delete([f"{destination}/{path}" for path in stale])
    arrived = _sizes(destination)
    damaged = [file.path for file in receipt.files if arrived.get(file.path) != file.size]
    if damaged:
        raise OSError(f"{destination}: {damaged[0]} was not uploaded completely")
    write_file(f"{destination}/{RECEIPT}", receipt.to_json().encode())
    FileSystems.delete([f"{destination}/{UPLOADING}"])


def remote_receipt(output: str, model: str, version: int) -> StoredReceipt | None:
    """The receipt of a remote output if all its files exist with the listed sizes; else None.

    Raises:
        MigrationError: `output_occupied`, the place holds foreign objects.
        OSError: the store cannot be reached.
    """
    destination = output_folder(output, model, version)
    sizes = _sizes(destination)
    _check_destination(output, model, version, sizes)
    data = read_file(f"{destination}/{RECEIPT}", RECEIPT_BYTES) if RECEIPT in sizes else None
    stored = None if data is None else StoredReceipt.parsed(data)
    complete = stored is not None and all(sizes.get(file.path) == file.size for file in stored.receipt.files)
    return stored if complete else None


def _check_destination(output: str, model: str, version: int, there: Mapping[str, int]) -> None:
    """Raises MigrationError `output_occupied` unless all objects at a place were published for this row."""
    parts = PurePosixPath(model).parts
    for count in range(len(parts) + 1):
        folder = "/".join((output, *parts[:count]))
        if any(FileSystems.exists(f"{folder}/{name}") for name in (RECEIPT, *GRAPHS)):
            raise occupied(folder, "holds a SavedModel, and nothing is published within one")
    destination = output_folder(output, model, version)
    listed: set[str] = {UPLOADING}
    for name in (RECEIPT, UPLOADING):
        data = read_file(f"{destination}/{name}", RECEIPT_BYTES) if name in there else None
        claim = None if data is None else claim_of(data)
        if claim is not None and (claim.model, claim.version) != (model, version):
            raise occupied(destination, f"holds {claim.model}/{claim.version}")
        listed |= claim.paths if claim is not None else set()
    foreign = foreign_to(listed, sorted(there))
    if foreign:
        raise occupied(destination, f"holds {foreign!a}, which this program did not publish")


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
