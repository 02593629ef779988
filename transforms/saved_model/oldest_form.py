"""A written SavedModel in the oldest operations and attributes that say the same, so that old releases load it.

Every release of TensorFlow refuses a graph that holds an operation or an attribute it does not know, in whichever
function and whether or not anything calls it. TensorFlow writes two such things that change no output:

- `DisableCopyOnRead`, before each variable that the saver reads (`read_value_no_copy` of
  tensorflow/python/ops/resource_variable_ops.py, from 2.10 on): it saves memory where sparse updates went before.
- the attribute `debug_name` of `VarHandleOp` (from 2.15 on). It names a variable in messages, and is no default value,
  so that the saver's stripping of defaults leaves it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from tensorflow.core.protobuf.saved_model_pb2 import SavedModel

_NEEDLESS_OPERATIONS = frozenset({"DisableCopyOnRead"})
_NEEDLESS_ATTRIBUTES = {"VarHandleOp": ("debug_name",)}


def with_oldest_form(model: SavedModel) -> SavedModel:
    """Removes what only younger releases know and no output depends on, in place. Returns `model`.

    Raises ValueError where the value of an operation that is to go is used.
    """
    for meta_graph in model.meta_graphs:
        graph = meta_graph.graph_def
        _remove_operations(graph.node, ())
        for function in graph.library.function:
            for name in _remove_operations(function.node_def, function.ret.values()):
                for output in [key for key, node in function.control_ret.items() if node == name]:
                    del function.control_ret[output]
                    function.signature.control_output.remove(output)
        for node in _all_nodes(graph):
            for attribute in _NEEDLESS_ATTRIBUTES.get(node.op, ()):
                node.attr.pop(attribute, None)
        operations = meta_graph.meta_info_def.stripped_op_list.op
        kept = [each for each in operations if each.name not in _NEEDLESS_OPERATIONS]
        if len(kept) < len(operations):
            del operations[:]
            operations.extend(kept)
    return model


def _remove_operations(nodes: Any, results: Collection[str]) -> frozenset[str]:
    """The names of the nodes that were removed. What waited for one of them waits for what it waited for."""
    waited_for = {
        node.name: [each for each in node.input if each.startswith("^")]
        for node in nodes
        if node.op in _NEEDLESS_OPERATIONS
    }
    if not waited_for:
        return frozenset()
    kept = [node for node in nodes if node.name not in waited_for]
    read = {each.partition(":")[0] for each in [*results, *(each for node in kept for each in node.input)]}
    if used := read & set(waited_for):
        raise ValueError(f"The value of {min(used)} is used, which should give none")
    for node in kept:
        if any(each.removeprefix("^") in waited_for for each in node.input):
            values = [each for each in node.input if not each.startswith("^")]
            control = [each for each in node.input if each.startswith("^")]
            node.input[:] = [*values, *dict.fromkeys(_waiting(control, waited_for))]
    for index in reversed(range(len(nodes))):
        if nodes[index].name in waited_for:
            del nodes[index]
    return frozenset(waited_for)


def _waiting(control: Sequence[str], waited_for: Mapping[str, Sequence[str]]) -> Iterator[str]:
    """Control inputs, with those of a removed node in its place."""
    for each in control:
        if each[1:] in waited_for:
            yield from _waiting(waited_for[each[1:]], waited_for)
        else:
            yield each


def _all_nodes(graph: Any) -> Iterator[Any]:
    yield from graph.node
    for function in graph.library.function:
        yield from function.node_def
