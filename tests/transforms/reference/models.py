"""Small models for tests of the forward pass, written the way a file holds them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from transforms.architecture.graph import Graph, LayerPath
from transforms.architecture.parsing import parse_architecture
from transforms.reference import WeightsOf
from transforms.reference.layer_call import Array

#: A config as JSON holds it.
Json = dict[str, Any]


def layer(class_name: str, name: str = "", **config: Any) -> Json:
    """A layer as it stands in a Sequential or inside a wrapper."""
    return {"class_name": class_name, "config": {"name": name or class_name.lower(), **config}}


def node(class_name: str, name: str, *calls: Sequence[Any], **config: Any) -> Json:
    """A layer of a functional model. Each call lists its inputs: names, or `(name, call, tensor)`."""
    inbound = [[[ref, 0, 0, {}] if isinstance(ref, str) else [*ref, {}] for ref in call] for call in calls]
    return {"class_name": class_name, "name": name, "config": {"name": name, **config}, "inbound_nodes": inbound}


def placeholder(name: str, shape: Sequence[int | None] = (None, None, 2), **config: Any) -> Json:
    """An input layer."""
    return node("InputLayer", name, batch_input_shape=list(shape), dtype="float32", sparse=False, **config)


def functional(layers: Sequence[Json], outputs: Sequence[Any], name: str = "model") -> Json:
    """A functional model: its input layers are its inputs, in order."""
    refs = [[ref, 0, 0] if isinstance(ref, str) else list(ref) for ref in outputs]
    inputs = [[item["name"], 0, 0] for item in layers if item["class_name"] == "InputLayer"]
    return {
        "class_name": "Model",
        "config": {"name": name, "layers": list(layers), "input_layers": inputs, "output_layers": refs},
    }


def sequential(*layers: Json, name: str = "sequential") -> Json:
    """A Sequential."""
    return {"class_name": "Sequential", "config": {"name": name, "layers": list(layers)}}


def nested(model: Json, name: str, *calls: Sequence[Any]) -> Json:
    """A model as a layer of a functional one."""
    held = node(model["class_name"], name, *calls)
    return {**held, "config": {**model["config"], "name": name}}


def parse(model: Json) -> Graph:
    """The graph of a model."""
    return parse_architecture(model)


def weights(held: Mapping[LayerPath, Mapping[str, Array]]) -> WeightsOf:
    """The arrays of a model by layer path; layers not named have none."""
    return lambda path: held.get(path, {})
