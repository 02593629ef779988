"""Functions that a graph registers as gradients, as swish does, held to the form in which TensorFlow writes them.

    IdentityN(_gradient_op_type="CustomGradient-3")  <-  registered_gradients: "CustomGradient-3" -> function

Nothing runs them when a model answers; a loader registers them, and whoever trains the model further runs them. They
are functions of the library like any other: their operations are on the same list, and the saver is out of reach.

Source: `_trace_gradient_functions` in tensorflow/python/saved_model/save.py, `load_function_def_library` in
tensorflow/python/saved_model/function_deserialization.py.
"""

from __future__ import annotations

import re
from typing import Any

from transforms.saved_model.unsafe_graph import place, shown, unsafe

_TYPE = "_gradient_op_type"
_REGISTERED_TYPE = re.compile(r"CustomGradient-[0-9]+")
_FUNCTION = re.compile(r"__inference_internal_grad_fn_[0-9]+")
#: The gradient of a call, which TensorFlow derives from the function that is called.
_CALL_TYPE = re.compile(r"(Stateful)?PartitionedCall-[0-9]+")
_CALLS = frozenset({"PartitionedCall", "StatefulPartitionedCall"})


def check_gradients(graph_def: Any, savers: frozenset[str]) -> None:
    """Refuses gradients that TensorFlow would not register, or that are registered for anything else than a value.

    Args:
        graph_def: the GraphDef.
        savers: names of the functions that write and read its variables.

    Raises:
        MigrationError: `unsafe_op`.
    """
    library = graph_def.library
    if library.gradient:
        raise unsafe(f"The artefact exchanges the gradient of {shown(library.gradient[0].function_name)!r}")
    functions = {function.signature.name for function in library.function}
    registered: dict[str, str] = {}
    for each in library.registered_gradients:
        name, kind = each.gradient_func, each.registered_op_type
        if name not in functions or name in savers or not _FUNCTION.fullmatch(name):
            raise unsafe(f"The artefact registers {shown(name)!r} as a gradient")
        if not _REGISTERED_TYPE.fullmatch(kind) or kind in registered or name in registered.values():
            raise unsafe(f"The artefact registers a gradient of {shown(kind)!r}")
        registered[kind] = name
    for function, nodes in (("", graph_def.node), *((f.signature.name, f.node_def) for f in library.function)):
        for node in nodes:
            if _TYPE in node.attr:
                _check_stated(node, function, savers)


def _check_stated(node: Any, function: str, savers: frozenset[str]) -> None:
    value = node.attr[_TYPE]
    kind = value.s.decode("latin-1") if value.WhichOneof("value") == "s" else ""
    form = _REGISTERED_TYPE if node.op == "IdentityN" else _CALL_TYPE if node.op in _CALLS else None
    if function in savers or form is None or not form.fullmatch(kind):
        raise unsafe(f"The {place(node, function)} states the gradient {shown(kind)!r}")
