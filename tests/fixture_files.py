"""The fixture files and what is known of them."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from transforms.records.staged_model import text_as_bytes

FOLDER = Path(__file__).parent / "fixtures"


@dataclass(frozen=True)
class FixtureFile:
    """One file that a genuine legacy runtime wrote, with that runtime's own outputs."""

    name: str
    source: Path
    samples: Path
    features: str
    architecture: Path | None = None

    def batch(self, prefix: str = "") -> tuple[list[npt.NDArray[np.generic]], list[npt.NDArray[np.generic]]]:
        """Inputs and golden outputs; prefix `alt_` for the batch of another size and length."""
        with np.load(self.samples) as held:
            inputs = [text_as_bytes(held[f"{prefix}x{i}"]) for i in range(100) if f"{prefix}x{i}" in held.files]
            outputs = [text_as_bytes(held[f"{prefix}y{i}"]) for i in range(100) if f"{prefix}y{i}" in held.files]
        return inputs, outputs


def fixture_files() -> list[FixtureFile]:
    """All fixture files, in the order of fixtures.csv."""
    return _listed("fixtures.csv")


def checkpoint_files() -> list[FixtureFile]:
    """All checkpoints; `source` is the prefix."""
    return _listed("checkpoints.csv")


def weights_files() -> list[FixtureFile]:
    """Weights beside an architecture that is not quite that of the model that was saved."""
    return _listed("weights.csv")


def training_files() -> list[FixtureFile]:
    """All models that were trained a little; their samples hold a batch, and the weights after one step on it."""
    return _listed("training.csv")


def _listed(table: str) -> list[FixtureFile]:
    with (FOLDER / table).open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    return [
        FixtureFile(
            row["model"],
            FOLDER / row["source"],
            FOLDER / row["samples"],
            row["features"],
            FOLDER / row["architecture"] if row.get("architecture") else None,
        )
        for row in rows
    ]


def fixture_file(name: str) -> FixtureFile:
    """The fixture file of that name."""
    return next(each for each in fixture_files() if each.name == name)


#: Files that must be refused, with the reason.
REFUSED = {
    "keras-2.2.4/lambda_random": "unsafe_lambda",
    "tfkeras-2.3.4/sampling_encoder": "random_outputs",
    "tfkeras-2.8.4/sampling_encoder": "random_outputs",
}
#: Files whose layers compute in 16 bits: what they give depends on the device.
NARROW = [each for each in fixture_files() if "float16" in each.features]
#: Their files do not say enough to draw a batch, or they leave the range of the reference: golden outputs decide.
GOLDEN_ALONE = [each for each in fixture_files() if "golden_alone" in each.features]
MIGRATABLE = [each for each in fixture_files() if each.name not in REFUSED and each not in [*NARROW, *GOLDEN_ALONE]]
#: One fixture of each architecture, from the newest runtime that wrote it.
ARCHITECTURES = list({each.name.partition("/")[2]: each for each in MIGRATABLE}.values())
#: For tests of artefacts. What is written depends on what was read: the reference and the canonicaliser are tested with
#: every file, and an architecture that several runtimes wrote is migrated once, or in the long form from each of them.
ARTEFACTS = [
    pytest.param(each, id=each.name, marks=[] if each in ARCHITECTURES else [pytest.mark.soak]) for each in MIGRATABLE
]
