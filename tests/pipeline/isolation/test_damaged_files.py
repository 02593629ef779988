"""Truncation and flipped bits: a damaged file costs one typed answer, and no change goes unseen."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.isolation.policy import Isolation
from pipeline.isolation.process import ConfinedProcess
from pipeline.settings import CHILD_FUNCTIONS
from tests.transforms.hostile_models import write_model
from transforms.errors import MigrationError, Reason
from transforms.records.inspection import Inspection
from transforms.source.hdf5.file import open_hdf5

#: A prime, so that the sample of the short form falls on every offset within a structure.
STRIDE = 127


@pytest.fixture(scope="module")
def child() -> Iterator[ConfinedProcess]:
    """One child that inspects file after file; another takes its place when one dies."""
    child = ConfinedProcess(Isolation(timeout=20, models_per_child=10**9))
    yield child
    child.close()


def truncated(data: bytes, position: int) -> bytes:
    return data[:position]


def flipped(data: bytes, position: int) -> bytes:
    """One bit of that byte, another one for each byte."""
    return data[:position] + bytes([data[position] ^ 1 << position % 8]) + data[position + 1 :]


def answers(folder: Path, child: ConfinedProcess, damage: object, stride: int) -> Counter[str]:
    """How often each answer was given to the damaged files."""
    path = write_model(folder / "m.h5")
    data = path.read_bytes()
    with open_hdf5(path) as (_, whole):
        pass
    counted: Counter[str] = Counter()
    for position in range(0, len(data), stride):
        path.write_bytes(damage(data, position))  # type: ignore[operator]
        try:
            child.call(CHILD_FUNCTIONS.inspector, path, None, "", returns=Inspection)
            counted["read"] += 1
        except MigrationError as error:
            assert error.reason is not Reason.INTERNAL_ERROR, f"byte {position}: {error}"
            counted[error.reason.value] += 1
        with pytest.raises(MigrationError) as noticed, open_hdf5(path, sha256=whole.sha256):
            pass
        assert noticed.value.reason in (Reason.DIGEST_MISMATCH, Reason.NOT_HDF5)
    assert sum(counted.values()) == len(range(0, len(data), stride))
    return counted


@pytest.mark.parametrize("damage", [truncated, flipped])
def test_a_sample_of_damages(damage: object, child: ConfinedProcess, tmp_path: Path) -> None:
    counted = answers(tmp_path, child, damage, STRIDE)
    assert damage is flipped or not counted["read"]


@pytest.mark.soak
@pytest.mark.parametrize("damage", [truncated, flipped])
def test_every_byte(damage: object, child: ConfinedProcess, tmp_path: Path, record_property: object) -> None:
    counted = answers(tmp_path, child, damage, 1)
    print(dict(counted))
    assert damage is flipped or not counted["read"]
