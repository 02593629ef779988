"""From the stored `model_config` (already parsed JSON) to an `architecture.Graph`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from transforms.architecture import MODEL_CLASSES, Call, Graph, Layer, LayerPath, TensorRef
from transforms.errors import MigrationError, Reason

#: Config keys under which a wrapper holds one layer, and the slot name it gets.
WRAPPED_KEYS: Mapping[str, tuple[tuple[str, str], ...]] = {
    "Bidirectional": (("layer", "forward"), ("backward_layer", "backward")),
    "TimeDistributed": (("layer", "layer"),),
    "RNN": (("cell", "cell"),),
    "ConvRNN2D": (("cell", "cell"),),
}

#: Deeper nesting than this is refused before anything is built.
MAX_NESTING = 32


def parse_architecture(model_config: object) -> Graph:
    """Parses `{"class_name": "Sequential" | "Model" | "Functional", "config": ...}`.

    Raises:
        MigrationError: `invalid_config` when a field is missing, of the wrong type, or refers to a layer
            or call that does not exist; `not_a_model` when the root is not a model; `over_budget` when
            models nest deeper than MAX_NESTING.
    """
    root = _mapping(model_config, (), "model config")
    class_name = _text(root.get("class_name"), (), "class_name")
    if class_name not in MODEL_CLASSES and not _looks_like_a_graph(root.get("config")):
        raise MigrationError(
            Reason.CUSTOM_OBJECTS_NEEDED,
            f"The root of the model is of the class {class_name!r}, which is not a Keras model class",
            advice="Bring the class with custom_objects and --allow-custom-code, or save a functional model.",
        )
    return _graph(class_name, root.get("config"), path=(), name="")


def _looks_like_a_graph(config: object) -> bool:
    return isinstance(config, Mapping) and {"layers", "input_layers", "output_layers"} <= set(config)


def _graph(class_name: str, config: object, path: LayerPath, name: str) -> Graph:
    if len(path) > MAX_NESTING:
        raise MigrationError(
            Reason.OVER_BUDGET,
            f"Models nest deeper than {MAX_NESTING}",
            layer=path[:3],
            advice="Flatten the model before saving it.",
        )
    if class_name == "Sequential":
        return _sequential(config, path, name)
    fields = _mapping(config, path, "config")
    graph_name = str(fields.get("name") or name or class_name.lower())
    stored = [_mapping(item, path, "layer") for item in _list(fields.get("layers"), path, "layers")]
    names = [_layer_name(item, path, index) for index, item in enumerate(stored)]
    _unique(names, path)
    classes = {n: _text(item.get("class_name"), (*path, n), "class_name") for n, item in zip(names, stored, strict=True)}
    calls = {n: _calls(item.get("inbound_nodes", []), (*path, n)) for n, item in zip(names, stored, strict=True)}
    inputs = _boundary(fields.get("input_layers"), path, "input_layers")
    outputs = _boundary(fields.get("output_layers"), path, "output_layers")
    bases = _call_bases(classes, calls, (*inputs, *outputs))
    layers = tuple(
        _layer(item, n, (*path, n), tuple(_rebased_call(call, bases, calls, path) for call in calls[n]))
        for n, item in zip(names, stored, strict=True)
    )
    return Graph(
        class_name=class_name,
        name=graph_name,
        path=path,
        config=fields,
        layers=layers,
        inputs=tuple(_rebased(ref, bases, calls, path) for ref in inputs),
        outputs=tuple(_rebased(ref, bases, calls, path) for ref in outputs),
    )


def _sequential(config: object, path: LayerPath, name: str) -> Graph:
    """A Sequential config is a list of layers (Keras 1 to 2.2.2) or a dict that holds it (2.2.3 on)."""
    fields: Mapping[str, Any] = {"layers": config} if isinstance(config, list) else _mapping(config, path, "config")
    stored = [_mapping(item, path, "layer") for item in _list(fields.get("layers"), path, "layers")]
    if not stored:
        raise MigrationError(Reason.INVALID_CONFIG, "A Sequential model holds no layers", layer=path)
    names = [_layer_name(item, path, index) for index, item in enumerate(stored)]
    _unique(names, path)
    layers: list[Layer] = []
    first_class = stored[0].get("class_name")
    if first_class != "InputLayer":
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


def _implied_input(first: Mapping[str, Any], name: str, fields: Mapping[str, Any], path: LayerPath) -> Layer:
    """The input layer that Keras makes for a Sequential whose first layer states the input shape.

    The shape stands in the first layer's `batch_input_shape`; where that layer is itself a model or a wrapper,
    in its own first layer; in tf.keras 2.x also in the model's `build_input_shape`.
    """
    shape, dtype = _stated_input(first)
    if shape is None:
        shape = fields.get("build_input_shape")
    input_name = f"{name}_input"
    config = {"name": input_name, "batch_input_shape": shape, "dtype": dtype, "sparse": False}
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
    class_name = _text(item.get("class_name"), path, "class_name")
    config = item.get("config")
    if class_name in MODEL_CLASSES:
        graph = _graph(class_name, config, path, name)
        return Layer(class_name, name, path, graph.config, calls, graph=graph)
    fields = _mapping(config, path, "config")
    return Layer(class_name, name, path, fields, calls, slots=_slots(class_name, fields, path))


def _slots(class_name: str, config: Mapping[str, Any], path: LayerPath) -> Mapping[str, Layer]:
    if len(path) > 2 * MAX_NESTING:
        raise MigrationError(Reason.OVER_BUDGET, f"Wrappers nest deeper than {MAX_NESTING}", layer=path[:3])
    if class_name == "StackedRNNCells":
        cells = _list(config.get("cells"), path, "cells")
        held = {str(index): cell for index, cell in enumerate(cells)}
    else:
        keys = WRAPPED_KEYS.get(class_name, ())
        held = {slot: config[key] for key, slot in keys if config.get(key) is not None}
        if keys and not held:
            raise MigrationError(Reason.INVALID_CONFIG, f"A {class_name} wraps no layer", layer=path)
    slots = {}
    for slot, item in held.items():
        fields = _mapping(item, (*path, slot), "wrapped layer")
        inner = _layer(fields, slot, (*path, slot), ())
        inner_config = inner.config if isinstance(inner.config, Mapping) else {}
        slots[slot] = replace(inner, name=str(inner_config.get("name") or slot))
    return slots


def _calls(inbound: object, path: LayerPath) -> tuple[Call, ...]:
    return tuple(_call(node, path) for node in _list(inbound, path, "inbound_nodes"))


def _call(node: object, path: LayerPath) -> Call:
    """One inbound node: `[[layer, call, tensor, kwargs?], ...]`, or Keras 3's `{"args": ..., "kwargs": ...}`."""
    if isinstance(node, Mapping):
        inputs = tuple(_keras_3_tensors(node.get("args", [])))
        kwargs = {key: value for key, value in _mapping(node.get("kwargs", {}), path, "kwargs").items() if value}
        return Call(inputs, {key: _keras_3_argument(value) for key, value in kwargs.items()})
    entries = _list(node, path, "inbound node")
    if entries and isinstance(entries[0], str):
        entries = [entries]
    inputs, kwargs = [], {}
    for entry in entries:
        fields = _list(entry, path, "inbound tensor")
        inputs.append(_ref(fields, path))
        if len(fields) > 3 and fields[3]:
            kwargs.update({str(key): _argument(value) for key, value in _mapping(fields[3], path, "kwargs").items()})
    return _with_states_as_inputs(Call(tuple(inputs), {key: value for key, value in kwargs.items() if value not in (None, [])}))


