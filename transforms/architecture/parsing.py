"""Converts the stored `model_config` (already parsed JSON) to an `architecture.Graph`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from transforms.architecture.calls import call_bases, parse_boundary, parse_calls, rebased, rebased_call
from transforms.architecture.config_values import as_list, as_mapping, as_text, qualified_name
from transforms.architecture.graph import MODEL_CLASSES, Call, Graph, Layer, LayerPath, TensorRef
from transforms.architecture.nesting import refuse_deep_nesting
from transforms.errors import MigrationError, Reason
from transforms.limits import DEFAULT_LIMITS, Limits

#: Config keys under which a wrapper holds one layer, and its slot name.
WRAPPED_KEYS: Mapping[str, tuple[tuple[str, str], ...]] = {
    "Bidirectional": (("layer", "forward"), ("backward_layer", "backward")),
    "TimeDistributed": (("layer", "layer"),),
    "SpectralNormalization": (("layer", "layer"),),
    "RNN": (("cell", "cell"),),
    "ConvRNN2D": (("cell", "cell"),),
}

#: Marks the config of an input layer that is not in the file.
IMPLIED = "implied"


def parse_architecture(model_config: object, limits: Limits = DEFAULT_LIMITS) -> Graph:
    """Parses `{"class_name": "Sequential" | "Model" | "Functional", "config": ...}`.

    Raises:
        MigrationError: `invalid_config` when a field is missing, of the wrong type, or refers to a layer
            or call that does not exist; `custom_objects_needed` when the root is not a model; `over_budget` when
            models or wrappers nest deeper than the limit.
    """
    refuse_deep_nesting(model_config, limits)
    root = as_mapping(model_config, (), "model config")
    class_name = as_text(root.get("class_name"), (), "class_name")
    if class_name not in MODEL_CLASSES and not _looks_like_a_graph(root.get("config")):
        raise MigrationError(
            Reason.CUSTOM_OBJECTS_NEEDED,
            f"The root of the model is of the class {class_name!r}, which is not a Keras model class",
            advice="Provide the class with custom_objects and --allow-custom-code, or save a functional model.",
        )
    return _graph(class_name, root.get("config"), path=(), name="")


def _looks_like_a_graph(config: object) -> bool:
    return isinstance(config, Mapping) and {"layers", "input_layers", "output_layers"} <= set(config)


def _graph(class_name: str, config: object, path: LayerPath, name: str) -> Graph:
    if class_name == "Sequential":
        return _sequential(config, path, name)
    fields = as_mapping(config, path, "config")
    graph_name = str(fields.get("name") or name or class_name.lower())
    stored = [as_mapping(item, path, "layer") for item in as_list(fields.get("layers"), path, "layers")]
    names = [_layer_name(item, path, index) for index, item in enumerate(stored)]
    _unique(names, path)
    classes = {
        n: as_text(item.get("class_name"), (*path, n), "class_name") for n, item in zip(names, stored, strict=True)
    }
    calls = {n: parse_calls(item.get("inbound_nodes", []), (*path, n)) for n, item in zip(names, stored, strict=True)}
    inputs = parse_boundary(fields.get("input_layers"), path, "input_layers")
    outputs = parse_boundary(fields.get("output_layers"), path, "output_layers")
    bases, outer_bases = _bases(stored, classes, calls, (*inputs, *outputs))
    layers = tuple(
        _layer(item, n, (*path, n), tuple(rebased_call(call, bases, calls, path) for call in calls[n]))
        for n, item in zip(names, stored, strict=True)
    )
    return Graph(
        class_name=class_name,
        name=graph_name,
        path=path,
        config=fields,
        layers=layers,
        inputs=tuple(_entry(rebased(ref, outer_bases, calls, path), layers, path) for ref in inputs),
        outputs=tuple(rebased(ref, outer_bases, calls, path) for ref in outputs),
    )


def _bases(
    stored: Sequence[Mapping[str, Any]],
    classes: Mapping[str, str],
    calls: Mapping[str, tuple[Call, ...]],
    boundary: Sequence[TensorRef],
) -> tuple[Mapping[str, int], Mapping[str, int]]:
    """The first call number, in connections between layers and in `input_layers` and `output_layers`.

    Keras 3 counts connections from 0, but in the latter the calls of a nested functional model from 1
    (`Functional.get_config` and `serialize_node` in keras/src/models/functional.py).
    """
    if not any(isinstance(node, Mapping) for item in stored for node in item.get("inbound_nodes") or ()):
        bases = call_bases(classes, calls, boundary)
        return bases, bases
    functional = MODEL_CLASSES - {"Sequential"}
    return dict.fromkeys(classes, 0), {
        name: int(kind in functional and bool(calls[name])) for name, kind in classes.items()
    }


def _entry(ref: TensorRef, layers: tuple[Layer, ...], path: LayerPath) -> TensorRef:
    """The input layer behind an entry of `input_layers`.

    Keras 1 names the layer that last returned the input tensor itself, e.g. an ActivityRegularization.
    """
    by_name = {layer.name: layer for layer in layers}
    for _ in layers:
        layer = by_name[ref.layer]
        if not layer.calls:
            return ref
        ref = layer.calls[ref.call].inputs[0]
    raise MigrationError(Reason.INVALID_CONFIG, f"The input {ref.layer!r} has no input layer", layer=path)


def _sequential(config: object, path: LayerPath, name: str) -> Graph:
    """A Sequential config is a list of layers (Keras 1 to 2.2.2) or a dict that holds it (2.2.3 on)."""
    fields: Mapping[str, Any] = {"layers": config} if isinstance(config, list) else as_mapping(config, path, "config")
    stored = [as_mapping(item, path, "layer") for item in as_list(fields.get("layers"), path, "layers")]
    if not stored:
        raise MigrationError(Reason.INVALID_CONFIG, "A Sequential model holds no layers", layer=path)
    names = [_layer_name(item, path, index) for index, item in enumerate(stored)]
    _unique(names, path)
    if stored[0].get("class_name") == "Merge":
        return _sequential_after_merge(stored, names, fields, path)
    layers: list[Layer] = []
    if stored[0].get("class_name") != "InputLayer":
        layers.append(_implied_input(stored[0], names[0], fields, path))
    for item, layer_name in zip(stored, names, strict=True):
        calls = (Call((TensorRef(layers[-1].name),)),) if layers else ()
        layers.append(_layer(item, layer_name, (*path, layer_name), calls))
    return Graph(
        class_name="Sequential",
        name=str(fields.get("name") or name or "sequential"),
        path=path,
        config=fields,
        layers=tuple(layers),
        inputs=(TensorRef(layers[0].name),),
        outputs=(TensorRef(layers[-1].name),),
    )


def _sequential_after_merge(
    stored: list[Mapping[str, Any]], names: list[str], fields: Mapping[str, Any], path: LayerPath
) -> Graph:
    """A Keras 1 Sequential that begins with a Merge of branches, each a model or a layer.

    Keras 1 saves the branches' layers as layers of the outer model (`Sequential.flattened_layers` in
    keras/models.py, 1.2.2), so they become that here. Such a model takes a list and stores no names for its inputs:
    implied input layers get the branch's number as a prefix, so that their names sort in the order of the list.
    """
    merge_config = as_mapping(stored[0].get("config"), (*path, names[0]), "config")
    held = as_list(merge_config.get("layers"), (*path, names[0]), "layers")
    branches = [_branch(item, index, path) for index, item in enumerate(held)]
    layers = {layer.name: layer for branch in branches for layer in branch.layers}
    merged = Call(tuple(ref for branch in branches for ref in branch.outputs))
    previous = merged
    for item, name in zip(stored, names, strict=True):
        layers[name] = _layer(item, name, (*path, name), (previous,))
        previous = Call((TensorRef(name),))
    return Graph(
        class_name="Sequential",
        name=str(fields.get("name") or "sequential"),
        path=path,
        config=fields,
        layers=tuple(layers.values()),
        inputs=tuple(ref for branch in branches for ref in branch.inputs),
        outputs=(TensorRef(names[-1]),),
    )


def _branch(item: object, index: int, path: LayerPath) -> Graph:
    fields = as_mapping(item, path, "branch")
    class_name = as_text(fields.get("class_name"), path, "class_name")
    if class_name not in MODEL_CLASSES:
        branch = _graph("Sequential", [fields], path, "")
    else:
        branch = _graph(class_name, fields.get("config"), path, "")
    first, *others = branch.layers
    if branch.class_name != "Sequential" or len(branch.inputs) != 1 or not first.config.get(IMPLIED):
        return branch
    name = f"x{index}_{first.name}"
    numbered = replace(first, name=name, path=(*path, name), config={**first.config, "name": name})
    second = replace(others[0], calls=(Call((TensorRef(name),)),))
    return replace(branch, layers=(numbered, second, *others[1:]), inputs=(TensorRef(name),))


def _implied_input(first: Mapping[str, Any], name: str, fields: Mapping[str, Any], path: LayerPath) -> Layer:
    """The input layer that Keras makes for a Sequential whose first layer states the input shape.

    The shape is in the first layer's `batch_input_shape`; if that layer is itself a model or a wrapper, in its own
    first layer; in tf.keras 2.x also in the model's `build_input_shape`.
    """
    shape, dtype = _stated_input(first)
    if shape is None:
        shape = fields.get("build_input_shape")
    input_name = f"{name}_input"
    config = {"name": input_name, "batch_input_shape": shape, "dtype": dtype, IMPLIED: True}
    return Layer("InputLayer", input_name, (*path, input_name), config)


def _stated_input(item: object) -> tuple[Any, Any]:
    if not isinstance(item, Mapping):
        return None, None
    config = item.get("config")
    if isinstance(config, list):
        return _stated_input(config[0]) if config else (None, None)
    if not isinstance(config, Mapping):
        return None, None
    shape = config.get("batch_input_shape", config.get("batch_shape"))
    if shape is not None:
        return shape, config.get("dtype", config.get("input_dtype"))
    layers = config.get("layers")
    return _stated_input(layers[0]) if isinstance(layers, list) and layers else (None, None)


def _layer(item: Mapping[str, Any], name: str, path: LayerPath, calls: tuple[Call, ...]) -> Layer:
    class_name = qualified_name(item, as_text(item.get("class_name"), path, "class_name"))
    config = item.get("config")
    if class_name in MODEL_CLASSES:
        graph = _graph(class_name, config, path, name)
        return Layer(class_name, name, path, graph.config, calls, graph=graph)
    fields = as_mapping(config, path, "config")
    return Layer(class_name, name, path, fields, calls, slots=_slots(class_name, fields, path))


def _slots(class_name: str, config: Mapping[str, Any], path: LayerPath) -> Mapping[str, Layer]:
    if class_name == "StackedRNNCells":
        cells = as_list(config.get("cells"), path, "cells")
        held = {str(index): cell for index, cell in enumerate(cells)}
    else:
        keys = WRAPPED_KEYS.get(class_name, ())
        held = {slot: config[key] for key, slot in keys if config.get(key) is not None}
        if keys and not held:
            raise MigrationError(Reason.INVALID_CONFIG, f"A {class_name} wraps no layer", layer=path)
    slots = {}
    for slot, item in held.items():
        fields = as_mapping(item, (*path, slot), "wrapped layer")
        inner = _layer(fields, slot, (*path, slot), ())
        inner_config = inner.config if isinstance(inner.config, Mapping) else {}
        slots[slot] = replace(inner, name=str(inner_config.get("name") or slot))
    return slots


def _layer_name(item: Mapping[str, Any], path: LayerPath, index: int) -> str:
    config = item.get("config")
    name = item.get("name") or (config.get("name") if isinstance(config, Mapping) else None)
    if name is None:
        name = f"{str(item.get('class_name', 'layer')).lower()}_{index + 1}"
    return as_text(name, path, "layer name")


def _unique(names: Sequence[str], path: LayerPath) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise MigrationError(Reason.INVALID_CONFIG, f"Two layers are named {name!r}", layer=path)
        seen.add(name)
