"""Gives signature arguments names that differ only in case, which TensorFlow's exporter treats as equal.

The model is traced with names it accepts, and the written SavedModel is corrected: in the signature definition that
servers read, and in the object graph that `tf.saved_model.load` reads.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from tensorflow.core.protobuf.saved_model_pb2 import SavedModel


def traceable_names(names: Sequence[str]) -> tuple[str, ...]:
    """Names that are distinct when case is ignored: `Input_1` beside `input_1` becomes `Input_1_1`."""
    taken = {name.lower() for name in names}
    seen: set[str] = set()
    found: list[str] = []
    for name in names:
        candidate, number = name, 0
        while candidate.lower() in seen or (number and candidate.lower() in taken):
            number += 1
            candidate = f"{name}_{number}"
        seen.add(candidate.lower())
        found.append(candidate)
    return tuple(found)


def rename_arguments(model: SavedModel, signature: str, names: Mapping[str, str]) -> None:
    """Renames arguments of a signature, in place.

    Args:
        model: with one graph.
        signature: its key.
        names: new names by the traced ones.
    """
    (meta_graph,) = model.meta_graphs
    inputs = meta_graph.signature_def[signature].inputs
    moved = {name: inputs.pop(name) for name in names}
    for name, info in moved.items():
        inputs[names[name]].CopyFrom(info)
    objects = meta_graph.object_graph_def
    for node in objects.nodes:
        function = node.bare_concrete_function
        if set(names) <= set(function.argument_keywords) and function.allowed_positional_arguments == 0:
            function.argument_keywords[:] = [names.get(name, name) for name in function.argument_keywords]
            concrete = objects.concrete_functions[function.concrete_function_name]
            _rename([function.function_spec.fullargspec, concrete.canonicalized_input_signature], names)


def _rename(values: Iterable[Any], names: Mapping[str, str]) -> None:
    """Renames strings, dict keys and tensor specs anywhere in nested StructuredValues."""
    pending = list(values)
    while pending:
        value = pending.pop()
        kind = value.WhichOneof("kind")
        if kind == "string_value":
            value.string_value = names.get(value.string_value, value.string_value)
        elif kind == "tensor_spec_value":
            value.tensor_spec_value.name = names.get(value.tensor_spec_value.name, value.tensor_spec_value.name)
        elif kind in ("tuple_value", "list_value"):
            pending.extend(getattr(value, kind).values)
        elif kind == "named_tuple_value":
            pending.extend(pair.value for pair in value.named_tuple_value.values)
        elif kind == "dict_value":
            fields = value.dict_value.fields
            for old in [key for key in fields if key in names]:
                fields[names[old]].CopyFrom(fields.pop(old))
            pending.extend(fields.values())