def _with_states_as_inputs(call: Call) -> Call:
    """tf.keras 1.15 to 2.3 store a Bidirectional's initial states as a call argument; everyone else as inputs."""
    states = tuple(_refs_among([call.kwargs.get("initial_state")]))
    if not states:
        return call
    kwargs = {key: value for key, value in call.kwargs.items() if key != "initial_state"}
    return Call((*call.inputs, *(ref for ref in states if ref not in call.inputs)), kwargs)


def _argument(value: object) -> object:
    """Tensors among the stored call arguments (`["layer", 0, 0]`, possibly in lists) become references."""
    if isinstance(value, list):
        if len(value) == 3 and isinstance(value[0], str) and all(type(item) is int for item in value[1:]):
            return TensorRef(value[0], value[1], value[2])
        return [_argument(item) for item in value]
    return value


def _keras_3_tensors(value: object) -> Iterable[TensorRef]:
    if isinstance(value, Mapping) and value.get("class_name") == "__keras_tensor__":
        layer, call, tensor = value["config"]["keras_history"]
        yield TensorRef(str(layer), int(call), int(tensor))
    elif isinstance(value, list):
        for item in value:
            yield from _keras_3_tensors(item)


def _keras_3_argument(value: object) -> object:
    found = list(_keras_3_tensors(value))
    if not found:
        return value
    return found if isinstance(value, list) else found[0]


