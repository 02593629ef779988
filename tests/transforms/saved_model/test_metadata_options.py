"""Options that older releases do not know are not written where they say nothing."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tf_keras.protobuf.saved_metadata_pb2 import SavedMetadata

from transforms.saved_model.metadata_options import without_young_options


def kept(stored: dict[str, Any]) -> dict[str, Any]:
    metadata = SavedMetadata()
    metadata.nodes.add(metadata=json.dumps(stored), identifier="_tf_keras_layer")
    found: dict[str, Any] = json.loads(without_young_options(metadata).nodes[0].metadata)
    return found


@pytest.mark.parametrize(
    "class_name, option, value, written",
    [
        ("InputLayer", "optional", False, False),
        ("InputLayer", "optional", True, True),
        ("InputLayer", "ragged", False, True),
        ("MultiHeadAttention", "softmax_robust_masking", False, False),
        ("MultiHeadAttention", "softmax_robust_masking", True, True),
        ("MultiHeadAttention", "query_shape", [None, 5, 4], True),
        ("GlobalMaxPooling1D", "keepdims", False, False),
        ("GlobalMaxPooling1D", "keepdims", True, True),
        ("LSTM", "time_major", False, True),
        ("LSTM", "recurrent_activation", "sigmoid", True),
        ("Dense", "name", "x", True),
        ("OneThatNobodyKnows", "optional", False, True),
    ],
)
def test_an_option(class_name: str, option: str, value: Any, written: bool) -> None:
    layer = {"class_name": class_name, "config": {"name": "layer", option: value}}
    for stored in (layer, {"class_name": "Functional", "config": {"layers": [{"layer": layer}]}}):
        assert (f'"{option}": ' in json.dumps(kept(stored))) == written


def test_what_is_no_option_stays() -> None:
    stored = {"class_name": "InputLayer", "optional": False, "config": {"batch_input_shape": None}, "build_config": [1]}
    assert kept(stored) == stored
