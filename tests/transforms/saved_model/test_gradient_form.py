"""Graphs that register gradients or compile a function: genuine ones pass, and no other form of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import tensorflow as tf
import tf_keras

from tests.transforms.saved_model.written_graphs import Edit, WrittenGraph, every_node, function, nodes
from transforms.errors import MigrationError, Reason
from transforms.rebuild import RebuiltModel
from transforms.saved_model.operation_check import check_operations
from transforms.saved_model.writer import write_saved_model

GRADIENT = "internal_grad_fn"
COMPILED = "_XlaMustCompile"
TYPE = "_gradient_op_type"


def write(folder: Path) -> WrittenGraph:
    """A model with two custom gradients (swish) and a compiled function (convolution in groups), as it is published."""
    folder.mkdir()
    inputs = tf_keras.Input((4, 4, 4), name="x")
    convolved = tf_keras.layers.Conv2D(4, 3, groups=2, activation="swish", name="convolved")(inputs)
    outputs = tf_keras.layers.Dense(2, activation="swish", name="y")(convolved)
    write_saved_model(RebuiltModel(tf_keras.Model(inputs, outputs, name="model"), ("x",), ("y",), {}, {}), folder)
    return WrittenGraph(folder)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> WrittenGraph:
    return write(tmp_path_factory.mktemp("gradients") / "model")


def gradients(graph: Any) -> Any:
    return graph.graph_def.library.registered_gradients


def test_genuine_graphs_pass(written: WrittenGraph) -> None:
    graph = written.parsed
    assert len(gradients(graph)) == 2
    assert any(COMPILED in each.attr for each in every_node(graph))
    check_operations(written.folder)
    assert tf.saved_model.load(str(written.folder)).serve(tf.zeros([1, 4, 4, 4])).shape == (1, 2, 2, 2)


def test_the_same_model_gives_the_same_graph(written: WrittenGraph, tmp_path: Path) -> None:
    tf.nn.silu(tf.zeros([1]))
    assert write(tmp_path / "again").parsed == written.parsed


def registers(stem: str, operation: str = "") -> Edit:
    """Another function is registered as a gradient, or one for something else."""

    def edit(graph: Any) -> None:
        gradients(graph)[0].gradient_func = function(graph, stem).signature.name if stem else "__inference_elsewhere_1"
        if operation:
            gradients(graph)[0].registered_op_type = operation

    edit.__name__ = f"{stem or 'a stranger'} as gradient of {operation or 'swish'}"
    return edit


def twice_for_one(graph: Any) -> None:
    gradients(graph)[1].registered_op_type = gradients(graph)[0].registered_op_type


def one_for_two(graph: Any) -> None:
    gradients(graph)[1].gradient_func = gradients(graph)[0].gradient_func


def an_exchanged_gradient(graph: Any) -> None:
    names = [each.signature.name for each in graph.graph_def.library.function]
    graph.graph_def.library.gradient.add(function_name=names[0], gradient_func=names[1])


def the_saver_under_a_gradients_name(graph: Any) -> None:
    saver, gradient = function(graph, "traced_save"), function(graph, GRADIENT)
    name, gradient.signature.name = gradient.signature.name, saver.signature.name
    saver.signature.name = name
    for each in graph.graph_def.node:
        if each.attr["f"].func.name == gradient.signature.name:
            each.attr["f"].func.name = name


def calls_the_saver(graph: Any) -> None:
    called = function(graph, GRADIENT).node_def.add(name="planted", op="StatefulPartitionedCall")
    called.attr["f"].func.name = function(graph, "traced_restore").signature.name


def holds(operation: str) -> Edit:
    def edit(graph: Any) -> None:
        function(graph, GRADIENT).node_def.add(name="planted", op=operation)

    edit.__name__ = f"{operation} in a gradient"
    return edit


def stated_by(stem: str, operation: str) -> Edit:
    """A node states a gradient that only IdentityN states."""

    def edit(graph: Any) -> None:
        kind = gradients(graph)[0].registered_op_type.encode()
        nodes(function(graph, stem), operation)[0].attr[TYPE].s = kind

    edit.__name__ = f"stated by {operation} of {stem}"
    return edit


def named_by_the_saver(graph: Any) -> None:
    """Whatever a loader makes of it: a function that saves names no other."""
    attribute = nodes(function(graph, "traced_save"), "Const")[0].attr["f"]
    attribute.func.name = function(graph, GRADIENT).signature.name


def listed_by_the_saver(graph: Any) -> None:
    attribute = nodes(function(graph, "traced_restore"), "NoOp")[0].attr["f"]
    attribute.list.func.add(name=function(graph, GRADIENT).signature.name)


def compiles(stem: str) -> Edit:
    def edit(graph: Any) -> None:
        function(graph, stem).attr[COMPILED].b = True

    edit.__name__ = f"compiles {stem}"
    return edit


def compiles_another_call(graph: Any) -> None:
    call = nodes(graph, "StatefulPartitionedCall")[0]
    call.attr[COMPILED].b = True


def compiles_by_another_word(graph: Any) -> None:
    function(graph, "jit_compiled_convolution_op").attr[COMPILED].s = b"anything"


EDITS: list[Edit] = [
    registers("serving_default"),
    registers("traced_save"),
    registers("traced_restore"),
    registers(""),
    registers(GRADIENT, "MatMul"),
    registers(GRADIENT, "SaveV2"),
    registers(GRADIENT, "CustomGradient-x"),
    twice_for_one,
    one_for_two,
    an_exchanged_gradient,
    the_saver_under_a_gradients_name,
    calls_the_saver,
    holds("WriteFile"),
    holds("PyFunc"),
    holds("SaveV2"),
    holds("SymbolicGradient"),
    stated_by("traced_save", "Const"),
    stated_by("traced_save", "Identity"),
    stated_by("serving_default", "MatMul"),
    named_by_the_saver,
    listed_by_the_saver,
    compiles("serving_default"),
    compiles("traced_save"),
    compiles(GRADIENT),
    compiles_another_call,
    compiles_by_another_word,
]


@pytest.mark.parametrize("custom_code", [False, True])
@pytest.mark.parametrize("edit", EDITS, ids=lambda edit: edit.__name__)
def test_any_other_form_is_refused(edit: Edit, custom_code: bool, written: WrittenGraph, tmp_path: Path) -> None:
    folder = written.edited(edit, tmp_path)
    with pytest.raises(MigrationError) as caught:
        check_operations(folder, custom_code=custom_code)
    assert caught.value.reason is Reason.UNSAFE_OP
