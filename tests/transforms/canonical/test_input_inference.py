"""Input shapes that a file does not record, told from its layers."""

from typing import Any

import numpy as np
import pytest

from transforms.architecture.parsing import parse_architecture
from transforms.canonical.input_inference import with_inferred_inputs
from transforms.canonical.model import CanonicalArray
from transforms.errors import MigrationError, Reason


def sequential(*layers: tuple[str, dict[str, Any]]) -> Any:
    stored = [{"class_name": kind, "config": {"name": f"l{i}", **config}} for i, (kind, config) in enumerate(layers)]
    return parse_architecture({"class_name": "Sequential", "config": {"name": "m", "layers": stored}})


def arrays(**shapes: dict[str, tuple[int, ...]]) -> Any:
    return {
        (layer,): {role: CanonicalArray(shape, np.dtype("f4"), lambda: np.zeros(0)) for role, shape in held.items()}
        for layer, held in shapes.items()
    }


CASES = {
    "dense": ([("Dense", {"units": 2})], {"l0": {"kernel": (5, 2)}}, [None, 5]),
    "lstm": ([("LSTM", {"units": 2})], {"l0": {"kernel": (3, 8)}}, [None, None, 3]),
    "embedding": ([("Embedding", {"input_dim": 9, "output_dim": 2})], {"l0": {"embeddings": (9, 2)}}, [None, None]),
    "conv": ([("Conv2D", {"filters": 4})], {"l0": {"kernel": (3, 3, 6, 4)}}, [None, None, None, 6]),
    "activation first": (
        [("ReLU", {}), ("Conv1D", {"filters": 4})],
        {"l1": {"kernel": (3, 6, 4)}},
        [None, None, 6],
    ),
    "pooling first": (
        [("AveragePooling1D", {}), ("Dense", {"units": 3})],
        {"l1": {"kernel": (4, 3)}},
        [None, None, 4],
    ),
    "stated further in": (
        [("Dropout", {"rate": 0.5}), ("Dense", {"units": 3, "batch_input_shape": [None, 8, 7]})],
        {"l1": {"kernel": (7, 3)}},
        [None, 8, 7],
    ),
}


@pytest.mark.parametrize(("layers", "held", "shape"), CASES.values(), ids=CASES.keys())
def test_shapes_told_by_the_layers(layers: Any, held: Any, shape: list[int | None]) -> None:
    graph, warnings = with_inferred_inputs(sequential(*layers), arrays(**held))
    assert graph.layers[0].config["batch_input_shape"] == shape
    assert len(warnings) == 1


def test_samples_settle_rank_and_extents() -> None:
    graph = sequential(("Dense", {"units": 2}))
    found, (warning,) = with_inferred_inputs(graph, arrays(l0={"kernel": (5, 2)}), sample_shape=(4, 8, 5))
    assert found.layers[0].config["batch_input_shape"] == [None, 8, 5]
    assert "taken from the samples" in warning


def test_a_recorded_shape_stays() -> None:
    graph = sequential(("Dense", {"units": 2, "batch_input_shape": [None, 5]}))
    assert with_inferred_inputs(graph, arrays(l0={"kernel": (5, 2)})) == (graph, ())


def test_layers_that_do_not_tell() -> None:
    with pytest.raises(MigrationError, match="Provide samples") as refusal:
        with_inferred_inputs(sequential(("Flatten", {})), {})
    assert refusal.value.reason is Reason.INVALID_CONFIG
