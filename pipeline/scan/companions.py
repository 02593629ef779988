"""Finds files that belong to a source beside it: an architecture for a file with weights only, samples."""

from __future__ import annotations

import os
import re
import stat
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.scan.epochs import epoch_stem

_ARCHITECTURE_SUFFIXES = (".json", ".yaml", ".yml")
_ARCHITECTURE_STEMS = ("model", "config", "architecture", "model_config", "model_architecture")
#: What people add to a model's name for its weights (`ocr_weights.h5`) and for its architecture (`ocr_config.json`).
_OF_WEIGHTS = re.compile(r"(?i)[._-](?:model[._-])?(?:weights?|best|final|last)$|(?<=[a-z])Weights?$|^weights?[._-]")
_OF_ARCHITECTURES = ("", *(f"{mark}{word}" for mark in "_-." for word in ("architecture", "config", "model", "arch")))
_SUFFIXES = (*_ARCHITECTURE_SUFFIXES, ".npz")
_HEAD_BYTES = 4096


@dataclass(frozen=True)
class Companions:
    """The files that belong to a source; None for none.

    Attributes:
        architecture, samples: files beside the source.
        notes: what the reader should check.
    """

    architecture: Path | None = None
    samples: Path | None = None
    notes: tuple[str, ...] = ()


def pair(sources: Sequence[tuple[Path, bool]]) -> list[Companions]:
    """The companions of each source, inferred from file names and first bytes.

    Args:
        sources: path, and whether the file holds weights without an architecture.
    """
    weights = Counter(parent for parent, _ in {(path.parent, epoch_stem(path)) for path, alone in sources if alone})
    folders = {path.parent for path, _ in sources}
    listed = {folder: _listing(folder) for folder in folders}
    return [
        _companions(path, listed[path.parent], alone=weights[path.parent] == 1, weights_only=weights_only)
        for path, weights_only in sources
    ]


def _companions(source: Path, beside: dict[str, str], *, alone: bool, weights_only: bool) -> Companions:
    stem = source.stem.removesuffix(".weights")  # of `model.weights.h5`
    npz = beside.get(f"{stem}.npz")
    samples = Path(npz) if npz and _head(npz).startswith(b"PK") else None
    if not weights_only:
        return Companions(samples=samples)
    notes: tuple[str, ...] = ()
    found = _architectures(beside, dict.fromkeys((source.stem, stem, source.name)))
    if not found:
        found = _architectures(beside, _similar_stems(source)) or (
            _architectures(beside, _ARCHITECTURE_STEMS) if alone else []
        )
        if len(found) == 1:
            notes = (f"weights alone; {found[0].name} is taken for their architecture",)
    if len(found) == 1:
        return Companions(found[0], samples, notes)
    if found:
        names = ", ".join(path.name for path in found)
        return Companions(None, samples, (f"weights alone; {names} could be their architecture: name one",))
    return Companions(None, samples, ("weights alone, and no architecture beside them: name one",))


def _similar_stems(source: Path) -> list[str]:
    """Stems of the architectures that go by the same name: of `ocr_weights.05-0.31.h5`, `ocr` and `ocr_config`."""
    stems = dict.fromkeys((source.stem, epoch_stem(source)))
    bases = dict.fromkeys(base for stem in stems for base in (stem, _OF_WEIGHTS.sub("", stem)) if base)
    return [f"{base}{ending}" for base in bases for ending in _OF_ARCHITECTURES]


def _architectures(beside: dict[str, str], stems: Iterable[str]) -> list[Path]:
    """The files with these names that contain a Keras architecture."""
    names = [f"{stem}{suffix}" for stem in stems for suffix in _ARCHITECTURE_SUFFIXES]
    return [Path(beside[name]) for name in names if name in beside and b"class_name" in _head(beside[name])]


def _listing(folder: Path) -> dict[str, str]:
    try:
        with os.scandir(folder) as entries:
            return {entry.name: entry.path for entry in entries if entry.name.endswith(_SUFFIXES) and entry.is_file()}
    except OSError:
        return {}


def _head(path: str) -> bytes:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return b""
    try:
        return os.pread(descriptor, _HEAD_BYTES, 0) if stat.S_ISREG(os.fstat(descriptor).st_mode) else b""
    except OSError:
        return b""
    finally:
        os.close(descriptor)