def _boundary(value: object, path: LayerPath, what: str) -> tuple[TensorRef, ...]:
    """`input_layers` / `output_layers`: a list of references, or a single bare one."""
    if isinstance(value, Mapping):
        value = list(value.values())
    entries = _list(value, path, what)
    if entries and isinstance(entries[0], str):
        entries = [entries]
    flat: list[Any] = []
    for entry in entries:
        nested = isinstance(entry, list) and bool(entry) and isinstance(entry[0], list)
        flat.extend(entry if nested else [entry])
    return tuple(_ref(_list(entry, path, what), path) for entry in flat)


def _ref(fields: Sequence[Any], path: LayerPath) -> TensorRef:
    if len(fields) < 3 or not isinstance(fields[0], str) or not all(type(item) is int for item in fields[1:3]):
        raise MigrationError(
            Reason.INVALID_CONFIG, f"A connection is not [layer, call, tensor]: {str(fields)[:80]}", layer=path
        )
    return TensorRef(fields[0], fields[1], fields[2])


def _call_bases(
    classes: Mapping[str, str], calls: Mapping[str, tuple[Call, ...]], boundary: Iterable[TensorRef]
) -> Mapping[str, int]:
    """Where each layer's call numbers start in this file.

    A nested model that was built with its own inputs has one call, number 0, that belongs to itself; the calls
    of the outer graph then count from 1 (Keras 2 `Network.get_config`: "Networks start with a pre-existing
    node"). A nested model without inputs of its own, and every other layer, counts from 0.
    """
    used: dict[str, set[int]] = {name: set() for name in classes}
    for call in (call for layer_calls in calls.values() for call in layer_calls):
        for ref in (*call.inputs, *_refs_among(call.kwargs.values())):
            used.setdefault(ref.layer, set()).add(ref.call)
    for ref in boundary:
        used.setdefault(ref.layer, set()).add(ref.call)
    return {
        name: int(class_name in MODEL_CLASSES and bool(calls[name]) and 0 not in used[name])
        for name, class_name in classes.items()
    }


def _refs_among(values: Iterable[object]) -> Iterable[TensorRef]:
    for value in values:
        if isinstance(value, TensorRef):
            yield value
        elif isinstance(value, list):
            yield from _refs_among(value)


def _rebased_call(
    call: Call, bases: Mapping[str, int], calls: Mapping[str, tuple[Call, ...]], path: LayerPath
) -> Call:
    def argument(value: object) -> object:
        if isinstance(value, TensorRef):
            return _rebased(value, bases, calls, path)
        return [argument(item) for item in value] if isinstance(value, list) else value

    inputs = tuple(_rebased(ref, bases, calls, path) for ref in call.inputs)
    return Call(inputs, {key: argument(value) for key, value in call.kwargs.items()})


def _rebased(
    ref: TensorRef, bases: Mapping[str, int], calls: Mapping[str, tuple[Call, ...]], path: LayerPath
) -> TensorRef:
    if ref.layer not in calls:
        raise MigrationError(
            Reason.INVALID_CONFIG, f"A connection names the layer {ref.layer!r}, which the model lacks", layer=path
        )
    call = ref.call - bases[ref.layer]
    if not 0 <= call < max(1, len(calls[ref.layer])) or ref.tensor < 0:
        raise MigrationError(
            Reason.INVALID_CONFIG,
            f"A connection names call {ref.call} of the layer {ref.layer!r}, which has {len(calls[ref.layer])}",
            layer=path,
        )
    return TensorRef(ref.layer, call, ref.tensor)


def _layer_name(item: Mapping[str, Any], path: LayerPath, index: int) -> str:
    config = item.get("config")
    name = item.get("name") or (config.get("name") if isinstance(config, Mapping) else None)
    if name is None:
        name = f"{str(item.get('class_name', 'layer')).lower()}_{index + 1}"
    return _text(name, path, "layer name")


def _unique(names: Sequence[str], path: LayerPath) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise MigrationError(Reason.INVALID_CONFIG, f"Two layers are named {name!r}", layer=path)
        seen.add(name)


def _mapping(value: object, path: LayerPath, what: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise MigrationError(Reason.INVALID_CONFIG, f"The {what} is not an object but {_kind(value)}", layer=path)
    return value


def _list(value: object, path: LayerPath, what: str) -> list[Any]:
    if not isinstance(value, list):
        raise MigrationError(Reason.INVALID_CONFIG, f"The {what} is not a list but {_kind(value)}", layer=path)
    return value


def _text(value: object, path: LayerPath, what: str) -> str:
    if not isinstance(value, str) or not value:
        raise MigrationError(Reason.INVALID_CONFIG, f"The {what} is not a name but {_kind(value)}", layer=path)
    return value


def _kind(value: object) -> str:
    return "missing" if value is None else f"of type {type(value).__name__}"
