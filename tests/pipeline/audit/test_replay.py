"""Samples that somebody else put beside a model: read under limits, and no more of them than is asked for."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from pipeline.audit.replay import _samples
from transforms.errors import MigrationError, Reason

SAMPLES = "assets.extra/samples.npz"


def header(shape: tuple[int, ...], dtype: str = "<f4") -> bytes:
    """What an .npy file of this shape begins with."""
    text = f"{{'descr': '{dtype}', 'fortran_order': False, 'shape': {shape!r}, }}".ljust(117) + "\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text.encode()


def member(archive: zipfile.ZipFile, name: str, start: bytes, zeros: int = 0) -> None:
    with archive.open(f"{name}.npy", "w", force_zip64=True) as stream:
        stream.write(start)
        for _ in range(zeros >> 20):
            stream.write(bytes(1 << 20))


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    (tmp_path / "assets.extra").mkdir()

    def write(*members: tuple[str, bytes, int]) -> Path:
        with zipfile.ZipFile(tmp_path / SAMPLES, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
            for name, start, zeros in members:
                member(archive, name, start, zeros)
        return tmp_path

    return write


ONE = header((1,)) + bytes(4)


def test_what_nobody_asks_for_is_not_read(write: Callable[..., Path]) -> None:
    folder = write(("y0", ONE, 0), ("y1", header((1 << 40,)), 0), ("more", b"no array", 300 << 20))
    (found,) = _samples(folder, "y", 1)
    assert found.tolist() == [0.0]


@pytest.mark.parametrize(
    ("start", "zeros"),
    [(header((75 << 20,)), 300 << 20), (header((1 << 40,)), 0), (header((1,), "|O"), 0), (b"no array", 0)],
)
def test_bombs_and_lies_are_refused(start: bytes, zeros: int, write: Callable[..., Path]) -> None:
    folder = write(("y0", start, zeros))
    with pytest.raises(MigrationError) as caught:
        _samples(folder, "y", 1)
    assert caught.value.reason in (Reason.OVER_BUDGET, Reason.INVALID_SAMPLES, Reason.UNSAFE_STORAGE)


@pytest.mark.parametrize("name", ["y1", "Y0", "x0", "y0 "])
def test_what_is_missing_is_refused(name: str, write: Callable[..., Path]) -> None:
    with pytest.raises(MigrationError):
        _samples(write((name, ONE, 0)), "y", 1)


def test_the_samples_of_a_model_are_read(tmp_path: Path) -> None:
    (tmp_path / "assets.extra").mkdir()
    np.savez(tmp_path / SAMPLES, y0=np.arange(3.0), y1=np.ones((2, 2)))
    assert [found.shape for found in _samples(tmp_path, "y", 2)] == [(3,), (2, 2)]
