"""Hostile and damaged files: each is refused with its reason before what it threatens is touched."""

from __future__ import annotations

import json
import resource
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from tests.transforms.hostile_models import (
    FOREIGN,
    GROUP,
    KERNEL,
    NEW_LAMBDA,
    attribute,
    circle_of_groups,
    dense,
    dense_attribute,
    endless_names,
    layer,
    linked,
    of_type,
    one_group_for_all,
    one_place_for_two,
    partly_written,
    read,
    referenced,
    refusal,
    replaced,
    sequential,
    virtual,
    with_filters,
    write_model,
)
from transforms.errors import MigrationError, Reason
from transforms.inspection.inspect import inspect_source
from transforms.limits import Limits, limit_options

ONES = np.ones((3, 4), "f4")


def own_float(change: Callable[[Any], object]) -> Any:
    kind = h5py.h5t.IEEE_F32LE.copy()
    change(kind)
    return kind


FILES: dict[str, tuple[Callable[[h5py.File], None], Reason]] = {
    "soft link": (linked(h5py.SoftLink("/elsewhere")), Reason.UNSAFE_STORAGE),
    "soft link in a circle": (linked(h5py.SoftLink(f"/{KERNEL}")), Reason.UNSAFE_STORAGE),
    "external link": (linked(h5py.ExternalLink("/etc/passwd", "/x")), Reason.UNSAFE_STORAGE),
    "external link of a layer": (linked(h5py.ExternalLink("o.h5", "/d1"), GROUP), Reason.UNSAFE_STORAGE),
    "external link of all": (linked(h5py.ExternalLink("o.h5", "/w"), "model_weights"), Reason.UNSAFE_STORAGE),
    "soft link of all": (linked(h5py.SoftLink("/"), "model_weights"), Reason.UNSAFE_STORAGE),
    "external storage": (
        replaced(shape=(3, 4), dtype="f4", external=[("/dev/zero", 0, 48)]),
        Reason.UNSAFE_STORAGE,
    ),
    "external storage, second part": (
        replaced(shape=(3, 4), dtype="f4", external=[("a", 0, 24), ("/dev/zero", 0, h5py.h5f.UNLIMITED)]),
        Reason.UNSAFE_STORAGE,
    ),
    "virtual, of itself": (virtual("."), Reason.UNSAFE_STORAGE),
    "virtual, of another file": (virtual("/etc/passwd"), Reason.UNSAFE_STORAGE),
    "a circle of groups": (circle_of_groups, Reason.UNSAFE_STORAGE),
    "one group under all names": (one_group_for_all, Reason.UNSAFE_STORAGE),
    "one array twice": (linked(h5py.SoftLink("x"), f"{GROUP}/d1/bias:0"), Reason.UNSAFE_STORAGE),
    "never written": (replaced(shape=(3, 4), dtype="f4"), Reason.CORRUPT_H5),
    "never written, chunked": (replaced(shape=(3, 4), dtype="f4", chunks=(3, 4)), Reason.CORRUPT_H5),
    "never written, with a fill value": (replaced(shape=(3, 4), dtype="f4", fillvalue=1.0), Reason.CORRUPT_H5),
    "never written, resizable": (
        replaced(shape=(3, 4), dtype="f4", maxshape=(None, None), chunks=(1, 1)),
        Reason.CORRUPT_H5,
    ),
    "partly written": (partly_written, Reason.CORRUPT_H5),
    "an empty dataspace": (replaced(data=h5py.Empty("f4")), Reason.WEIGHTS_MISMATCH),
    "a scalar": (replaced(data=np.float32(1)), Reason.WEIGHTS_MISMATCH),
    "another shape": (replaced(data=ONES.T), Reason.WEIGHTS_MISMATCH),
    "no values": (replaced(data=np.zeros((0, 4), "f4")), Reason.WEIGHTS_MISMATCH),
    "a group for an array": (lambda file: linked(file.create_group("g"))(file), Reason.WEIGHTS_MISMATCH),
    "a committed datatype": (linked(np.dtype("f4")), Reason.WEIGHTS_MISMATCH),
    "a committed datatype for a layer": (linked(np.dtype("f4"), GROUP), Reason.WEIGHTS_MISMATCH),
    "huge chunks": (
        replaced(shape=(3, 1 << 27), dtype="f4", chunks=(1, 1 << 27), compression="gzip"),
        Reason.OVER_BUDGET,
    ),
    "more chunks than read": (replaced(shape=(3, 1 << 20), dtype="f4", chunks=(1, 1)), Reason.OVER_BUDGET),
    "larger than read": (replaced(shape=(3, 1 << 31), dtype="f4", chunks=(1, 1 << 20)), Reason.OVER_BUDGET),
    "lzf": (replaced(data=ONES, chunks=(3, 4), compression="lzf"), Reason.UNSAFE_STORAGE),
    "a filter nobody has": (with_filters(32999), Reason.UNSAFE_STORAGE),
    "a filter nobody has, before one we have": (with_filters(32999, 1), Reason.UNSAFE_STORAGE),
    "deflate twice": (with_filters(1, 1), Reason.UNSAFE_STORAGE),
    "scale and offset": (replaced(data=ONES.astype("i4"), chunks=(3, 4), scaleoffset=4), Reason.UNSAFE_STORAGE),
    "strings": (replaced(data=np.full((3, 4), b"1.0")), Reason.UNSAFE_STORAGE),
    "strings of any length": (
        replaced(data=np.full((3, 4), "1", dtype=object), dtype=h5py.string_dtype()),
        Reason.UNSAFE_STORAGE,
    ),
    "lists": (replaced(shape=(3, 4), dtype=h5py.vlen_dtype("f4")), Reason.UNSAFE_STORAGE),
    "enumeration": (replaced(shape=(3, 4), dtype=h5py.enum_dtype({"a": 1})), Reason.UNSAFE_STORAGE),
    "compound": (replaced(data=np.zeros((3, 4), [("a", "f4")])), Reason.UNSAFE_STORAGE),
    "arrays": (of_type(h5py.h5t.array_create(h5py.h5t.IEEE_F32LE, (2,))), Reason.UNSAFE_STORAGE),
    "opaque": (replaced(data=np.full((3, 4), np.void(b"abcd"))), Reason.UNSAFE_STORAGE),
    "complex": (replaced(data=ONES.astype("c8")), Reason.UNSAFE_STORAGE),
    "integers": (replaced(data=ONES.astype("i4")), Reason.UNSAFE_STORAGE),
    "booleans": (replaced(data=ONES.astype("?")), Reason.UNSAFE_STORAGE),
    "a bit field": (of_type(h5py.h5t.STD_B32LE), Reason.UNSAFE_STORAGE),
    "long doubles": (replaced(data=ONES.astype("longdouble")), Reason.UNSAFE_STORAGE),
    "floats with a bias of their own": (of_type(own_float(lambda kind: kind.set_ebias(64))), Reason.UNSAFE_STORAGE),
    "object references": (referenced(h5py.ref_dtype), Reason.UNSAFE_STORAGE),
    "region references": (referenced(h5py.regionref_dtype), Reason.UNSAFE_STORAGE),
    "NaN": (replaced(data=np.where(ONES, np.nan, 0).astype("f4")), Reason.NONFINITE_WEIGHTS),
    "infinity": (replaced(data=np.full((3, 4), -np.inf, "f8")), Reason.NONFINITE_WEIGHTS),
    "no layer names": (lambda file: file["model_weights"].attrs.pop("layer_names"), Reason.WEIGHTS_MISMATCH),
    "layer names as numbers": (attribute("layer_names", np.arange(3), "model_weights"), Reason.INVALID_CONFIG),
    "layer names as a table": (
        attribute("layer_names", np.array([[b"d1"]]), "model_weights"),
        Reason.INVALID_CONFIG,
    ),
    "layer names as one string": (attribute("layer_names", np.bytes_(b"d1"), "model_weights"), Reason.INVALID_CONFIG),
    "a layer twice": (attribute("layer_names", np.array([b"d1", b"d1"]), "model_weights"), Reason.WEIGHTS_MISMATCH),
    "a layer that is not there": (
        attribute("layer_names", np.array([b"d1", b"d2"]), "model_weights"),
        Reason.WEIGHTS_MISMATCH,
    ),
    "weight names permuted": (
        attribute("weight_names", np.array([b"d1/bias:0", b"d1/kernel:0"]), GROUP),
        Reason.WEIGHTS_MISMATCH,
    ),
    "a weight twice": (
        attribute("weight_names", np.array([b"d1/kernel:0", b"d1/kernel:0"]), GROUP),
        Reason.UNSAFE_STORAGE,
    ),
    "a weight too few": (attribute("weight_names", np.array([b"d1/kernel:0"]), GROUP), Reason.WEIGHTS_MISMATCH),
    "a path upwards": (
        attribute("weight_names", np.array([b"../d1/d1/kernel:0", b"d1/bias:0"]), GROUP),
        Reason.UNSAFE_STORAGE,
    ),
    "an absolute path": (
        attribute("weight_names", np.array([f"/{KERNEL}".encode(), b"d1/bias:0"]), GROUP),
        Reason.UNSAFE_STORAGE,
    ),
    "a name that ends early": (
        attribute("weight_names", np.array([b"d1/ker\0nel:0", b"d1/bias:0"]), GROUP),
        Reason.UNSAFE_STORAGE,
    ),
    "config as numbers": (attribute("model_config", np.arange(9.0)), Reason.INVALID_CONFIG),
    "config as a pickle": (attribute("model_config", np.void(b"\x80\x04K.")), Reason.INVALID_CONFIG),
    "config without a value": (attribute("model_config", h5py.Empty("S10")), Reason.INVALID_CONFIG),
    "config as a reference": (
        lambda file: file.attrs.create("model_config", file[KERNEL].ref, dtype=h5py.ref_dtype),
        Reason.INVALID_CONFIG,
    ),
    "no version": (attribute("keras_version", np.bytes_(b"../../etc")), Reason.UNSUPPORTED_DIALECT),
    "a version to come": (attribute("keras_version", np.bytes_(b"4.0.0")), Reason.UNSUPPORTED_DIALECT),
}


