"""Archives of arrays: what is wanted is read, and nothing is decompressed that a header has not announced."""

import io
import os
import zipfile
import zlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transforms.errors import MigrationError, Reason
from transforms.limits import DEFAULT_LIMITS
from transforms.source.npz import NpzFile

LIMITS = replace(DEFAULT_LIMITS, array_bytes=1 << 20, inflated_bytes=1 << 16)


def npy(shape: tuple[int, ...], dtype: str = "<f4", data: bytes | None = None, version: int = 1) -> bytes:
    """An array file whose header says what it likes."""
    stream = io.BytesIO()
    header = {"descr": dtype, "fortran_order": False, "shape": shape}
    {1: np.lib.format.write_array_header_1_0, 2: np.lib.format.write_array_header_2_0}[version](stream, header)
    size = int(np.prod(shape, dtype=object)) * np.dtype(dtype).itemsize
    return stream.getvalue() + (bytes(size) if data is None else data)


def archive(path: Path, *members: tuple[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", method) as file:
        for name, data in members:
            file.writestr(name, data)
    return path


def reason_of(path: Path, *names: str) -> Reason:
    with pytest.raises(MigrationError) as refusal, NpzFile(path, LIMITS) as file:
        file.read(names)
    return refusal.value.reason


def test_reads_what_is_wanted_alone(tmp_path: Path) -> None:
    huge = npy((1 << 40,), data=b"")
    path = archive(tmp_path / "s.npz", ("x0.npy", npy((2, 3))), ("y0.npy", npy((2,), version=2)), ("z.npy", huge))
    with NpzFile(path, LIMITS) as file:
        assert file.names == ("x0", "y0", "z")
        arrays = file.read(["y0", "x0"])
    assert {name: array.shape for name, array in arrays.items()} == {"x0": (2, 3), "y0": (2,)}


@pytest.mark.parametrize("compressed", [False, True])
def test_agrees_with_numpy(tmp_path: Path, compressed: bool) -> None:
    given = {"a": np.arange(6.0).reshape(2, 3).T, "b": np.array(7, np.int64), "c": np.zeros((0, 3), bool)}
    (np.savez_compressed if compressed else np.savez)(tmp_path / "s.npz", **given)
    with NpzFile(tmp_path / "s.npz", LIMITS) as file:
        read = file.read(given)
    for name, array in given.items():
        assert read[name].dtype == array.dtype and np.array_equal(read[name], array)


HOSTILE = {
    "a bomb": ([("x0.npy", npy((1 << 17,), "u1"))], Reason.OVER_BUDGET),
    "much plain data": ([("x0.npy", npy((1 << 21,), "u1", os.urandom(1 << 21)))], Reason.OVER_BUDGET),
    "a header of a terabyte": ([("x0.npy", npy((1 << 40,), data=b"x"))], Reason.INVALID_SAMPLES),
    "a header that overflows": ([("x0.npy", npy((1 << 62, 1 << 62), data=b"x"))], Reason.INVALID_SAMPLES),
    "more than the header says": ([("x0.npy", npy((1,)) + b"x")], Reason.INVALID_SAMPLES),
    "a negative extent": ([("x0.npy", npy((-1,), data=b""))], Reason.INVALID_SAMPLES),
    "pickles": ([("x0.npy", npy((1,), "|O", b"\x80\x04."))], Reason.INVALID_SAMPLES),
    "no array": ([("x0.npy", b"text")], Reason.INVALID_SAMPLES),
    "an unknown format": ([("x0.npy", b"\x93NUMPY\x09\x00")], Reason.INVALID_SAMPLES),
    "another name": ([("x1.npy", npy((1,)))], Reason.INVALID_SAMPLES),
    "nothing": ([], Reason.INVALID_SAMPLES),
    "a name twice": ([("x0.npy", npy((1,))), ("x0.npy", npy((1,)))], Reason.INVALID_SAMPLES),
    "a name with and without its ending": ([("x0.npy", npy((1,))), ("x0", npy((1,)))], Reason.INVALID_SAMPLES),
    "many": ([(f"{number}.npy", b"") for number in range(10_001)], Reason.INVALID_SAMPLES),
}


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("what", HOSTILE)
def test_hostile_archives(tmp_path: Path, what: str) -> None:
    members, reason = HOSTILE[what]
    method = zipfile.ZIP_STORED if "plain" in what else zipfile.ZIP_DEFLATED
    assert reason_of(archive(tmp_path / "s.npz", *members, method=method), "x0") is reason


def test_other_compressions_are_not_read(tmp_path: Path) -> None:
    path = archive(tmp_path / "s.npz", ("x0.npy", npy((1,))), method=zipfile.ZIP_LZMA)
    assert reason_of(path, "x0") is Reason.INVALID_SAMPLES


def test_only_a_regular_file_is_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "zero").symlink_to("/dev/zero")
    for name in ("fifo", "zero", "."):
        assert reason_of(tmp_path / name, "x0") is Reason.UNSAFE_STORAGE
    assert reason_of(tmp_path / "none", "x0") is Reason.SOURCE_MISSING


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("npz") / "s.npz"
    np.savez_compressed(path, x0=np.arange(40.0), y0=np.arange(5))
    return path.read_bytes()


@settings(deadline=None, max_examples=300)
@given(data=st.data())
def test_damage_is_refused_or_read(sound: bytes, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    """Whatever bytes change, the answer is an array or a refusal."""
    content = bytearray(sound)
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.getbasetemp() / "damaged.npz"
    path.write_bytes(bytes(content[: data.draw(st.integers(0, len(content)))]) if data.draw(st.booleans()) else content)
    try:
        with NpzFile(path, LIMITS) as file:
            file.read(["x0"])
    except MigrationError as refusal:
        assert refusal.reason in (Reason.INVALID_SAMPLES, Reason.OVER_BUDGET)
    except zlib.error:
        pytest.fail("an error of the library came through")
