"""Checks that the two functions that write and read an artefact's variables have the form that TensorFlow writes.

Only they may access files, and only under the path that they are called with:

    prefix  = join(path, "_temp/part")          (".part" on S3)
    SaveV2(ShardedFilename(prefix, 0, 1), ...);  MergeV2Checkpoints([that shard], path)
    RestoreV2(path, ...) -> AssignVariableOp

Source: `_SingleDeviceSaver` and `MultiDeviceSaver` in tensorflow/python/checkpoint/functional_saver.py. Only the two
nodes that `saver_def` names call them, and these run only when a loader feeds them a path.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from transforms.saved_model.unsafe_graph import place, unsafe

_STRING = 7
_SAVE, _RESTORE = "__inference__traced_save_", "__inference__traced_restore_"
_CALL = "StatefulPartitionedCall"
_FUNCTION_ATTRIBUTES = frozenset({"_construction_context", "_input_shapes"})

#: Maximum number of each operation in a function that saves or restores; None for any number.
_SAVE_OPERATIONS: Mapping[str, int | None] = {
    "SaveV2": 1,
    "MergeV2Checkpoints": 1,
    "ShardedFilename": 1,
    "StringJoin": 1,
    "Select": 1,
    "StaticRegexFullMatch": 1,
    "Pack": 1,
    "NoOp": None,
    "Const": None,
    "Identity": None,
    "ReadVariableOp": None,
}
_RESTORE_OPERATIONS: Mapping[str, int | None] = {
    "RestoreV2": 1,
    "NoOp": None,
    "Const": None,
    "Identity": None,
    "AssignVariableOp": None,
    "LookupTableImportV2": None,
}

#: The path that the function is called with.
_PATH = "path"
_PREFIX = (
    "StringJoin",
    _PATH,
    ("Select", ("StaticRegexFullMatch", _PATH), b".part", b"_temp/part"),
)
_SHARD = ("ShardedFilename", _PREFIX, 0, 1)

#: A form: the path, the value of a constant, or an operation with the forms of its inputs.
_Form = str | bytes | int | tuple[Any, ...]


def saver_functions(graph: Any, stored: bytes) -> frozenset[str]:
    """The names of the functions that write and read variables, after checking that each has TensorFlow's form.

    Args:
        graph: the MetaGraphDef.
        stored: the bytes that it was parsed from.

    Raises:
        MigrationError: `unsafe_op`, one of them has another form, or can be called from elsewhere.
    """
    saver = graph.saver_def
    if not saver.ListFields():
        return frozenset()
    nodes = {node.name: node for node in graph.graph_def.node}
    functions = {function.signature.name: function for function in graph.graph_def.library.function}
    called = {
        _output(saver.save_tensor_name): (_SAVE, _check_save),
        saver.restore_op_name: (_RESTORE, _check_restore),
    }
    path = _output(saver.filename_tensor_name)
    _check_path(nodes.get(path), path)
    found = []
    for name, (stem, check) in called.items():
        node = nodes.get(name)
        function = functions.get(node.attr["f"].func.name) if node is not None and node.op == _CALL else None
        if node is None or function is None:
            raise unsafe(f"The saver's {name[:80]!r} calls no function")
        _check_call(node, path, nodes, called)
        _check_name(function.signature.name, stem, stored)
        check(function)
        found.append(function.signature.name)
    _refuse_other_uses(graph, called, {path, *called})
    return frozenset(found)


def _check_path(node: Any, name: str) -> None:
    """Checks the path: a placeholder that the loader feeds and without which nothing runs."""
    if node is None or node.op != "Placeholder" or node.input or node.attr["dtype"].type != _STRING:
        raise unsafe(f"The saver's path {name[:80]!r} is not a placeholder of a text")


def _check_call(node: Any, path: str, nodes: Mapping[str, Any], savers: Collection[str]) -> None:
    first, *others = [_output(each) for each in node.input] or [""]
    if first != path or any(each not in nodes or each == path or each in savers for each in others):
        raise unsafe(f"The saver's {place(node, '')} is not called with the saver's path and variables")


def _check_name(name: str, stem: str, stored: bytes) -> None:
    """Checks that the name occurs where the function is defined and called, and nowhere else in the file."""
    if not (name.startswith(stem) and name.removeprefix(stem).isdecimal()):
        raise unsafe(f"The saver's function is called {name[:80]!r}")
    if stored.count(name.encode()) != 2:
        raise unsafe(f"The saver's function {name!r} is named beyond the saver")


def _refuse_other_uses(graph: Any, savers: Collection[str], names: set[str]) -> None:
    for node in graph.graph_def.node:
        if node.name not in savers and names & {_output(each) for each in node.input}:
            raise unsafe(f"The saver feeds the {place(node, '')}")
    offered = {
        _output(tensor.name)
        for signature in graph.signature_def.values()
        for tensor in (*signature.inputs.values(), *signature.outputs.values())
    }
    if offered & names:
        raise unsafe(f"The saver's {min(offered & names)!r} is offered to callers")


def _check_save(function: Any) -> None:
    body = _Body(function, _SAVE_OPERATIONS)
    save, merge = body.only("SaveV2"), body.only("MergeV2Checkpoints")
    shard = save.input[0]
    body.expect(shard, _SHARD)
    body.expect_texts(save.input[1:3])
    body.expect(merge.input[0], ("Pack", _SHARD))
    body.expect(merge.input[1], _PATH)
    if body.only("StaticRegexFullMatch").attr["pattern"].s != b"^s3://.*":
        raise unsafe(f"The saver's function {function.signature.name!r} tells other paths apart than TensorFlow does")
    if merge.attr["allow_missing_files"].b:
        raise unsafe(f"The saver's function {function.signature.name!r} takes missing files")


def _check_restore(function: Any) -> None:
    body = _Body(function, _RESTORE_OPERATIONS)
    restore = body.only("RestoreV2")
    body.expect(restore.input[0], _PATH)
    body.expect_texts(restore.input[1:3])
    for node in function.node_def:
        if node.op in ("AssignVariableOp", "LookupTableImportV2"):
            target, *values = _data(node)
            if target not in body.arguments or any(body.origin(value) != "RestoreV2" for value in values):
                raise unsafe(f"The saver's {place(node, function.signature.name)} assigns what it did not read")


class _Body:
    """The nodes of a saver function.

    Args:
        function: the FunctionDef.
        operations: those allowed in it.

    Raises:
        MigrationError: `unsafe_op`: arguments, attributes, operations or results differ from TensorFlow's.
    """

    def __init__(self, function: Any, operations: Mapping[str, int | None]) -> None:
        self._function = function
        self._nodes = {node.name: node for node in function.node_def}
        self.arguments: list[str] = [argument.name for argument in function.signature.input_arg]
        if not self.arguments or function.signature.input_arg[0].type != _STRING:
            raise self._another("has no path as its first argument")
        named = {*self.arguments, *self._nodes}
        if len(named) != len(self.arguments) + len(function.node_def):
            raise self._another("has two things of one name")
        if set(function.attr) - _FUNCTION_ATTRIBUTES:
            raise self._another(f"has the attribute {min(set(function.attr) - _FUNCTION_ATTRIBUTES)[:80]!r}")
        for operation, count in Counter(node.op for node in function.node_def).items():
            if operation not in operations or count != (operations[operation] or count):
                raise self._another(f"holds {count} times {operation[:80]}")
        for node in function.node_def:
            if any(value.HasField("func") or value.list.func for value in node.attr.values()):
                raise self._another(f"names functions at {node.name[:80]!r}")
        for result in function.ret.values():
            if self.origin(result) != _PATH:
                raise self._another("returns something else than its path")

    def only(self, operation: str) -> Any:
        """The only node with an operation."""
        found = [node for node in self._function.node_def if node.op == operation]
        if len(found) != 1:
            raise self._another(f"holds {len(found)} times {operation}")
        return found[0]

    def expect(self, reference: str, form: _Form) -> None:
        """Raises MigrationError if an input has another form."""
        if not self._is(reference, form):
            raise self._another(f"takes {reference[:80]!r} for a path")

    def expect_texts(self, references: Sequence[str]) -> None:
        """Checks names of tensors, and that no slices are stated."""
        names, slices = (self._constant(reference) for reference in references)
        if names is None or slices is None or any(slices.string_val):
            raise self._another("states names or slices otherwise than TensorFlow does")

    def origin(self, reference: str) -> str:
        """`path`, or the operation that a value comes from, through any number of `Identity`."""
        for _ in range(len(self._nodes) + 1):
            if reference == self.arguments[0]:
                return _PATH
            node = self._nodes.get(_output(reference))
            if node is None:
                return ""
            if node.op != "Identity":
                return str(node.op)
            (reference,) = _data(node)[:1] or [""]
        return ""

    def _is(self, reference: str, form: _Form) -> bool:
        if form == _PATH:
            return reference == self.arguments[0]
        if not isinstance(form, tuple):
            held = self._constant(reference)
            return held is not None and [*held.string_val, *held.int_val] == [form]
        operation, *forms = form
        node = self._nodes.get(_output(reference))
        if node is None or node.op != operation or len(_data(node)) != len(forms):
            return False
        return all(self._is(each, expected) for each, expected in zip(_data(node), forms, strict=True))

    def _constant(self, reference: str) -> Any:
        node = self._nodes.get(_output(reference))
        return node.attr["value"].tensor if node is not None and node.op == "Const" else None

    def _another(self, what: str) -> Exception:
        return unsafe(f"The saver's function {self._function.signature.name[:80]!r} {what}")


def _data(node: Any) -> list[str]:
    """The inputs that are values."""
    return [each for each in node.input if not each.startswith("^")]


def _output(reference: str) -> str:
    """The node behind `node`, `node:0`, `node:output:0` or `^node`."""
    return reference.partition(":")[0].removeprefix("^")
