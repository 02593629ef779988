"""Connections of a stored graph: inbound nodes, boundary tensors, and the numbering of calls."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from transforms.architecture.config_values import as_list, as_mapping
from transforms.architecture.graph import MODEL_CLASSES, Call, LayerPath, TensorRef
from transforms.errors import MigrationError, Reason

#: Name for a call's positional arguments if there are more than its inputs.
POSITIONAL = "args"

#: Stored by tf.keras in place of a layer's name for a constant.
_CONSTANT = "_CONSTANT_VALUE"


def parse_calls(inbound: object, path: LayerPath) -> tuple[Call, ...]:
    """A layer's `inbound_nodes` as calls, numbered as the file numbers them. Raises MigrationError `invalid_config`."""
    return tuple(_call(node, path) for node in as_list(inbound, path, "inbound_nodes"))


def _call(node: object, path: LayerPath) -> Call:
    """One inbound node: `[[layer, call, tensor, kwargs?], ...]`, or Keras 3's `{"args": ..., "kwargs": ...}`."""
    if isinstance(node, Mapping):
        return _keras_3_call(node, path)
    entries = as_list(node, path, "inbound node")
    bare = bool(entries) and isinstance(entries[0], str)
    if bare:
        entries = [entries]
    inputs: list[Any] = []
    kwargs: dict[str, Any] = {}
    for entry in entries:
        fields = as_list(entry, path, "inbound tensor")
        constant = len(fields) > 2 and fields[0] == _CONSTANT
        inputs.append(fields[2] if constant else _ref(fields, path))
        if len(fields) > 3 and fields[3]:
            kwargs.update({str(key): _argument(value) for key, value in as_mapping(fields[3], path, "kwargs").items()})
    kwargs = {key: value for key, value in kwargs.items() if value not in (None, [])}
    refs = tuple(value for value in inputs if isinstance(value, TensorRef))
    if len(refs) < len(inputs):
        kwargs[POSITIONAL] = inputs
    return _with_states_as_inputs(Call(refs, kwargs, bare))


def _with_states_as_inputs(call: Call) -> Call:
    """tf.keras 1.15 to 2.3 store a Bidirectional's initial states as a call argument; all others as inputs."""
    states = tuple(refs_among([call.kwargs.get("initial_state")]))
    if not states:
        return call
    kwargs = {key: value for key, value in call.kwargs.items() if key != "initial_state"}
    return replace(call, inputs=(*call.inputs, *(ref for ref in states if ref not in call.inputs)), kwargs=kwargs)


def _argument(value: object) -> object:
    """Tensors among the stored call arguments (`["layer", 0, 0]`, possibly in lists) become references."""
    if isinstance(value, list):
        if len(value) == 3 and isinstance(value[0], str) and all(type(item) is int for item in value[1:]):
            return TensorRef(value[0], value[1], value[2])
        return [_argument(item) for item in value]
    if isinstance(value, Mapping):
        return {key: _argument(item) for key, item in value.items()}
    return value


def _keras_3_call(node: Mapping[str, Any], path: LayerPath) -> Call:
    """A call as Keras 3 stores it. Positional arguments beyond one tensor or list of tensors are stored completely as
    `args`.
    """
    positional = [_keras_3_argument(value, path) for value in as_list(node.get("args", []), path, "args")]
    stored = as_mapping(node.get("kwargs", {}), path, "kwargs")
    named = {str(key): _keras_3_argument(value, path) for key, value in stored.items()}
    kwargs = {key: value for key, value in named.items() if value is not None and value is not False}
    if len(positional) != 1 or not _holds_only_tensors(positional[0]):
        kwargs[POSITIONAL] = positional
    return _with_states_as_inputs(Call(tuple(refs_among(positional)), kwargs))


def _keras_3_argument(value: object, path: LayerPath) -> object:
    """A stored argument, its `__keras_tensor__` entries as references."""
    if isinstance(value, list):
        return [_keras_3_argument(item, path) for item in value]
    if not isinstance(value, Mapping):
        return value
    if value.get("class_name") == "__keras_tensor__":
        history = as_mapping(value.get("config"), path, "tensor").get("keras_history")
        return _ref(as_list(history, path, "keras_history"), path)
    if any(isinstance(_keras_3_argument(item, path), TensorRef) for item in value.values()):
        raise MigrationError(
            Reason.UNSUPPORTED_LAYER,
            "The layer is called with a dictionary of tensors",
            layer=path,
            advice="Save the model with a list in its place.",
        )
    return value


