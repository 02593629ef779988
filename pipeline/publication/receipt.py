"""The receipt of a published model: its files, their sources, and the result.

Its path is assets.extra/h5ferry.json. It is written last, so that a folder with a valid receipt is complete. Its key is
content, never time: the same source, options and migration version need not be converted again.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import msgspec

from pipeline import __version__
from pipeline.publication.layout import RECEIPT, RECEIPT_BYTES
from pipeline.publication.outcome_columns import NO_OUTCOME, OutcomeColumns
from pipeline.storage.canonical_json import canonical_json, plain_json, refuse_many_values, sha256_of
from pipeline.storage.regular_file import read_regular
from transforms.errors import MigrationError, Reason
from transforms.records.outcome import MIGRATION_VERSION
from transforms.records.signature import NO_SIGNATURE, ModelSignature
from transforms.source.file import hash_file

#: Incremented when the receipt's format changes.
_FORMAT = 1
_ATTEMPTS = 10
#: Values of one receipt: a few for each file, rewrite and warning.
_MOST_VALUES = 500_000


@dataclass(frozen=True)
class ReceiptKey:
    """Everything that determines the artefact. Digests are sha256 in hex, "" if there is no such file."""

    source_sha256: str
    architecture_sha256: str
    samples_sha256: str
    custom_objects_sha256: str
    backend: str
    rtol: float
    atol: float
    require_evidence: str
    keep_training: bool = False
    outputs: str = ""
    constants: str = ""
    tensorflow_min: str = ""
    migration_version: int = MIGRATION_VERSION


def why_published_again(known: ReceiptKey, key: ReceiptKey) -> str:
    """How the key of a published model differs from the requested one; "" if it does not."""
    changed = [field.name for field in fields(ReceiptKey) if getattr(known, field.name) != getattr(key, field.name)]
    told = [f"{name} {getattr(known, name)!r} is now {getattr(key, name)!r}" for name in changed]
    return f"Published again because {', '.join(told)}." if told else ""


@dataclass(frozen=True)
class PublishedFile:
    """One file of the output: path relative to it with "/" between parts, size in bytes, sha256 in hex."""

    path: str
    size: int
    sha256: str


@dataclass(frozen=True)
class Receipt:
    """The content of the receipt file.

    Attributes:
        model, version: of the row.
        key: what determined the artefact.
        files: every file but the receipt, by path.
        outcome: result of the conversion.
        run_id, attempt: the run; `attempt` is random for each start of the program.
        h5ferry_version: of the program that wrote it.
        signature: names of the inputs and outputs.
    """

    model: str
    version: int
    key: ReceiptKey
    files: tuple[PublishedFile, ...]
    outcome: OutcomeColumns = NO_OUTCOME
    run_id: str = ""
    attempt: str = ""
    h5ferry_version: str = __version__
    signature: ModelSignature = NO_SIGNATURE

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(file.size for file in self.files)

    @property
    def sha256(self) -> str:
        """Digest of the whole output: of the lines "path NUL sha256", sorted by path."""
        lines = sorted(f"{file.path}\0{file.sha256}\n" for file in self.files)
        return hashlib.sha256("".join(lines).encode()).hexdigest()

    def to_json(self) -> str:
        """The file's text; nan becomes null."""
        content = {"format": _FORMAT, **asdict(self), "output_bytes": self.size, "output_sha256": self.sha256}
        return sealed(plain_json(content)).decode()


def sealed(content: Mapping[str, Any]) -> bytes:
    """The text of a receipt with its own digest inside, which detects accidental changes."""
    return canonical_json({**content, "seal": sha256_of(canonical_json(content))})


def parse_receipt(text: bytes) -> Receipt | None:
    """The receipt in `text`, or None if it is damaged, foreign or of another format."""
    try:
        refuse_many_values(text, _MOST_VALUES)
        content = json.loads(text)
        del content["seal"]
        if sealed(content) != text:
            return None
        if content.pop("format") != _FORMAT or content.pop("output_bytes") < 0:
            return None
        digest = content.pop("output_sha256")
        files = tuple(PublishedFile(**file) for file in content.pop("files"))
        outcome = OutcomeColumns.from_json(content.pop("outcome"))
        signature = msgspec.convert(content.pop("signature", {}), ModelSignature)
        key = ReceiptKey(**content.pop("key"))
        receipt = Receipt(key=key, files=files, outcome=outcome, signature=signature, **content)
        return receipt if receipt.sha256 == digest and all(_is_inside(file.path) for file in files) else None
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError, msgspec.ValidationError):
        return None


