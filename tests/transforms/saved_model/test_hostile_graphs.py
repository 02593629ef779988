"""Whatever an artefact's graph does when it is loaded or called, no file is touched: graphs made from genuine ones.

Functions, attributes, devices, signatures, inputs and control edges are exchanged at random. Each graph that the check
lets pass is loaded and called, with TensorFlow's exchange of functions on, as a server has it; every path that such a
graph could name lies in a folder that must stay as it was.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.transforms.conftest import Migrations
from tests.transforms.saved_model.written_graphs import WrittenGraph, every_node, function, node
from transforms.errors import MigrationError
from transforms.saved_model.operation_check import check_operations

_LOAD_AND_CALL = """
import json, os, sys
os.environ.update(TF_CPP_MIN_LOG_LEVEL="3", CUDA_VISIBLE_DEVICES="-1")
import numpy as np
import tensorflow as tf

for folder in json.load(sys.stdin):
    try:
        loaded = tf.saved_model.load(folder)
        for served in (loaded.signatures["serving_default"], loaded):
            specs = loaded.signatures["serving_default"].structured_input_signature[1]
            feed = {name: tf.zeros([2 if d is None else d for d in spec.shape], spec.dtype)
                    for name, spec in specs.items()}
            served(**feed) if served is not loaded else served(*feed.values())
        print("called")
    except Exception as error:
        print(type(error).__name__)
"""


def called(folders: list[Path]) -> list[str]:
    """What comes of loading and calling each artefact in a fresh process: `called`, or the name of an error."""
    done = subprocess.run(
        [sys.executable, "-c", _LOAD_AND_CALL],
        input=json.dumps([str(folder) for folder in folders]),
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.split()


def constant(holder: Any, name: str, text: str) -> str:
    """Plants a node that holds a text; its name."""
    planted = holder.add(name=name, op="Const")
    planted.attr["dtype"].type = planted.attr["value"].tensor.dtype = 7
    planted.attr["value"].tensor.tensor_shape.SetInParent()
    planted.attr["value"].tensor.string_val.append(text.encode())
    return name


def writes(holder: Any, path: str) -> None:
    """Plants nodes that write a file at `path`."""
    texts = [constant(holder, f"planted_{kind}", text) for kind, text in (("path", path), ("name", "a"), ("slice", ""))]
    for text in texts[1:]:
        shape = next(each for each in holder if each.name == text).attr["value"].tensor.tensor_shape
        shape.dim.add(size=1)
    saved = holder.add(name="planted_save", op="SaveV2", input=[f"{text}:output:0" for text in (*texts, texts[0])])
    saved.attr["dtypes"].list.type.append(7)


def exchanged_for_the_saver(graph: Any, path: str) -> None:
    """What is served calls a harmless function; Grappler calls the saver's in its place."""
    harmless = function(graph, "standard_lstm")
    saver = function(graph, "traced_save")
    name = saver.signature.name
    saver.CopyFrom(harmless)
    saver.signature.name = name
    writes(saver.node_def, path)
    saver.control_ret["planted"] = "planted_save"
    saver.signature.control_output.append("planted")
    saver.signature.is_stateful = True
    saver.attr["api_preferred_device"].s = b"CPU"
    harmless.attr["api_preferred_device"].s = b"GPU"
    call = node(graph, graph.saver_def.save_tensor_name.partition(":")[0])
    del call.input[:]
    call.input.append("saver_filename")


def test_a_graph_that_writes_through_an_exchanged_function_does_and_is_refused(
    migrated: Migrations, tmp_path: Path
) -> None:
    written = WrittenGraph(migrated("keras-2.2.4/emb_cudnn_lstm").folder)
    target = tmp_path / "target"
    target.mkdir()
    folder = written.edited(lambda graph: exchanged_for_the_saver(graph, f"{target}/written"), tmp_path / "artefact")
    assert called([folder]) == ["called"]
    assert [path.name for path in target.iterdir()] != []
    with pytest.raises(MigrationError):
        check_operations(folder, custom_code=True)


#: Each takes a graph, a path to plant, and two numbers to choose by.
Mutation = Callable[[Any, str, int, int], None]


def _at(items: list[Any], number: int) -> Any:
    return items[number % len(items)]


def _calls(graph: Any) -> list[Any]:
    """Every attribute that names a function."""
    return [value for each in every_node(graph) for value in each.attr.values() if value.HasField("func")]


def _functions(graph: Any) -> list[Any]:
    return list(graph.graph_def.library.function)


def swap_called(graph: Any, path: str, a: int, b: int) -> None:
    first, second = _at(_calls(graph), a).func, _at(_calls(graph), b).func
    first.name, second.name = second.name, first.name


def call_another(graph: Any, path: str, a: int, b: int) -> None:
    _at(_calls(graph), a).func.name = _at(_functions(graph), b).signature.name


def swap_bodies(graph: Any, path: str, a: int, b: int) -> None:
    first, second = _at(_functions(graph), a), _at(_functions(graph), b)
    first.signature.name, second.signature.name = second.signature.name, first.signature.name


def copy_attributes(graph: Any, path: str, a: int, b: int) -> None:
    source, target = _at(_functions(graph), a), _at(_functions(graph), b)
    for name, value in list(source.attr.items()):
        target.attr[name].CopyFrom(value)


def prefer_another_device(graph: Any, path: str, a: int, b: int) -> None:
    bears = [each for each in _functions(graph) if "api_preferred_device" in each.attr]
    _at(bears, a).attr["api_preferred_device"].s = (b"CPU", b"GPU", b"")[b % 3]


