"""Every variable of a checkpoint finds its layer, or the checkpoint is refused."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.fixture_files import FixtureFile, checkpoint_files
from tests.transforms.source.checkpoint.table_writing import write_checkpoint
from transforms.architecture.source import read_architecture
from transforms.errors import MigrationError, Reason
from transforms.legacy.model import LegacyModel, open_legacy_model
from transforms.reference import forward
from transforms.source.checkpoint.bundle import Bundle, open_bundle
from transforms.source.checkpoint.messages import parse
from transforms.weights.checkpoint_object_graph import GRAPH_KEY

CHECKPOINTS = {each.name: each for each in checkpoint_files()}


@pytest.mark.parametrize("fixture", CHECKPOINTS.values(), ids=lambda fixture: fixture.name)
def test_genuine_checkpoints_give_the_legacy_outputs(fixture: FixtureFile) -> None:
    """The reference over the arrays as assigned, against what the runtime that saved them answered."""
    with open_legacy_model(fixture.source, read_architecture(fixture.architecture)) as model:
        for prefix in ("", "alt_"):
            inputs, golden = fixture.batch(prefix)
            outputs = forward(model.graph, model.weights_of, inputs, model.runtime)
            for output, wanted in zip(outputs, golden, strict=True):
                np.testing.assert_allclose(output, wanted, rtol=1e-5, atol=2e-6)


def test_the_index_names_the_checkpoint_too() -> None:
    fixture = CHECKPOINTS["tfkeras-1.15.5/cudnn_siamese.object"]  # of two shards
    architecture = read_architecture(fixture.architecture)
    with (
        open_legacy_model(Path(f"{fixture.source}.index"), architecture) as by_index,
        open_legacy_model(fixture.source, architecture, sha256=by_index.digest.sha256) as by_prefix,
    ):
        assert by_index.digest == by_prefix.digest


def test_tensorflow_1_13_stores_the_architecture_too() -> None:
    fixture = CHECKPOINTS["tfkeras-1.13.1/bi_cudnn_gru.object"]
    with (
        open_legacy_model(fixture.source, read_architecture(fixture.architecture)) as given,
        open_legacy_model(fixture.source) as stored,
    ):
        assert stored.graph.layers == given.graph.layers
        assert stored.runtime.family == given.runtime.family
        assert any("records a keras_version" in warning for warning in stored.warnings)


@pytest.mark.parametrize(
    ("name", "reveals"),
    [
        ("keras-2.2.4/emb_cudnn_lstm.saver", "cu_dnnlstm_1: CuDNNLSTM with 6 units"),
        ("tfkeras-2.3.4/emb_cudnn_lstm.object", "cu_dnnlstm: CuDNNLSTM with 6 units"),
        ("tfkeras-2.15.1/trained_two_inputs.object", "bidirectional/forward_lstm/lstm_cell: LSTM with 3 units"),
    ],
)
def test_without_an_architecture_the_variables_say_what_they_can(name: str, reveals: str) -> None:
    with pytest.raises(MigrationError) as refusal, open_legacy_model(CHECKPOINTS[name].source):
        pass
    assert refusal.value.reason is Reason.MISSING_ARCHITECTURE
    assert reveals in str(refusal.value)


def changed(name: str, change: Any) -> Any:
    """The architecture of a fixture, changed."""
    architecture = json.loads(CHECKPOINTS[name].architecture.read_text())
    change(architecture["config"]["layers"])
    return architecture


def drop_last(layers: list[Any]) -> None:
    layers.pop()


def add_dense(layers: list[Any]) -> None:
    layers.append(json.loads(json.dumps(layers[-1]).replace('"dense"', '"more"').replace('"dense_1"', '"more"')))


def wider(layers: list[Any]) -> None:
    layers[-1]["config"]["units"] += 1


def cross(layers: list[Any]) -> None:
    layers[-3]["config"]["name"], layers[-1]["config"]["name"] = "dense", "embedding"


def other_cell(layers: list[Any]) -> None:
    layers[-2]["class_name"] = "CuDNNGRU"
    del layers[-2]["config"]["unit_forget_bias"]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (drop_last, "layers"),
        (add_dense, "layers"),
        (wider, "of shape [?, 4]"),
        (cross, "belongs to"),
        (other_cell, "of shape [?, 18]"),
    ],
)
def test_objects_of_another_model_are_refused(change: Any, says: str) -> None:
    name = "tfkeras-2.3.4/emb_cudnn_lstm.object"
    with (
        pytest.raises(MigrationError) as refusal,
        open_legacy_model(CHECKPOINTS[name].source, changed(name, change)),
    ):
        pass
    assert refusal.value.reason is Reason.WEIGHTS_MISMATCH
    assert says in str(refusal.value)


def dense(name: str, units: int, inputs: int = 0) -> dict[str, Any]:
    shape = {"batch_input_shape": [None, inputs]} if inputs else {}
    return {"class_name": "Dense", "config": {"name": name, "units": units, "activation": "linear", **shape}}


def sequential(*layers: dict[str, Any]) -> dict[str, Any]:
    return {"class_name": "Sequential", "config": list(layers), "keras_version": "2.2.4", "backend": "tensorflow"}


TWO = sequential(dense("dense_1", 3, 2), dense("dense_2", 3))
KERNELS = {"dense_1/kernel": (2, 3), "dense_1/bias": (3,), "dense_2/kernel": (3, 3), "dense_2/bias": (3,)}


def opened(folder: Path, shapes: dict[str, tuple[int, ...]], architecture: Any = TWO) -> LegacyModel:
    arrays = {name: np.full(shape, index + 1.0) for index, (name, shape) in enumerate(shapes.items())}
    with open_legacy_model(write_checkpoint(folder / "ckpt", arrays), architecture) as model:
        return model


@pytest.mark.parametrize(
    "others",
    [
        {"global_step": (), "beta1_power": ()},
        {"dense_1/kernel/Adam": (2, 3), "dense_1/kernel/Adam_1": (2, 3)},
        {"training/Adam/Variable_3": (2, 3), "Adam/lr": (), "Adam/iterations": ()},
        {"training_1/SGD/dense_2/bias/momentum": (3,), "training_1/SGD/iter": ()},
        {"metrics/acc/total": (), "count_1": ()},
    ],
)
def test_training_state_beside_the_model_is_known(tmp_path: Path, others: dict[str, tuple[int, ...]]) -> None:
    model = opened(tmp_path, {**KERNELS, **others})
    assert {(*path, role) for path, held in model.arrays.items() for role in held} == {
        ("dense_1", "kernel"), ("dense_1", "bias"), ("dense_2", "kernel"), ("dense_2", "bias"),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("shapes", "says"),
    [
        ({**KERNELS, "dense_3/kernel": (3, 3)}, "1 variables that the architecture lacks: dense_3/kernel"),
        ({**KERNELS, "training/Adam/dense_9/kernel/m": (3, 3)}, "lacks: training/Adam/dense_9/kernel/m"),
        ({**KERNELS, "dense_1/scale": (3,)}, "lacks: dense_1/scale"),
        ({key: KERNELS[key] for key in list(KERNELS)[:3]}, "the checkpoint 0 of such a name"),
        ({key.replace("dense_2", "dense_2_1"): shape for key, shape in KERNELS.items()}, "elsewhere: dense_1/kernel"),
        ({**KERNELS, "dense_2/kernel": (3, 4)}, "of shape [3, 4] is in the place"),
        ({f"{scope}/{key}": shape for scope in "ab" for key, shape in KERNELS.items()}, "are in different scopes"),
        ({**KERNELS, "dense_2/kernel_1": (3, 3)}, "has 1 kernel here, the checkpoint 2"),
        ({key.replace("dense_2", "dense_2/inner"): shape for key, shape in KERNELS.items()}, "the checkpoint 0"),
    ],
)
def test_names_of_another_model_are_refused(tmp_path: Path, shapes: dict[str, tuple[int, ...]], says: str) -> None:
    with pytest.raises(MigrationError) as refusal:
        opened(tmp_path, shapes)
    assert refusal.value.reason is Reason.WEIGHTS_MISMATCH
    assert says in str(refusal.value)


def test_one_scope_around_the_whole_model_says_nothing(tmp_path: Path) -> None:
    assert len(opened(tmp_path, {f"replica/{key}": shape for key, shape in KERNELS.items()}).arrays) == 2


def test_equal_names_in_two_models_are_told_apart_by_the_models_scope(tmp_path: Path) -> None:
    models = [
        {"class_name": "Sequential", "config": {"name": name, "layers": [dense("dense_1", 2, 2)]}} for name in "ab"
    ]
    shapes = {
        f"{scope}/dense_1/{role}": shape for scope in "ab" for role, shape in (("kernel", (2, 2)), ("bias", (2,)))
    }
    model = opened(tmp_path, shapes, sequential(*models))
    assert {path: held["kernel"].name for path, held in model.arrays.items()} == {
        ("a", "dense_1"): "a/dense_1/kernel",
        ("b", "dense_1"): "b/dense_1/kernel",
    }
    with pytest.raises(MigrationError, match="do not identify"):
        opened(tmp_path, {key.partition("/")[2]: shape for key, shape in shapes.items()}, sequential(*models))


def test_what_wrappers_hold_is_counted_or_named(tmp_path: Path) -> None:
    wrapped = {"class_name": "SimpleRNN", "config": {"name": "rnn_1", "units": 2, "use_bias": False}}
    both = {
        "class_name": "Bidirectional",
        "config": {"name": "both", "layer": wrapped, "batch_input_shape": [None, 4, 3]},
    }
    for forward_name, backward_name in (("both/{}", "both/{}_1"), ("both/forward_rnn_1/{}", "both/backward_rnn_1/{}")):
        shapes = {
            name.format(role): shape
            for name in (backward_name, forward_name)
            for role, shape in (("kernel", (3, 2)), ("recurrent_kernel", (2, 2)))
        }
        model = opened(tmp_path, shapes, sequential(both))
        found = {path: {array.name for array in held.values()} for path, held in model.arrays.items()}
        assert found == {
            ("both", direction): {name.format("kernel"), name.format("recurrent_kernel")}
            for direction, name in (("forward", forward_name), ("backward", backward_name))
        }
    shapes = {
        f"both/{role}_{n}": (3 if role == "kernel" else 2, 2) for role in ("kernel", "recurrent_kernel") for n in (1, 2)
    }
    with pytest.raises(MigrationError, match="not numbered from the first"):
        opened(tmp_path, shapes, sequential(both))


def lead_to_a_slot(nodes: Any) -> None:
    """Lets the first kernel be what the optimizer keeps for it."""
    optimizer = next(node for node in nodes if node.slot_variables)
    holder = next(child for node in nodes for child in node.children if child.local_name == "kernel")
    holder.node_id = optimizer.slot_variables[0].slot_variable_node_id


def lose_a_layer(nodes: Any) -> None:
    lost = next(child.node_id for child in nodes[0].children if child.local_name == "layer_with_weights-0")
    kept = [child for child in nodes[0].children if child.node_id != lost]
    del nodes[0].children[:]
    nodes[0].children.extend(kept)


def share_a_key(nodes: Any) -> None:
    first, second, *_ = (node.attributes[0] for node in nodes if node.attributes)
    second.checkpoint_key = first.checkpoint_key


def point_nowhere(nodes: Any) -> None:
    nodes[0].children[0].node_id = len(nodes)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lead_to_a_slot, "has no object that holds"),
        (lose_a_layer, "has no object that holds"),
        (share_a_key, "which two objects share"),
        (point_nowhere, "refers to objects that it does not hold"),
    ],
)
def test_an_object_graph_that_contradicts_the_index_is_refused(
    change: Any, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    fixture = CHECKPOINTS["tfkeras-2.3.4/trained_two_inputs.object"]
    with open_bundle(fixture.source) as bundle:
        graph = parse("ObjectGraph", bundle.text(bundle.tensors[GRAPH_KEY], 1 << 20))
    change(graph.nodes)
    monkeypatch.setattr(Bundle, "text", lambda *_: graph.SerializeToString())
    with (
        pytest.raises(MigrationError, match=says) as refusal,
        open_legacy_model(fixture.source, read_architecture(fixture.architecture)),
    ):
        pass
    assert refusal.value.reason is Reason.CORRUPT_CHECKPOINT