def _holds_only_tensors(value: object) -> bool:
    return isinstance(value, TensorRef) or (isinstance(value, list) and all(map(_holds_only_tensors, value)))


def parse_boundary(value: object, path: LayerPath, what: str) -> tuple[TensorRef, ...]:
    """`input_layers` / `output_layers`: a list of references, or a single bare one."""
    if isinstance(value, Mapping):
        # Keras takes the values of a dictionary in the order of their sorted keys.
        value = [value[key] for key in sorted(value)]
    entries = as_list(value, path, what)
    if entries and isinstance(entries[0], str):
        entries = [entries]
    flat: list[Any] = []
    for entry in entries:
        nested = isinstance(entry, list) and bool(entry) and isinstance(entry[0], list)
        flat.extend(entry if nested else [entry])
    return tuple(_ref(as_list(entry, path, what), path) for entry in flat)


def _ref(fields: Sequence[Any], path: LayerPath) -> TensorRef:
    if fields and fields[0] == "_CONSTANT_VALUE":
        raise MigrationError(
            Reason.UNSAFE_OP,
            "The layer calls a function by its stored name, on a stored value",
            layer=path,
            advice="Rebuild the model with standard layers.",
        )
    if len(fields) < 3 or not isinstance(fields[0], str) or not all(type(item) is int for item in fields[1:3]):
        raise MigrationError(
            Reason.INVALID_CONFIG, f"A connection is not [layer, call, tensor]: {str(fields)[:80]}", layer=path
        )
    return TensorRef(fields[0], fields[1], fields[2])


def call_bases(
    classes: Mapping[str, str], calls: Mapping[str, tuple[Call, ...]], boundary: Iterable[TensorRef]
) -> Mapping[str, int]:
    """The number of each layer's first call in this file.

    A nested model that was built with its own inputs has one call, number 0, that belongs to itself; the calls
    of the outer graph then count from 1 (Keras 2 `Network.get_config`: "Networks start with a pre-existing
    node"). A nested model without inputs of its own, and every other layer, counts from 0.
    """
    used: dict[str, set[int]] = {name: set() for name in classes}
    for call in (call for layer_calls in calls.values() for call in layer_calls):
        for ref in (*call.inputs, *refs_among(call.kwargs.values())):
            used.setdefault(ref.layer, set()).add(ref.call)
    for ref in boundary:
        used.setdefault(ref.layer, set()).add(ref.call)
    return {
        name: int(class_name in MODEL_CLASSES and bool(calls[name]) and 0 not in used[name])
        for name, class_name in classes.items()
    }


def refs_among(values: Iterable[object]) -> Iterable[TensorRef]:
    """The references in values, including lists and objects."""
    for value in values:
        if isinstance(value, TensorRef):
            yield value
        elif isinstance(value, list):
            yield from refs_among(value)
        elif isinstance(value, Mapping):
            yield from refs_among(value.values())


def rebased_call(call: Call, bases: Mapping[str, int], calls: Mapping[str, tuple[Call, ...]], path: LayerPath) -> Call:
    """The call, with all references counted from 0. Raises MigrationError `invalid_config`."""

    def argument(value: object) -> object:
        if isinstance(value, TensorRef):
            return rebased(value, bases, calls, path)
        if isinstance(value, Mapping):
            return {key: argument(item) for key, item in value.items()}
        return [argument(item) for item in value] if isinstance(value, list) else value

    inputs = tuple(rebased(ref, bases, calls, path) for ref in call.inputs)
    return replace(call, inputs=inputs, kwargs={key: argument(value) for key, value in call.kwargs.items()})


def rebased(
    ref: TensorRef, bases: Mapping[str, int], calls: Mapping[str, tuple[Call, ...]], path: LayerPath
) -> TensorRef:
    """The reference, with its call counted from 0. Raises MigrationError `invalid_config` if layer or call do not
    exist.
    """
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
