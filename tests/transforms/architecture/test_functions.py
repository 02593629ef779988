"""TensorFlow functions in a stored graph: which are called, with what, and which never."""

import inspect
from dataclasses import replace
from functools import partial, reduce
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.fixture_files import fixture_file, fixture_files
from transforms.architecture.function_signatures import ARGUMENTS, FUNCTION, FUNCTIONS, GETITEM
from transforms.architecture.functions import with_functions
from transforms.architecture.node_defs import OPERATIONS_BY_TYPE
from transforms.architecture.parsing import parse_architecture
from transforms.canonical import canonicalise
from transforms.canonical.canonicalise import RULES
from transforms.canonical.model import LayerRewrite, RewriteContext
from transforms.canonical.rewrites.single_layer import name_function
from transforms.errors import MigrationError, Reason
from transforms.legacy.model import open_legacy_model
from transforms.migration import conversion
from transforms.migration.migrate import migrate_model
from transforms.records.outcome import MigrationRequest, Status
from transforms.reference.functions.call import RULES as REFERENCE_RULES
from transforms.reference.functions.operands import clear_of_steps, clear_of_ties
from transforms.reference.layer_call import NotCovered


def model(*layers: dict[str, Any]) -> Any:
    entry = {"class_name": "InputLayer", "name": "x", "inbound_nodes": [], "config": {"name": "x"}}
    config = {"layers": [entry, *layers], "input_layers": [["x", 0, 0]], "output_layers": [[layers[-1]["name"], 0, 0]]}
    return parse_architecture({"class_name": "Functional", "config": config})


def function(name: str, *node: Any, kind: str = "TFOpLambda") -> dict[str, Any]:
    return {"class_name": kind, "name": "f", "config": {"name": "f", "function": name}, "inbound_nodes": [list(node)]}


def operation(kind: str, inputs: int, constants: dict[str, Any], attributes: dict[str, Any]) -> dict[str, Any]:
    config = {"name": "o", "node_def": {"op": kind, "attr": attributes}, "constants": constants}
    node = [["x", 0, 0, {}]] * inputs
    return {"class_name": "TensorFlowOpLayer", "name": "o", "config": config, "inbound_nodes": [node]}


X = {"input": 0}
LIST = {"list": {"i": ["1"]}}
YES = {"b": True}


