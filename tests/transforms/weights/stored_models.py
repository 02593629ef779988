"""Models as configs and weight listings, for tests of what is assigned to what."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from transforms.architecture.graph import Graph, Layer, LayerPath
from transforms.architecture.loader_order import with_loader_order
from transforms.architecture.parsing import parse_architecture
from transforms.source.hdf5.objects import HDF5Array
from transforms.source.stored_array import StoredArray

#: Shapes of 4-unit layers by role.
_SHAPES = {"kernel": (4, 4), "W": (4, 4)}


def stored(name: str, *shape: int) -> StoredArray:
    """An array of that name in a file; without a shape that of a layer of 4 units."""
    role = name.rsplit("/", 1)[-1].split(":")[0].rsplit("_", 1)[-1 if "/" not in name else 0]
    return HDF5Array(name, shape or _SHAPES.get(role, (4,)), np.dtype("f4"), None)


def listed(names: str | Iterable[str]) -> list[StoredArray]:
    """Arrays of these names, in order."""
    return [stored(name) for name in (names.split() if isinstance(names, str) else names)]


def dense(name: str, **config: Any) -> dict[str, Any]:
    return {"class_name": "Dense", "config": {"name": name, "units": 4, **config}}


def norm(name: str, **config: Any) -> dict[str, Any]:
    return {"class_name": "BatchNormalization", "config": {"name": name, "axis": -1, **config}}


def wrapped(class_name: str, name: str, layer: Mapping[str, Any], **config: Any) -> dict[str, Any]:
    return {"class_name": class_name, "config": {"name": name, "layer": layer, **config}}


def sequential(name: str, *layers: Mapping[str, Any], **config: Any) -> dict[str, Any]:
    return {"class_name": "Sequential", "config": {"name": name, "layers": list(layers), **config}}


def graph_of(*layers: Mapping[str, Any]) -> Graph:
    """A Sequential of these layers, with the loader's order stated."""
    return with_loader_order(parse_architecture(sequential("model", *layers)))


def layer_of(layer: Mapping[str, Any]) -> Layer:
    """The one layer of a model around it."""
    return graph_of(layer).layers[-1]


def names(assigned: Mapping[LayerPath, Mapping[str, StoredArray]]) -> dict[str, str]:
    """Stored names by place, e.g. `inner/d1:kernel`."""
    return {f"{'/'.join(path)}:{role}": a.name for path, held in assigned.items() for role, a in held.items()}


def functional(links: Mapping[str, Sequence[str]], outputs: Sequence[str], stored_order: str = "") -> Graph:
    """A functional model of Dense layers by what each is called on, one call after the other; inputs on nothing.

    The outputs are those of the last calls.
    """
    layers = [
        {
            "name": name,
            "class_name": "Dense" if sources else "InputLayer",
            "config": {"name": name, "units": 4, "batch_input_shape": [None, 4]},
            "inbound_nodes": [[[source, 0, 0, {}]] for source in sources],
        }
        for name, sources in ((name, links[name]) for name in (stored_order.split() or links))
    ]
    entries = [[name, 0, 0] for name, sources in links.items() if not sources]
    exits = [[name, max(0, len(links[name]) - 1), 0] for name in outputs]
    config = {"layers": layers, "input_layers": entries, "output_layers": exits}
    return parse_architecture({"class_name": "Model", "config": config})
