"""Small models, and one change to each that makes it hostile or damaged. Built anew: no such file is kept."""

from __future__ import annotations

import base64
import json
import marshal
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from transforms.errors import MigrationError
from transforms.inspection.inspect import inspect_source
from transforms.legacy.model import open_legacy_model

Edit = Callable[[h5py.File], None]


def dense(name: str = "d1", units: Any = 4, **options: Any) -> dict[str, Any]:
    return {"class_name": "Dense", "config": {"name": name, "units": units, "activation": "linear", **options}}


def sequential(*layers: dict[str, Any]) -> dict[str, Any]:
    first, *others = layers or (dense(),)
    first = {**first, "config": {"batch_input_shape": [None, 3], **first["config"]}}
    return {"class_name": "Sequential", "config": {"name": "m", "layers": [first, *others]}}


def layer(kind: str, **options: Any) -> dict[str, Any]:
    return {"class_name": kind, "config": {"name": options.pop("name", "odd"), **options}}


def functional(*layers: dict[str, Any], outputs: Any, inputs: Any = (("x", 0, 0),)) -> dict[str, Any]:
    entry = {
        "class_name": "InputLayer",
        "name": "x",
        "config": {"name": "x", "batch_input_shape": [None, 3]},
        "inbound_nodes": [],
    }
    config = {"name": "m", "layers": [entry, *layers], "input_layers": list(inputs), "output_layers": outputs}
    return {"class_name": "Model", "config": config}


def called(item: dict[str, Any], *on: str) -> dict[str, Any]:
    return {**item, "name": item["config"]["name"], "inbound_nodes": [[[name, 0, 0, {}] for name in on]]}


def write_model(path: Path, config: Any = None, edit: Edit | None = None, **options: Any) -> Path:
    """A Dense d1 from 3 to 4 units; `config` takes the place of its architecture, `edit` changes the file."""
    with h5py.File(path, "w", **options) as file:
        text = config if isinstance(config, (str, bytes)) else json.dumps(config or sequential())
        file.attrs["model_config"] = np.bytes_(text if isinstance(text, bytes) else text.encode())
        file.attrs["keras_version"] = np.bytes_(b"2.2.4")
        file.attrs["backend"] = np.bytes_(b"tensorflow")
        weights = file.create_group("model_weights")
        weights.attrs["layer_names"] = np.array([b"d1"])
        group = weights.create_group("d1")
        group.attrs["weight_names"] = np.array([b"d1/kernel:0", b"d1/bias:0"])
        group["d1/kernel:0"] = np.arange(12, dtype="f4").reshape(3, 4)
        group["d1/bias:0"] = np.ones(4, "f4")
        if edit is not None:
            edit(file)
    return path


KERNEL = "model_weights/d1/d1/kernel:0"
GROUP = "model_weights/d1"


def replaced(path: str = KERNEL, **storage: Any) -> Edit:
    """The dataset made anew, as `create_dataset` is told."""

    def edit(file: h5py.File) -> None:
        del file[path]
        file.create_dataset(path, **storage)

    return edit


def linked(link: Any, path: str = KERNEL) -> Edit:
    def edit(file: h5py.File) -> None:
        del file[path]
        file[path] = link

    return edit


def attribute(name: str, value: Any, path: str = "/", **create: Any) -> Edit:
    def edit(file: h5py.File) -> None:
        file[path].attrs.create(name, value, **create)

    return edit


def of_type(kind: Any) -> Edit:
    """The kernel with an HDF5 type that NumPy may not have a name for."""

    def edit(file: h5py.File) -> None:
        del file[KERNEL]
        parent, name = KERNEL.rsplit("/", 1)
        h5py.h5d.create(file[parent].id, name.encode(), kind, h5py.h5s.create_simple((3, 4)))

    return edit


def with_filters(*codes: int) -> Edit:
    """The kernel as a chunked dataset with these filters, each optional: HDF5 writes without those it lacks."""

    def edit(file: h5py.File) -> None:
        del file[KERNEL]
        parent, name = KERNEL.rsplit("/", 1)
        properties = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        properties.set_chunk((3, 4))
        for code in codes:
            properties.set_filter(code, h5py.h5z.FLAG_OPTIONAL, (4,))
        dataset = h5py.h5d.create(
            file[parent].id, name.encode(), h5py.h5t.IEEE_F32LE, h5py.h5s.create_simple((3, 4)), properties
        )
        dataset.write(h5py.h5s.ALL, h5py.h5s.ALL, np.ones((3, 4), "f4"))

    return edit