@pytest.mark.parametrize("what", FILES)
def test_files_are_refused(what: str, tmp_path: Path) -> None:
    edit, reason = FILES[what]
    assert refusal(write_model(tmp_path / "m.h5", edit=edit)).reason is reason


def test_arrays_that_share_bytes_are_refused(tmp_path: Path) -> None:
    assert refusal(one_place_for_two(tmp_path / "m.h5")).reason is Reason.UNSAFE_STORAGE


@pytest.mark.parametrize(
    ("limit", "value"),
    [
        ("file_bytes", 1_000),
        ("array_bytes", 47),
        ("weight_bytes", 60),
        ("parameters", 15),
        ("attribute_bytes", 100),
        ("attribute_items", 1),
        ("json_bytes", 100),
        ("json_depth", 3),
        ("json_values", 5),
        ("layers", 1),
        ("expanded_calls", 1),
        ("expansion", 3),
        ("tensor_values", 2),
        ("chunk_bytes", 47),
        ("inflated_bytes", 100_000),
    ],
)
def test_each_limit_is_kept_and_named_with_its_option(limit: str, value: int, tmp_path: Path) -> None:
    config, edit = sequential(dense(), layer("UpSampling1D", size=4)), replaced(data=ONES, chunks=(3, 4))
    if limit == "inflated_bytes":
        edit = replaced(data=np.zeros((3, 20_000), "f4"), chunks=(3, 20_000), compression="gzip", compression_opts=9)
    path = write_model(tmp_path / "m.h5", config, edit)
    with pytest.raises(MigrationError) as caught:
        inspect_source(path, limits=Limits(**{limit: value}))
    assert caught.value.reason is Reason.OVER_BUDGET
    assert f"{limit}={value:,}" in caught.value.message
    option = next(each.option for each in limit_options() if each.field == limit)
    assert option in caught.value.advice