@dataclass(frozen=True)
class StoredReceipt:
    """A receipt as it lies in an output.

    Attributes:
        receipt: what it says.
        text_sha256: digest of its own text, which is what the record of a run holds.
    """

    receipt: Receipt
    text_sha256: str

    @classmethod
    def written(cls, receipt: Receipt) -> StoredReceipt:
        """What writing a receipt leaves."""
        return cls(receipt, sha256_of(receipt.to_json().encode()))

    @classmethod
    def parsed(cls, text: bytes) -> StoredReceipt | None:
        """The receipt in `text`, None for none."""
        receipt = parse_receipt(text)
        return None if receipt is None else cls(receipt, sha256_of(text))


@dataclass(frozen=True)
class Claim:
    """What a receipt claims of its place, even with a broken seal: the row published there, and its files."""

    model: str
    version: int
    paths: frozenset[str]


def claim_of(data: bytes) -> Claim | None:
    """The claim in the text of a receipt; None if there is none."""
    try:
        refuse_many_values(data, _MOST_VALUES)
        content = json.loads(data)
        model, version, files = content["model"], content["version"], content["files"]
        paths = frozenset(file["path"] for file in files)
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
    named = isinstance(model, str) and type(version) is int
    return Claim(model, version, paths) if named and all(map(_is_inside, paths)) else None


def read_receipt(output: Path) -> Receipt | None:
    """The receipt of a local output folder, or None if there is no readable one."""
    data = receipt_bytes(output)
    return None if data is None else parse_receipt(data)


def receipt_bytes(output: Path, root: Path | None = None) -> bytes | None:
    """The bytes of a local output's receipt; None if it is not a regular file, too large, or unreadable.

    No folder below `root`, by default the output itself, may be a link.
    """
    for _ in range(_ATTEMPTS):
        try:
            return read_regular(output / RECEIPT, RECEIPT_BYTES, root or output)
        except FileNotFoundError:
            if not os.path.lexists(output / RECEIPT):
                return None  # otherwise the version was replaced by another one meanwhile
        except OSError:
            return None
    return None


def is_complete(receipt: Receipt, output: Path) -> bool:
    """True if every file of the receipt exists in the local output folder with its size."""
    try:
        return all(os.lstat(output / file.path).st_size == file.size for file in receipt.files)
    except OSError:
        return False


def list_files(folder: Path, only: Collection[str] | None = None) -> tuple[PublishedFile, ...]:
    """Hashes every file below `folder`, except its receipt, sorted by path.

    Args:
        folder: local.
        only: relative paths of the files to hash; others are checked, but not hashed.

    Raises:
        MigrationError: `output_error` if the folder holds a link or anything else that is not a regular file.
    """
    found = []
    for parent, folders, names in os.walk(folder):
        for name in (*folders, *names):
            path = Path(parent, name)
            mode = path.lstat().st_mode
            if stat.S_ISDIR(mode):
                continue
            relative = path.relative_to(folder).as_posix()
            if not stat.S_ISREG(mode):
                raise MigrationError(Reason.OUTPUT_ERROR, f"The converter left {relative!a}, which is no plain file")
            if relative != RECEIPT and (only is None or relative in only):
                # A child may replace it with a link or a FIFO meanwhile.
                descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
                try:
                    digest = hash_file(descriptor)
                    found.append(PublishedFile(relative, os.fstat(descriptor).st_size, digest))
                finally:
                    os.close(descriptor)
    return tuple(sorted(found, key=lambda file: file.path))


def _is_inside(path: object) -> bool:
    """Whether a path is a file below an output, in the canonical form that a run writes."""
    return isinstance(path, str) and path != RECEIPT and "\0" not in path and not {"", ".", ".."} & set(path.split("/"))