@pytest.mark.parametrize(
    ("layer", "name", "arguments"),
    [
        (function("math.pow", "_CONSTANT_VALUE", -1, 3.0, {"y": ["x", 0, 0]}), "math.pow", {"x": 3.0, "y": X}),
        (function("math.multiply", "x", 0, 0, {"y": 2, "name": None}), "math.multiply", {"x": X, "y": 2}),
        (
            function("concat", ["x", 0, 0, {"axis": 0}], ["_CONSTANT_VALUE", -1, [[1.0]], {"axis": 0}]),
            "concat",
            {"values": [X, [[1.0]]], "axis": 0},
        ),
        (function("transpose", "x", 0, 0, {"perm": [0, 2, 1]}), "compat.v1.transpose", {"a": X, "perm": [0, 2, 1]}),
        (
            function(GETITEM, "x", 0, 0, {"slice_spec": [{"start": None, "stop": ["x", 0, 0], "step": None}, None]}),
            GETITEM,
            {"tensor": X, "slice_spec": [{"start": None, "stop": X, "step": None}, None]},
        ),
        (function(GETITEM, "x", 0, 0, {"slice_spec": None}), GETITEM, {"tensor": X, "slice_spec": None}),
        (operation("Sub", 1, {"0": 1.0}, {"T": {"type": "DT_FLOAT"}}), "math.subtract", {"x": 1.0, "y": X}),
        (operation("ConcatV2", 2, {"2": -1}, {"N": {"i": "2"}}), "concat", {"values": [X, X], "axis": -1}),
        (operation("Split", 1, {"0": 1}, {}), "split", {"axis": 1, "value": X}),
        (operation("Unpack", 1, {}, {"num": {"i": "3"}}), "unstack", {"value": X, "num": 3}),
        (operation("Cast", 1, {}, {"DstT": {"type": "DT_INT32"}}), "cast", {"x": X, "dtype": "int32"}),
        (operation("Einsum", 1, {}, {"equation": {"s": "aWotPmo="}}), "einsum", {"inputs": [X], "equation": "ij->j"}),
        (operation("Squeeze", 1, {}, {"squeeze_dims": LIST}), "compat.v1.squeeze", {"input": X, "axis": [1]}),
        (operation("Cumsum", 1, {"1": 1}, {"reverse": YES}), "math.cumsum", {"x": X, "axis": 1, "reverse": True}),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_what_is_called(layer: dict[str, Any], name: str, arguments: dict[str, Any]) -> None:
    read = with_functions(model(layer)).layers[-1]
    assert (read.class_name, read.config[ARGUMENTS]) == (FUNCTION + name, arguments)


@pytest.mark.parametrize(
    ("layer", "reason", "says"),
    [
        (function("io.write_file", "x", 0, 0, {"contents": "a"}), Reason.UNSAFE_OP, "tf.io.write_file.*layer f"),
        (function("io.read_file", "_CONSTANT_VALUE", -1, "/etc/passwd", {}), Reason.UNSAFE_OP, "tf.io.read_file"),
        (function("math.add", "_CONSTANT_VALUE", -1, 1.0, {"y": 2.0}), Reason.UNSAFE_OP, "constants alone"),
        (function("einsum", "_CONSTANT_VALUE", -1, "ij->j", {}), Reason.UNSAFE_OP, "constants alone"),
        (function("nn.dropout", "x", 0, 0, {"rate": 0.5}), Reason.UNSAFE_OP, "tf.nn.dropout"),
        (function("math.add", "x", 0, 0, {"y": 1.0, "z": 2}), Reason.UNSUPPORTED_LAYER, "with z"),
        (function("tile", "x", 0, 0, {"multiples": [1, 10**9]}), Reason.OVER_BUDGET, "multiples=1,000,000,000"),
        (function("", "_CONSTANT_VALUE", -1, 1.0, {}, kind="Add"), Reason.UNSAFE_OP, "called on a constant"),
        (operation("WriteFile", 2, {}, {}), Reason.UNSAFE_OP, "operation WriteFile"),
        (operation("RandomUniform", 1, {}, {}), Reason.UNSAFE_OP, "operation RandomUniform"),
        (operation("Sub", 0, {"0": 1.0, "1": 2.0}, {}), Reason.UNSAFE_OP, "constants alone"),
        (operation("Sub", 1, {}, {}), Reason.INVALID_CONFIG, "1 inputs for 2 parameters"),
        (operation("Sub", 1, {"7": 1.0}, {}), Reason.INVALID_CONFIG, "beyond"),
    ],
)  # fmt: skip
def test_what_is_refused(layer: dict[str, Any], reason: Reason, says: str) -> None:
    with pytest.raises(MigrationError, match=says) as refusal:
        with_functions(model(layer))
    assert refusal.value.reason is reason


def test_every_function_has_a_rule_and_a_genuine_fixture() -> None:
    called, stored = set(), set()
    for fixture in fixture_files():
        if "functions" not in fixture.features:
            continue
        with open_legacy_model(fixture.source) as legacy:
            layers = [layer for layer in legacy.graph.walk() if layer.class_name.startswith(FUNCTION)]
        called |= {layer.class_name.removeprefix(FUNCTION) for layer in layers}
        stored |= {layer.config["node_def"]["op"] for layer in layers if "node_def" in layer.config}
    assert REFERENCE_RULES.keys() == FUNCTIONS.keys() == called
    assert stored == OPERATIONS_BY_TYPE.keys()


def test_the_parameters_are_those_of_tensorflow() -> None:
    import tensorflow as tf

    for name, parameters in FUNCTIONS.items():
        if name.startswith(("keras.", "__operators__", "einsum")):
            continue
        signature = list(inspect.signature(reduce(getattr, name.split("."), tf)).parameters)
        assert signature[0] == parameters[0]
        assert set(parameters) <= set(signature), name


def operands_swapped(rewrite: LayerRewrite, context: RewriteContext) -> LayerRewrite:
    done = name_function(rewrite, context)
    options = done.layer.config.get("options", {})
    if options.get("name") != "math.subtract":
        return done
    x, y = (options[ARGUMENTS][key] for key in "xy")
    config = {**done.layer.config, "options": {**options, ARGUMENTS: {"x": y, "y": x}}}
    return replace(done, layer=replace(done.layer, config=config))


def test_swapped_operands_are_a_mismatch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    planted = tuple(operands_swapped if rule is name_function else rule for rule in RULES)
    monkeypatch.setattr(conversion, "canonicalise", partial(canonicalise, rules=planted))
    name = "tfkeras-2.15.1/functions_arithmetic"
    outcome = migrate_model(MigrationRequest(name, fixture_file(name).source, tmp_path))
    assert outcome.status is Status.MISMATCH


def test_the_reference_does_not_answer_next_to_a_step() -> None:
    with pytest.raises(NotCovered):
        clear_of_steps(np.array([2.0000001]), np.array([2.0]))
    with pytest.raises(NotCovered):
        clear_of_ties(np.array([0.5]), np.array([0.5000001]))
    clear_of_steps(np.array([2.0, 2.3]), np.array([2.0, 2.0]))
    clear_of_ties(np.array([0.5, 1.0]), np.array([0.5, 2.0]))