def move(graph: Any, path: str, a: int, b: int) -> None:
    devices = ["", "/device:CPU:0", "/device:GPU:0", "/job:worker/task:1", "/device:CPU:*"]
    _at(list(every_node(graph)), a).device = devices[b % len(devices)]


def depend(graph: Any, path: str, a: int, b: int) -> None:
    held = list(graph.graph_def.node)
    _at(held, a).input.append(f"^{_at(held, b).name}")


def rewire(graph: Any, path: str, a: int, b: int) -> None:
    for holder in (graph.graph_def.node, _at(_functions(graph), a).node_def):
        fed = [each for each in holder if each.input]
        if fed:
            source, target = _at(fed, a + b), _at(fed, b)
            target.input[a % len(target.input)] = source.input[b % len(source.input)]


def serve_another(graph: Any, path: str, a: int, b: int) -> None:
    served = graph.signature_def["serving_default" if a % 2 else "__saved_model_init_op"]
    next(iter(served.outputs.values())).name = f"{_at(list(graph.graph_def.node), b).name}:0"


def ask_for_another(graph: Any, path: str, a: int, b: int) -> None:
    inputs = graph.signature_def["serving_default"].inputs
    next(iter(inputs.values())).name = f"{_at(list(graph.graph_def.node), b).name}:0"


def start_another(graph: Any, path: str, a: int, b: int) -> None:
    name = ("saved_model_main_op", "legacy_init_op")[a % 2]
    del graph.collection_def[name].node_list.value[:]
    graph.collection_def[name].node_list.value.append(_at(list(graph.graph_def.node), b).name)


def save_another(graph: Any, path: str, a: int, b: int) -> None:
    field = ("save_tensor_name", "restore_op_name", "filename_tensor_name")[a % 3]
    setattr(graph.saver_def, field, _at(list(graph.graph_def.node), b).name + (":0" if a % 2 else ""))


def plant_path(graph: Any, path: str, a: int, b: int) -> None:
    """A text in a function, in place of an input of a node that reaches files."""
    holder = _at(_functions(graph), a).node_def
    reaching = [each for each in holder if each.op in ("SaveV2", "RestoreV2", "MergeV2Checkpoints", "ShardedFilename")]
    name = constant(holder, f"planted_{len(holder)}", path)
    if reaching:
        target = _at(reaching, b)
        target.input[b % min(2, len(target.input))] = f"{name}:output:0"


def plant_save(graph: Any, path: str, a: int, b: int) -> None:
    chosen = _at(_functions(graph), a)
    if not any(each.name == "planted_save" for each in chosen.node_def):
        writes(chosen.node_def, path)
        chosen.control_ret["planted"] = "planted_save"


def path_by_default(graph: Any, path: str, a: int, b: int) -> None:
    held = [each for each in graph.graph_def.node if each.op == "Placeholder"]
    if held:
        target = _at(held, a)
        name = constant(graph.graph_def.node, f"planted_{len(graph.graph_def.node)}", path)
        target.op = "PlaceholderWithDefault"
        target.input.append(name)


def another_operation(graph: Any, path: str, a: int, b: int) -> None:
    operations = ["Identity", "NoOp", "SaveV2", "RestoreV2", "MergeV2Checkpoints", "PartitionedCall", "WriteFile"]
    _at(list(every_node(graph)), a).op = operations[b % len(operations)]


def offer(graph: Any, path: str, a: int, b: int) -> None:
    offered = [each for each in graph.object_graph_def.nodes if each.WhichOneof("kind") == "function"]
    _at(offered, a).function.concrete_functions[:] = [_at(_functions(graph), b).signature.name]


def copy_attribute(graph: Any, path: str, a: int, b: int) -> None:
    held = list(every_node(graph))
    source, target = _at(held, a), _at(held, b)
    for name, value in list(source.attr.items())[a % 3 :]:
        target.attr[name].CopyFrom(value)


MUTATIONS: list[Mutation] = [
    swap_called,
    call_another,
    swap_bodies,
    copy_attributes,
    prefer_another_device,
    move,
    depend,
    rewire,
    serve_another,
    ask_for_another,
    start_another,
    save_another,
    plant_path,
    plant_save,
    path_by_default,
    another_operation,
    offer,
    copy_attribute,
]
_NUMBER = st.integers(0, 400)
_MUTANTS = st.lists(st.tuples(st.sampled_from(MUTATIONS), _NUMBER, _NUMBER), min_size=1, max_size=3)
_CALLED = 15


def test_what_passes_the_check_touches_no_file(migrated: Migrations, tmp_path: Path) -> None:
    written = WrittenGraph(migrated("keras-2.2.4/emb_cudnn_lstm").folder)
    target = tmp_path / "target"
    target.mkdir()
    passed: list[Path] = []
    refused = 0

    @settings(max_examples=150, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(_MUTANTS)
    def mutate(mutations: list[tuple[Mutation, int, int]]) -> None:
        nonlocal refused

        def edit(graph: Any) -> None:
            for mutation, a, b in mutations:
                mutation(graph, f"{target}/written", a, b)

        folder = written.edited(edit, tmp_path / f"mutant_{len(passed)}")
        try:
            check_operations(folder, custom_code=True)
        except MigrationError:
            refused += 1
            return
        if len(passed) < _CALLED:
            passed.append(folder)

    mutate()
    assert refused > 50
    assert len(passed) == _CALLED
    found = called(passed)
    assert len(found) == len(passed)
    assert "called" in found
    assert [path.name for path in target.iterdir()] == []
