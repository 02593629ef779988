"""Every attribute encoding is read, every unsafe storage is refused before its data is touched."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from transforms.errors import MigrationError, Reason
from transforms.limits import Limits
from transforms.source.hdf5.objects import array_at, group_at, list_attribute, text_attribute

VLEN_BYTES = h5py.string_dtype("ascii")
VLEN_TEXT = h5py.string_dtype("utf-8")


@pytest.fixture
def file(tmp_path: Path) -> Any:
    with h5py.File(tmp_path / "f.h5", "w") as handle:
        yield handle


@pytest.mark.parametrize(
    "value",
    [
        np.array([b"a/kernel:0", b"b"]),
        np.array([b"a/kernel:0", b"b"], dtype=VLEN_BYTES),
        np.array(["a/kernel:0", "b"], dtype=VLEN_TEXT),
    ],
    ids=["fixed", "vlen bytes", "vlen text"],
)
def test_name_lists_in_every_encoding(file: h5py.File, value: Any) -> None:
    file.attrs["weight_names"] = value
    assert list_attribute(file, "weight_names") == ["a/kernel:0", "b"]


def test_name_lists_split_into_chunks_empty_and_missing(file: h5py.File) -> None:
    file.attrs["layer_names0"] = np.array([b"a"])
    file.attrs["layer_names1"] = np.array([b"b", b"c"])
    file.attrs["weight_names"] = np.zeros((0,), "float64")  # how Keras stores an empty list
    assert list_attribute(file, "layer_names") == ["a", "b", "c"]
    assert list_attribute(file, "weight_names") == []
    assert list_attribute(file, "other") is None


@pytest.mark.parametrize("value", [np.bytes_(b"2.2.4"), "2.2.4", b"2.2.4"], ids=["fixed", "text", "bytes"])
def test_texts_in_every_encoding(file: h5py.File, value: Any) -> None:
    file.attrs["keras_version"] = value
    assert text_attribute(file, "keras_version") == "2.2.4"


@pytest.mark.parametrize("value", [np.array([b"a", b"b"]), np.float32(2), np.void(b"\x80\x04")])
def test_a_text_must_be_one_string(file: h5py.File, value: Any) -> None:
    file.attrs["model_config"] = value
    with pytest.raises(MigrationError) as refusal:
        text_attribute(file, "model_config")
    assert refusal.value.reason is Reason.INVALID_CONFIG


def test_lists_are_bounded(file: h5py.File) -> None:
    file.attrs["layer_names"] = np.array([b"a", b"b", b"c"])
    with pytest.raises(MigrationError) as refusal:
        list_attribute(file, "layer_names", Limits(attribute_items=2))
    assert refusal.value.reason is Reason.OVER_BUDGET


@pytest.mark.parametrize("dtype", ["<f4", ">f4", "<f8", "<f2"])
@pytest.mark.parametrize("storage", [{}, {"chunks": (2, 2)}, {"compression": "gzip", "shuffle": True}])
def test_plain_arrays_are_read_exactly(file: h5py.File, dtype: str, storage: dict[str, Any]) -> None:
    values = np.arange(12).reshape(3, 4).astype(dtype)
    file.create_dataset("g/kernel:0", data=values, **storage)
    array = array_at(group_at(file, "g"), "kernel:0")
    assert array.shape == (3, 4)
    assert array.read().dtype.isnative
    np.testing.assert_array_equal(array.read(), values)


def soft_link(file: h5py.File) -> None:
    file["real"] = np.zeros(3, "f4")
    file["w"] = h5py.SoftLink("/real")


def external_link(file: h5py.File) -> None:
    file["w"] = h5py.ExternalLink("other.h5", "/w")


def external_storage(file: h5py.File) -> None:
    file.create_dataset("w", (3,), "f4", external=[("/dev/zero", 0, 12)])


def virtual(file: h5py.File) -> None:
    layout = h5py.VirtualLayout((3,), "f4")
    layout[:] = h5py.VirtualSource(".", "w", (3,))
    file.create_virtual_dataset("w", layout)


def never_written(file: h5py.File) -> None:
    file.create_dataset("w", (3,), "f4")


def missing_chunk(file: h5py.File) -> None:
    file.create_dataset("w", (4,), "f4", chunks=(2,))[:2] = 1


def of_type(dtype: Any) -> Callable[[h5py.File], None]:
    def create(file: h5py.File) -> None:
        file.create_dataset("w", data=np.zeros(3, dtype))

    return create


def absent(file: h5py.File) -> None:
    file["other"] = np.zeros(3, "f4")


@pytest.mark.parametrize(
    ("create", "reason"),
    [
        (soft_link, Reason.UNSAFE_STORAGE),
        (external_link, Reason.UNSAFE_STORAGE),
        (external_storage, Reason.UNSAFE_STORAGE),
        (virtual, Reason.UNSAFE_STORAGE),
        (never_written, Reason.CORRUPT_H5),
        (missing_chunk, Reason.CORRUPT_H5),
        (of_type("S3"), Reason.UNSAFE_STORAGE),
        (of_type("complex64"), Reason.UNSAFE_STORAGE),
        (of_type("g"), Reason.UNSAFE_STORAGE),
        (of_type([("a", "f4")]), Reason.UNSAFE_STORAGE),
        (absent, Reason.WEIGHTS_MISMATCH),
    ],
)
def test_refused_storage(file: h5py.File, create: Callable[[h5py.File], None], reason: Reason) -> None:
    create(file)
    with pytest.raises(MigrationError) as refusal:
        array_at(file, "w")
    assert refusal.value.reason is reason


@pytest.mark.parametrize("dtype", ["u1", "<i4", ">i8", "?"])
def test_integers_and_booleans_are_numbers(file: h5py.File, dtype: str) -> None:
    """Custom layers have them; whether a layer may is seen to where the layer is known."""
    file["w"] = np.array([0, 1, 1], dtype)
    array = array_at(file, "w")
    assert array.dtype == np.dtype(dtype)
    np.testing.assert_array_equal(array.read(), [0, 1, 1])


@pytest.mark.parametrize("path", ["/w", "../w", "./w", "a//w", ""])
def test_only_plain_paths_are_walked(file: h5py.File, path: str) -> None:
    file["w"] = np.zeros(3, "f4")
    with pytest.raises(MigrationError) as refusal:
        array_at(file, path)
    assert refusal.value.reason is Reason.UNSAFE_STORAGE


def test_sizes_are_bounded(file: h5py.File) -> None:
    file.create_dataset("big", data=np.zeros(100, "f4"))
    file.create_dataset("tiny_chunks", data=np.zeros(100, "f4"), chunks=(1,))
    for name, limits in (("big", Limits(array_bytes=399)), ("tiny_chunks", Limits(chunks=99))):
        with pytest.raises(MigrationError) as refusal:
            array_at(file, name, limits)
        assert refusal.value.reason is Reason.OVER_BUDGET
