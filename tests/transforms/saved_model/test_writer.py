"""One artefact, every reader."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
import tf_keras
from tensorflow.core.framework.tensor_pb2 import TensorProto
from tensorflow.core.protobuf.saved_model_pb2 import SavedModel

from tests.fixture_files import ARCHITECTURES, ARTEFACTS, FixtureFile
from tests.transforms.conftest import Migrations
from transforms.inspection.inspect import inspect_source
from transforms.rebuild import RebuiltModel
from transforms.saved_model.graph_form import all_nodes
from transforms.saved_model.loaded import LoadedArtefact
from transforms.saved_model.oldest_release import requirements
from transforms.saved_model.writer import write_saved_model, written_graph

#: What some layers need that TensorFlow 1.15 does not have yet: counts of categories, diagonals, an inverse function.
YOUNGER = {"DenseBincount", "Erfinv", "MatrixDiagPartV3", "MatrixDiagV3", "MatrixSetDiagV3"}


@pytest.mark.parametrize("fixture", ARCHITECTURES, ids=lambda fixture: fixture.name)
def test_tf_keras_loads_it_with_the_same_outputs(fixture: FixtureFile, migrated: Migrations) -> None:
    import tf_keras

    done = migrated(fixture.name)
    model = tf_keras.models.load_model(done.folder, compile=False)
    with np.load(done.folder / "assets.extra" / "samples.npz") as held:
        inputs = [tf.cast(held[f"x{i}"], tensor.dtype) for i, tensor in enumerate(model.inputs)]
        kept = [held[f"y{i}"] for i in range(len(done.outcome.output_names))]
    outputs = tf.nest.flatten(model(inputs[0] if len(inputs) == 1 else inputs, training=False))
    for output, wanted in zip(outputs, kept, strict=True):
        if output.dtype == tf.string:
            np.testing.assert_array_equal(output.numpy(), wanted.astype(object))
        else:
            np.testing.assert_allclose(output.numpy(), wanted, rtol=1e-5, atol=1e-6)
    tf_keras.backend.clear_session()


@pytest.mark.parametrize("fixture", ARTEFACTS)
def test_old_releases_know_all_that_it_holds(fixture: FixtureFile, migrated: Migrations) -> None:
    """Nothing younger than what its layers need, which `inspect` foresees; and loops that converters understand."""
    done = migrated(fixture.name)
    graph = written_graph(done.folder)
    assert {each.operation for each in requirements(graph)} <= YOUNGER
    inspection = inspect_source(fixture.source, shapes=True)
    assert inspection.tensorflow_min == done.outcome.tensorflow_min
    for kind in ("inputs", "outputs"):
        foreseen, written = (getattr(each.signature, kind) for each in (inspection, done.outcome))
        assert [(each.layer, each.name, each.array) for each in foreseen] == [
            (each.layer, each.name, each.array) for each in written
        ]
    assert not any(node.op == "While" for _, node in all_nodes(graph))


def test_the_loaded_object_serves_and_can_be_called(migrated: Migrations) -> None:
    done = migrated("keras-2.3.1/cudnn_seq2seq")
    loaded = tf.saved_model.load(str(done.folder))
    inputs, golden = done.fixture.batch()
    tensors = [tf.cast(x, each.dtype) for x, each in zip(inputs, done.outcome.signature.inputs, strict=True)]
    names = done.outcome.input_names
    keywords = dict(zip(names, tensors, strict=True))
    assert [each.name for each in done.outcome.signature.inputs] == list(names)
    for outputs in (
        *(call(*tensors) for call in (loaded, loaded.serve)),
        *(call(list(tensors)) for call in (loaded, loaded.serve)),
        *(call(tuple(tensors)) for call in (loaded, loaded.serve)),
        *(call(**keywords) for call in (loaded, loaded.serve)),
    ):
        for output, wanted in zip(tf.nest.flatten(outputs), golden, strict=True):
            np.testing.assert_allclose(output.numpy(), wanted, rtol=2e-4, atol=2e-5)


def test_the_signature_bears_layer_names_and_keeps_batch_and_time_free(migrated: Migrations) -> None:
    done = migrated("keras-2.2.4/emb_cudnn_lstm")
    (spec,) = LoadedArtefact(done.folder).inputs
    assert spec.name == done.outcome.input_names[0]
    assert spec.shape == (None, None)


def test_a_stateful_model_answers_twice_alike_and_takes_any_batch(migrated: Migrations) -> None:
    done = migrated("keras-2.2.4/stateful")
    artefact = LoadedArtefact(done.folder)
    (spec,) = artefact.inputs
    assert spec.shape[0] is None
    ((x,), (golden,)) = done.fixture.batch()
    first, second = artefact.run({spec.name: x}), artefact.run({spec.name: x})
    assert all(np.array_equal(first[name], second[name]) for name in first)
    (row,) = artefact.run({spec.name: x[1:2]}).values()
    np.testing.assert_allclose(row, golden[1:2], rtol=1e-4, atol=1e-5)


def test_a_call_with_another_batch_than_the_fixed_one_names_it(tmp_path: Path) -> None:
    x = tf_keras.Input(batch_shape=(3, 2))
    model = tf_keras.Model(x, tf_keras.layers.Reshape((2, 1))(x))
    write_saved_model(RebuiltModel(model, ("ids",), ("steps",), {}, {}), tmp_path)
    loaded = tf.saved_model.load(str(tmp_path))
    assert loaded(tf.ones((3, 2))).shape == (3, 2, 1)
    with pytest.raises((ValueError, TypeError, tf.errors.InvalidArgumentError), match=r"\b3\b"):
        loaded.signatures["serving_default"](ids=tf.ones((1, 2)))


def test_recurrent_layers_keep_the_choice_of_a_cudnn_kernel(migrated: Migrations) -> None:
    done = migrated("keras-2.2.4/emb_cudnn_lstm")
    (meta_graph,) = SavedModel.FromString((done.folder / "saved_model.pb").read_bytes()).meta_graphs
    offered = {
        function.attr["api_preferred_device"].s
        for function in meta_graph.graph_def.library.function
        if "api_implements" in function.attr
    }
    assert {b"CPU", b"GPU"} <= offered


def test_saved_model_cli_shows_and_runs_it(migrated: Migrations) -> None:
    done = migrated("keras-2.2.4/multi_io")
    cli = Path(sys.executable).with_name("saved_model_cli")
    show = subprocess.run(
        [cli, "show", "--dir", done.folder, "--tag_set", "serve", "--signature_def", "serving_default"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert all(name in show.stdout for name in (*done.outcome.input_names, *done.outcome.output_names))


def test_keras_3_serves_it_through_tfsmlayer(migrated: Migrations) -> None:
    """By the signature, and with a list of inputs by `serve`; samples are of the types that it takes."""
    folders = [str(migrated(name).folder) for name in ("keras-2.2.4/emb_cudnn_lstm", "keras-2.2.4/multi_io")]
    code = (
        "import sys, numpy as np, keras\n"
        "layer = keras.layers.TFSMLayer(sys.argv[1], call_endpoint='serving_default')\n"
        "held = np.load(sys.argv[1] + '/assets.extra/samples.npz')\n"
        "out = list(layer(held['x0']).values())[0]\n"
        "np.testing.assert_allclose(np.asarray(out), held['y0'], rtol=1e-5, atol=1e-6)\n"
        "layer = keras.layers.TFSMLayer(sys.argv[2], call_endpoint='serve')\n"
        "held = np.load(sys.argv[2] + '/assets.extra/samples.npz')\n"
        "for index, out in enumerate(layer([held['x0'], held['x1']])):\n"
        "    np.testing.assert_allclose(np.asarray(out), held[f'y{index}'], rtol=1e-5, atol=1e-6)\n"
    )
    subprocess.run([sys.executable, "-c", code, *folders], check=True, capture_output=True)


def test_tf_serving_warmup_holds_the_request(migrated: Migrations) -> None:
    done = migrated("keras-2.2.4/emb_cudnn_lstm")
    path = done.folder / "assets.extra" / "tf_serving_warmup_requests"
    (record,) = list(tf.data.TFRecordDataset(str(path)).as_numpy_iterator())
    log = fields(record)
    request = fields(fields(log[6][0])[1][0])
    assert fields(request[1][0])[3] == [b"serving_default"]
    entry = fields(request[2][0])
    assert entry[1] == [done.outcome.input_names[0].encode()]
    with np.load(done.folder / "assets.extra" / "samples.npz") as held:
        np.testing.assert_array_equal(tf.make_ndarray(TensorProto.FromString(entry[2][0])), held["x0"])


def fields(message: bytes) -> dict[int, list[bytes]]:
    """The length-delimited fields of a protocol buffer, by number."""
    found: dict[int, list[bytes]] = {}
    position = 0
    while position < len(message):
        key, position = varint(message, position)
        assert key & 7 == 2
        size, position = varint(message, position)
        found.setdefault(key >> 3, []).append(message[position : position + size])
        position += size
    return found


def varint(message: bytes, position: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = message[position]
        value |= (byte & 0x7F) << shift
        position, shift = position + 1, shift + 7
        if byte < 0x80:
            return value, position
