"""The published models of a local output, by their receipts."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pipeline.audit.output_tree import read_tree
from pipeline.publication.receipt import Receipt, StoredReceipt, is_complete, receipt_bytes
from pipeline.storage.canonical_json import sha256_of


class RegistryError(Exception):
    """A registry or an output cannot be used as asked; the message says what to do."""


@dataclass(frozen=True)
class PublishedModel:
    """A model in an output.

    Attributes:
        folder: absolute; holds the SavedModel.
        receipt: what lies there, which `verify` compares with the files themselves.
        receipt_sha256: digest of the receipt's own text.
    """

    folder: Path
    receipt: Receipt
    receipt_sha256: str

    @property
    def model(self) -> str:
        """The name in the manifest."""
        return self.receipt.model

    @property
    def version(self) -> int:
        """The version in the manifest."""
        return self.receipt.version


def published_models(output: Path) -> list[PublishedModel]:
    """All models in an output, sorted by name and version.

    Raises:
        RegistryError: there is none, or a receipt is damaged, lies in another place than it names, or lists files that
            are missing: `verify` says more.
    """
    root = output.resolve()
    found = []
    for folder in read_tree(root).outputs:
        text = receipt_bytes(folder, root)
        stored = None if text is None else StoredReceipt.parsed(text)
        name = folder.relative_to(root).as_posix()
        if stored is None or text is None:
            raise RegistryError(f"The receipt of {name} cannot be read. Run `h5ferry verify {output}`.")
        receipt = stored.receipt
        if f"{receipt.model}/{receipt.version}" != name or not is_complete(receipt, folder):
            raise RegistryError(f"{name} is not what its receipt says. Run `h5ferry verify {output}`.")
        found.append(PublishedModel(folder, receipt, sha256_of(text)))
    if not found:
        raise RegistryError(f"{output} holds no published model.")
    return sorted(found, key=lambda each: (each.model, each.version))