def renamed(name: str) -> tuple[Any, Callable[[h5py.File], None]]:
    def edit(file: h5py.File) -> None:
        file.move(GROUP, f"model_weights/{name}")
        file["model_weights"].attrs["layer_names"] = np.array([name.encode()])

    return sequential(dense(name)), edit


@pytest.mark.parametrize(
    "name", ["层", "a\u202eb", "a\nb", "x" * 300, "=cmd()", "<b>", "$(id)", "a b", "NUL", "\U0001f40d"]
)
def test_odd_names_are_only_names(name: str, tmp_path: Path) -> None:
    config, edit = renamed(name)
    np.testing.assert_array_equal(read(write_model(tmp_path / "m.h5", config, edit))["kernel"].ravel(), np.arange(12))


UNUSUAL: dict[str, tuple[Callable[[h5py.File], None] | None, dict[str, Any]]] = {
    "user block": (None, {"userblock_size": 1024}),
    "latest format": (dense_attribute, {"libver": "latest"}),
    "earliest format": (None, {"libver": "earliest"}),
    "big-endian": (replaced(data=np.arange(12, dtype=">f4").reshape(3, 4)), {}),
    "half precision": (replaced(data=np.arange(12, dtype="f2").reshape(3, 4)), {}),
    "double precision": (replaced(data=np.arange(12, dtype=">f8").reshape(3, 4)), {}),
    "compressed": (
        replaced(data=np.arange(12, dtype="f4").reshape(3, 4), compression="gzip", shuffle=True, fletcher32=True),
        {},
    ),
    "resizable": (
        replaced(data=np.arange(12, dtype="f4").reshape(3, 4), maxshape=(None, None), chunks=(2, 3)),
        {},
    ),
    "names of variable length": (
        attribute("layer_names", np.array(["d1"], dtype=object), "model_weights", dtype=h5py.string_dtype()),
        {},
    ),
    "names in parts": (
        lambda file: (
            file["model_weights"].attrs.pop("layer_names"),
            attribute("layer_names0", np.array([b"d1"]), "model_weights")(file),
        )[1],
        {},
    ),
    "broken training config": (attribute("training_config", np.bytes_(b"{")), {}),
    "gadget as training config": (
        attribute("training_config", np.bytes_(json.dumps({"loss": FOREIGN, "metrics": [NEW_LAMBDA]}).encode())),
        {},
    ),
    "training config as numbers": (attribute("training_config", np.arange(3)), {}),
    "optimizer weights elsewhere": (
        lambda file: file.__setitem__("optimizer_weights", h5py.ExternalLink("/etc/passwd", "/")),
        {},
    ),
    "foreign attributes": (lambda file: file.attrs.update({f"junk{index}": index for index in range(500)}), {}),
}


@pytest.mark.parametrize("what", UNUSUAL)
def test_what_is_merely_unusual_is_read_exactly(what: str, tmp_path: Path) -> None:
    edit, options = UNUSUAL[what]
    kernel = read(write_model(tmp_path / "m.h5", edit=edit, **options))["kernel"]
    np.testing.assert_array_equal(kernel, np.arange(12).reshape(3, 4))


def test_reading_leaves_the_limits_of_the_process_as_they_were(tmp_path: Path) -> None:
    before = resource.getrlimit(resource.RLIMIT_AS)
    refusal(endless_names(tmp_path / "m.h5"))
    assert resource.getrlimit(resource.RLIMIT_AS) == before