def virtual(source: str) -> Edit:
    def edit(file: h5py.File) -> None:
        del file[KERNEL]
        layout = h5py.VirtualLayout((3, 4), "f4")
        layout[:] = h5py.VirtualSource(source, KERNEL, (3, 4))
        file.create_virtual_dataset(KERNEL, layout)

    return edit


def partly_written(file: h5py.File) -> None:
    del file[KERNEL]
    file.create_dataset(KERNEL, (3, 4), "f4", chunks=(1, 4), fillvalue=7.0)[:2] = 1


def circle_of_groups(file: h5py.File) -> None:
    file[f"{GROUP}/round"] = file[GROUP]
    file[GROUP].attrs["weight_names"] = np.array([("round/" * 300 + "kernel:0").encode(), b"d1/bias:0"], dtype="S")


def one_group_for_all(file: h5py.File) -> None:
    weights = file["model_weights"]
    names = [f"a{index}".encode() for index in range(3_000)]
    for name in names:
        weights[name.decode()] = file[GROUP]
    weights.attrs["layer_names"] = np.array([b"d1", *names])


def referenced(kind: Any) -> Edit:
    def edit(file: h5py.File) -> None:
        reference = file[KERNEL].ref if kind is h5py.ref_dtype else file[KERNEL].regionref[:1]
        del file[KERNEL]
        file.create_dataset(KERNEL, data=np.array([[reference] * 4] * 3, dtype=kind), dtype=kind)

    return edit


def dense_attribute(file: h5py.File) -> None:
    """Beyond 64 KiB an attribute is kept in the dense storage of the latest format."""
    file.attrs.create("junk", np.zeros(1 << 20, "u1"))


def one_place_for_two(path: Path) -> Path:
    """The bias, given the place of the kernel's data."""
    with h5py.File(write_model(path)) as file:
        kernel, bias = (file[name].id.get_offset() for name in (KERNEL, f"{GROUP}/d1/bias:0"))
    data = path.read_bytes()
    assert data.count(struct.pack("<Q", bias)) == 1
    path.write_bytes(data.replace(struct.pack("<Q", bias), struct.pack("<Q", kernel)))
    return path


def endless_names(path: Path) -> Path:
    """A megabyte that thousands of names refer to: HDF5 reads a gigabyte out of it."""
    count, size = 3_000, 1_000_000
    names = np.array(["Q" * size, *("s" for _ in range(count - 1))], dtype=object)
    edit = attribute("layer_names", names, "model_weights", dtype=h5py.string_dtype("ascii"))
    data = bytearray(write_model(path, edit=edit).read_bytes())
    at = data.index(struct.pack("<I", size), 0)
    while data[at + 16 : at + 20] != struct.pack("<I", 1):
        at = data.index(struct.pack("<I", size), at + 1)
    for index in range(count):
        data[at + 16 * index : at + 16 * index + 16] = data[at : at + 16]
    path.write_bytes(data)
    return path


def dumped(function: Any) -> list[Any]:
    """A function as Keras stores it."""
    return [base64.encodebytes(marshal.dumps(function.__code__)).decode(), None, None]


def bytecode() -> list[Any]:
    return dumped(lambda x: __import__("os").system("echo"))


LAMBDA = {"class_name": "Lambda", "config": {"name": "l", "function": bytecode(), "function_type": "lambda"}}
NEW_LAMBDA = {"class_name": "__lambda__", "config": {"code": bytecode()[0], "defaults": None, "closure": None}}
FOREIGN = {"module": "os", "class_name": "system", "config": {}, "registered_name": None}


def twice_as_deep(levels: int) -> dict[str, Any]:
    """Each model calls the one within it twice."""
    inner: dict[str, Any] = sequential(dense("d"))
    inner["config"]["name"] = "m0"
    for level in range(1, levels):
        name = inner["config"]["name"]
        shared = {**inner, "name": name, "inbound_nodes": [[["x", 0, 0, {}]], [[name, 1, 0, {}]]]}
        inner = functional(shared, outputs=[[name, 2, 0]])
        inner["config"]["name"] = f"m{level}"
    return inner


def read(path: Path) -> dict[str, Any]:
    """Everything a migration reads, by role."""
    inspect_source(path)
    with open_legacy_model(path) as model:
        return {role: array for held in model.arrays for role, array in model.weights_of(held).items()}


def refusal(path: Path) -> MigrationError:
    with pytest.raises(MigrationError) as caught:
        read(path)
    assert len(str(caught.value)) < 2_000
    return caught.value
