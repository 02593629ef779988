"""Makes names in a written SavedModel independent of what the process traced before.

TensorFlow numbers functions and captured tensors with counters of the process, draws a UUID for each recurrent layer,
and stores functions in hash order. Here functions are numbered in the order in which they are reached (main graph, then
object graph) and captures within their function, and UUIDs are derived from the content; so one architecture gives the
same `saved_model.pb`, byte for byte, whatever was traced before. UUIDs must still differ between models: TensorFlow
exchanges functions of one process with the same UUID.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from uuid import NAMESPACE_OID, uuid5

from tensorflow.core.protobuf.saved_model_pb2 import SavedModel

_NUMBERS = re.compile(r"_\d+(?=_|$)")
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_INTERFACE = re.compile(r"interface-\d+")
_GRADIENT = re.compile(r"CustomGradient-\d+")
_CAPTURE = "_user_specified_name"
#: The number of a loop's condition or body in its unused arguments. It may be that of an earlier tracing, which no
#: function of the library has.
_PLACEHOLDER = re.compile(r"_(\d+)(?=___redundant_placeholder)")
#: Attributes that name another function as text.
_NAMING_ATTRIBUTES = frozenset({"forward_function_name", "backward_function_name"})

Rename = Callable[[str], str]


def with_stable_names(model: SavedModel) -> SavedModel:
    """Renames functions, UUIDs and captures in place, and sorts the functions by name. Returns `model`."""
    (meta_graph,) = model.meta_graphs
    library = meta_graph.graph_def.library
    by_name = {function.signature.name: function for function in library.function}
    names: dict[str, str] = {}
    interfaces: dict[str, str] = {}
    for name in _reached(meta_graph):
        function = by_name[name]
        names[name] = f"{_stem(name)}_{len(names)}"  # TensorFlow's fingerprint requires each number once
        for uuid in _UUID.findall(_shared_interface(function)):
            interfaces.setdefault(uuid, f"interface-{len(interfaces)}")
        _renumber_captures(function)
    _rename_strings(model, _renaming(names, interfaces))
    _renumber_gradients(model, library)
    functions = sorted(library.function, key=lambda function: function.signature.name)
    copies = [function.SerializeToString(deterministic=True) for function in functions]
    del library.function[:]
    for copy in copies:
        library.function.add().ParseFromString(copy)
    if interfaces:
        content = hashlib.sha256(model.SerializeToString(deterministic=True)).hexdigest()
        _rename_strings(
            model, lambda text: _INTERFACE.sub(lambda found: str(uuid5(NAMESPACE_OID, content + found[0])), text)
        )
    return model


def _renumber_gradients(model: SavedModel, library: Any) -> None:
    """Custom gradients are registered under a counter of the process; here in the order of their functions."""
    registered = sorted(library.registered_gradients, key=lambda gradient: gradient.gradient_func)
    copies = [gradient.SerializeToString(deterministic=True) for gradient in registered]
    numbers = {gradient.registered_op_type: f"CustomGradient-{number}" for number, gradient in enumerate(registered)}
    del library.registered_gradients[:]
    for copy in copies:
        library.registered_gradients.add().ParseFromString(copy)
    _rename_strings(model, lambda text: _GRADIENT.sub(lambda found: numbers.get(found[0], found[0]), text))


def _reached(meta_graph: Any) -> list[str]:
    """Names of all functions, in the order of their first reference, depth first.

    A recurrent layer's implementations for other devices are not called; they share a UUID with the one that is.
    """
    library = meta_graph.graph_def.library
    functions = {function.signature.name: function for function in library.function}
    gradients = {gradient.registered_op_type: gradient.gradient_func for gradient in library.registered_gradients}
    kin: dict[str, list[str]] = {}
    for name in sorted(functions, key=lambda name: (_stem(name), _body(functions[name]))):
        kin.setdefault(_shared_interface(functions[name]), []).append(name)
    ordered: dict[str, None] = {}
    pending = list(_called_for(meta_graph, gradients))[::-1]
    left = kin.pop("", [])[::-1]
    while pending or left:
        name = pending.pop() if pending else left.pop()
        if name in functions and name not in ordered:
            ordered[name] = None
            function = functions[name]
            called = _references(function.attr, function.node_def, gradients)
            referred = [*called, *kin.get(_shared_interface(function), ())]
            pending.extend(referred[::-1])
    ordered.update(dict.fromkeys(name for names in kin.values() for name in names))
    return list(ordered)


def _called_for(meta_graph: Any, gradients: Mapping[str, str]) -> Iterator[str]:
    yield from _references({}, meta_graph.graph_def.node, gradients)
    for node in meta_graph.object_graph_def.nodes:
        kind = node.WhichOneof("kind")
        if kind == "function":
            yield from node.function.concrete_functions
        elif kind == "bare_concrete_function":
            yield node.bare_concrete_function.concrete_function_name


def _references(attributes: Mapping[str, Any], nodes: Any, gradients: Mapping[str, str]) -> Iterator[str]:
    for attribute in (attributes, *(node.attr for node in nodes)):
        for key in sorted(attribute):
            value = attribute[key]
            if value.HasField("func"):
                yield value.func.name
            yield from (function.name for function in value.list.func)
            if key in _NAMING_ATTRIBUTES:
                yield value.s.decode()
            if key == "_gradient_op_type":
                yield gradients.get(value.s.decode(), "")
    yield from (node.op for node in nodes)


def _stem(name: str) -> str:
    return _NUMBERS.sub("", name)


def _shared_interface(function: Any) -> str:
    """The text with the UUID shared by all implementations of one recurrent layer, "" for other functions."""
    return function.attr["api_implements"].s.decode() if "api_implements" in function.attr else ""


def _body(function: Any) -> str:
    """A key that distinguishes uncalled functions: their operations, without numbers."""
    return re.sub(r"\d+", "", " ".join(f"{node.op}:{node.name}" for node in function.node_def))


def _renumber_captures(function: Any) -> None:
    """Renames captures without a given name, which are numbered by a counter of the process, by their position."""
    arguments: dict[str, str] = {}
    numbers: dict[str, str] = {}
    tracings: dict[str, str] = {}
    for position, argument in enumerate(function.signature.input_arg):
        attributes = function.arg_attr[position].attr if position in function.arg_attr else {}
        stated = attributes[_CAPTURE].s.decode() if _CAPTURE in attributes else ""
        if stated.isdecimal():
            attributes[_CAPTURE].s = f"capture_{position}".encode()
        if not stated or stated.isdecimal():
            stem, _, number = argument.name.rpartition("_")
            if number.isdecimal():
                arguments[argument.name] = f"{stem}_capture_{position}"
                numbers[number] = f"capture_{position}"
        for number in _PLACEHOLDER.findall(argument.name):
            tracing = tracings.setdefault(number, str(len(tracings)))
            arguments[argument.name] = _PLACEHOLDER.sub(f"_{tracing}", argument.name)

    def rename(text: str) -> str:
        if text.startswith("loc:@"):
            stem, slash, number = text.rpartition("/")
            return f"{stem}{slash}{numbers.get(number, number)}"
        name, colon, output = text.partition(":")
        return f"{arguments.get(name, name)}{colon}{output}"

    _rename_strings(function, rename)


def _renaming(names: Mapping[str, str], uuids: Mapping[str, str]) -> Rename:
    """A function that renames old function names, alone or within the name of an argument, and UUIDs."""
    functions = re.compile("|".join(re.escape(name) for name in sorted(names, key=len, reverse=True)) or r"(?!)")

    def rename(text: str) -> str:
        text = functions.sub(lambda match: names[match[0]], text)
        return _UUID.sub(lambda match: uuids.get(match[0], match[0]), text)

    return rename


def _rename_strings(message: Any, rename: Rename) -> None:
    """Applies `rename` to every string, map key and attribute text below a message; map entries in key order."""
    for field, value in message.ListFields():
        if field.message_type is not None and field.message_type.GetOptions().map_entry:
            _rename_map(value, field.message_type.fields_by_name["value"].message_type is not None, rename)
        elif field.message_type is not None:
            for each in value if field.is_repeated else [value]:
                _rename_strings(each, rename)
        elif field.type == field.TYPE_STRING:
            if field.is_repeated:
                value[:] = [rename(each) for each in value]
            else:
                setattr(message, field.name, rename(value))
        elif field.type == field.TYPE_BYTES and field.name == "s":  # AttrValue.s and its list: text as bytes
            if field.is_repeated:
                value[:] = [_rename_bytes(each, rename) for each in value]
            else:
                setattr(message, field.name, _rename_bytes(value, rename))


def _rename_map(entries: Any, of_messages: bool, rename: Rename) -> None:
    for key in sorted(entries):
        new = rename(key) if isinstance(key, str) else key
        if of_messages:
            if new != key:
                entries[new].CopyFrom(entries.pop(key))
            _rename_strings(entries[new], rename)
        elif isinstance(entries[key], str):
            value = entries.pop(key)
            entries[new] = rename(value)


def _rename_bytes(value: bytes, rename: Rename) -> bytes:
    return rename(value.decode("latin-1")).encode("latin-1")
