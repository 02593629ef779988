"""One artefact, every reader."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.framework.tensor_pb2 import TensorProto
from tensorflow.core.protobuf.saved_model_pb2 import SavedModel

from tests.fixture_files import MIGRATABLE, FixtureFile
from tests.transforms.conftest import Migrations
from transforms.saved_model.loaded import LoadedArtefact


@pytest.mark.parametrize("fixture", MIGRATABLE, ids=lambda fixture: fixture.name)
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


def test_the_loaded_object_serves_and_can_be_called(migrated: Migrations) -> None:
    done = migrated("keras-2.3.1/cudnn_seq2seq")
    loaded = tf.saved_model.load(str(done.folder))
    inputs, golden = done.fixture.batch()
    tensors = [tf.cast(x, spec.dtype) for x, spec in zip(inputs, loaded.serve.input_signature, strict=True)]
    for outputs in (loaded(*tensors), loaded.serve(*tensors)):
        for output, wanted in zip(tf.nest.flatten(outputs), golden, strict=True):
            np.testing.assert_allclose(output.numpy(), wanted, rtol=2e-4, atol=2e-5)


def test_the_signature_bears_layer_names_and_keeps_batch_and_time_free(migrated: Migrations) -> None:
    done = migrated("keras-2.2.4/emb_cudnn_lstm")
    (spec,) = LoadedArtefact(done.folder).inputs
    assert spec.name == done.outcome.input_names[0]
    assert spec.shape == (None, None)


def test_a_stateful_model_answers_twice_alike_and_keeps_its_batch_size(migrated: Migrations) -> None:
    done = migrated("keras-2.2.4/stateful")
    artefact = LoadedArtefact(done.folder)
    assert all(spec.shape[0] is not None for spec in artefact.inputs)
    feed = dict(zip(done.outcome.input_names, done.fixture.batch()[0], strict=True))
    first, second = artefact.run(feed), artefact.run(feed)
    assert all(np.array_equal(first[name], second[name]) for name in first)


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
    done = migrated("keras-2.2.4/emb_cudnn_lstm")
    code = (
        "import sys, numpy as np, keras\n"
        "layer = keras.layers.TFSMLayer(sys.argv[1], call_endpoint='serving_default')\n"
        "held = np.load(sys.argv[1] + '/assets.extra/samples.npz')\n"
        "spec = list(layer.call_endpoint_fn.structured_input_signature[1].values())[0]\n"
        "out = list(layer(held['x0'].astype(spec.dtype.as_numpy_dtype)).values())[0]\n"
        "np.testing.assert_allclose(np.asarray(out), held['y0'], rtol=1e-5, atol=1e-6)\n"
    )
    subprocess.run([sys.executable, "-c", code, str(done.folder)], check=True, capture_output=True)


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
