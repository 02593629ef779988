import pytest

from tests.fixture_files import fixture_files
from transforms.architecture.function_signatures import FUNCTION
from transforms.layer_specs.layer_shapes import layer_shapes
from transforms.layer_specs.output_shapes import merged_directions, output_shapes
from transforms.legacy.model import open_legacy_model

#: Models of which some layer has no rule, or whose file cannot be read: nothing is known of their outputs.
SILENT = {
    *("RNN", "ConvRNN2D", "Lambda", "Attention", "Merge", "ConvLSTM2D", "MultiHeadAttention"),
    *("IntegerLookup", "CategoryEncoding", "Discretization"),
}


def shapes_of(model):
    return output_shapes(model.graph, model.runtime)


def readable():
    return [fixture for fixture in fixture_files() if "refused" not in fixture.features]


@pytest.mark.parametrize("fixture", readable(), ids=lambda fixture: fixture.name)
def test_shapes_agree_with_what_the_legacy_runtime_put_out(fixture):
    """Golden outputs of both batches, of different sizes and lengths, were written by the runtimes themselves."""
    with open_legacy_model(fixture.source) as model:
        outputs = [
            shapes_of(model).get((ref.layer,)) if ref.tensor == ref.call == 0 else None for ref in model.graph.outputs
        ]
    known = 0
    for prefix in ("", "alt_"):
        _, golden = fixture.batch(prefix)
        for shape, output in zip(outputs, golden, strict=False):
            if shape is not None:
                known += 1
                assert len(shape) == output.ndim
                assert all(extent in (None, actual) for extent, actual in zip(shape, output.shape, strict=True)), shape
    silent = any(layer.class_name in SILENT or layer.class_name.startswith(FUNCTION) for layer in model.graph.walk())
    if not silent and model.runtime.family != "keras_3":
        assert known or "inputlayer_first" in fixture.features


@pytest.mark.parametrize(
    "class_name, options, inputs, expected",
    [
        ("Dense", {"units": 3}, [(None, 5, 7)], (None, 5, 3)),
        ("Conv2D", {"filters": 4, "kernel_size": [3, 3], "strides": [2, 2]}, [(None, 9, 8, 1)], (None, 4, 3, 4)),
        ("Conv1D", {"filters": 4, "kernel_size": [3], "dilation_rate": [2]}, [(1, 9, 2)], (1, 5, 4)),
        ("Conv1D", {"filters": 4, "kernel_size": [3], "padding": "causal"}, [(None, None, 2)], (None, None, 4)),
        ("MaxPooling2D", {"data_format": "channels_first"}, [(None, 3, 5, 4)], (None, 3, 2, 2)),
        ("ZeroPadding2D", {"padding": [[1, 2], [0, 3]]}, [(None, 5, 5, 1)], (None, 8, 8, 1)),
        ("Conv2DTranspose", {"filters": 2, "kernel_size": 3, "strides": 2}, [(None, 4, 4, 1)], (None, 9, 9, 2)),
        ("GlobalAveragePooling1D", {}, [(None, None, 6)], (None, 6)),
        ("Flatten", {}, [(None, 3, 4)], (None, 12)),
        ("Reshape", {"target_shape": [2, -1]}, [(None, 6)], (None, 2, 3)),
        ("Permute", {"dims": [2, 1]}, [(None, 3, 4)], (None, 4, 3)),
        ("Concatenate", {"axis": 1}, [(None, 3, 4), (None, 2, 4)], (None, 5, 4)),
        ("Add", {}, [(None, 3, 1), (None, 3, 4)], (None, 3, 4)),
        ("Dot", {"axes": [2, 1]}, [(None, 3, 4), (None, 4, 5)], (None, 3, 5)),
        ("Dot", {"axes": -1}, [(None, 4), (None, 4)], (None, 1)),
        ("Merge", {"mode": "concat", "axis": -1}, [(None, 3), (None, 4)], (None, 7)),
        ("Merge", {"mode": "sum"}, [(None, 3), (None, 3)], (None, 3)),
        ("MaxoutDense", {"output_dim": 6}, [(None, 3)], (None, 6)),
        ("LSTM", {"units": 2}, [(None, None, 4)], (None, 2)),
    ],
)
def test_rules(class_name, options, inputs, expected):
    assert layer_shapes(class_name, options, inputs)[0] == expected


def test_states_of_a_bidirectional_layer_follow_its_outputs():
    forward, backward = [(None, 3), (None, 3), (None, 3)], [(None, 4), (None, 4), (None, 4)]
    states = [(None, 3), (None, 3), (None, 4), (None, 4)]
    assert merged_directions(forward, backward, "concat") == [(None, 7), *states]
    assert merged_directions(forward, backward, None) == [(None, 3), (None, 4), *states]


def test_every_layer_of_a_plain_model_has_a_shape():
    fixture = next(fixture for fixture in fixture_files() if fixture.name == "keras-2.2.4/bi_cudnn_merges")
    with open_legacy_model(fixture.source) as model:
        shapes = shapes_of(model)
        assert all(layer.path in shapes for layer in model.graph.walk())
