"""Which rewrites a file gets, and what the canonical model looks like."""

from typing import Any

import numpy as np
import pytest

from tests.fixture_files import MIGRATABLE, FixtureFile, fixture_file
from transforms.architecture.parsing import parse_architecture
from transforms.canonical import CanonicalModel, canonicalise
from transforms.canonical.fingerprint import architecture_fingerprint
from transforms.canonical.model import LayerRewrite, RewriteContext
from transforms.canonical.rewrites.single_layer import refuse_shared_state
from transforms.canonical.rewrites.stored_functions import BY_MASK
from transforms.canonical.subgraph import TENSOR_OP
from transforms.errors import MigrationError
from transforms.layer_specs.registry import CANONICAL
from transforms.legacy.model import open_legacy_model
from transforms.records.rewrites import REWRITES


def canonical(fixture: FixtureFile) -> CanonicalModel:
    with open_legacy_model(fixture.source) as model:
        return canonicalise(model)


@pytest.mark.parametrize(
    ("name", "rules"),
    [
        ("keras-2.2.4/emb_cudnn_lstm", {"cudnn_lstm_to_lstm"}),
        ("keras-2.2.4/cudnn_gru", {"cudnn_gru_to_gru"}),
        ("keras-2.2.4/masked_bi_sequences", {"bidirectional_masked_steps"}),
        ("keras-2.2.4/masked_bi_last", set()),
        ("tfkeras-1.13.1/masked_bi_last", {"bidirectional_masked_steps"}),
        ("tfkeras-1.15.5/masked_bi_last", set()),
        ("keras-2.2.4/masked_initial_state", {"masked_steps_keep_state"}),
        ("keras-2.2.4/masked_stacked_cells", {"masked_steps_keep_state"}),
        ("keras-2.2.4/stateful", {"stateful_reset_each_call"}),
        ("keras-2.2.4/channels_first", {"channels_first_to_last"}),
        ("keras-2.2.4/bilinear", {"bilinear_as_written"}),
        ("tfkeras-1.15.5/bilinear", set()),
        ("keras-2.0.9/gru_before_reset_after", {"cudnn_lstm_to_lstm", "reset_after_stated"}),
        ("tfkeras-1.13.1/batch_norm", {"class_renamed", "axis_unwrapped"}),
    ],
)
def test_rewrites_of_a_file(name: str, rules: set[str]) -> None:
    assert {note.rule for note in canonical(fixture_file(name)).rewrites} == rules


@pytest.mark.parametrize("fixture", MIGRATABLE, ids=lambda fixture: fixture.name)
def test_every_layer_is_of_an_admitted_class_and_every_array_as_promised(fixture: FixtureFile) -> None:
    with open_legacy_model(fixture.source) as model:
        result = canonicalise(model)
        for held in result.arrays.values():
            for array in held.values():
                values = array.read()
                assert values.shape == array.shape
                assert values.dtype == array.dtype
                assert array.dtype.kind in "iu" or array.dtype == np.dtype(result.floatx)
    for layer in result.graph.walk():
        assert layer.class_name in {*CANONICAL, "InputLayer", "Model", "Sequential", "Functional", TENSOR_OP, BY_MASK}
    assert {note.rule for note in result.rewrites} <= set(REWRITES)


def test_the_fingerprint_is_of_the_architecture_not_of_the_weights() -> None:
    one = architecture_fingerprint(canonical(fixture_file("keras-2.2.4/emb_cudnn_lstm")))
    again = architecture_fingerprint(canonical(fixture_file("keras-2.2.4/emb_cudnn_lstm")))
    other = architecture_fingerprint(canonical(fixture_file("keras-2.2.4/cudnn_gru")))
    assert one == again != other


def test_a_stateful_layer_that_one_request_calls_twice_is_refused() -> None:
    def layer(class_name: str, name: str, *inbound: Any, **config: Any) -> dict[str, Any]:
        stored = {"name": name, **config}
        return {"class_name": class_name, "name": name, "config": stored, "inbound_nodes": list(inbound)}

    entry = layer("InputLayer", "x", batch_input_shape=[2, 3, 4])
    shared = layer("GRU", "gru", [["x", 0, 0, {}]], [["x", 0, 0, {}]], units=2, stateful=True)
    config = {"name": "m", "layers": [entry, shared], "input_layers": [["x", 0, 0]], "output_layers": [["gru", 1, 0]]}
    with pytest.raises(MigrationError, match="called 2 times") as refusal:
        refuse_shared_state(parse_architecture({"class_name": "Functional", "config": config}))
    assert refusal.value.layer == ("gru",)


def test_a_mistake_in_a_rule_is_not_told_as_a_damaged_file() -> None:
    """The migration reports it as `internal_error`; `invalid_config` would send the operator after the file."""

    def mistaken(rewrite: LayerRewrite, context: RewriteContext) -> LayerRewrite:
        raise KeyError("a mistake")

    with open_legacy_model(fixture_file("keras-2.2.4/stateful").source) as model, pytest.raises(KeyError):
        canonicalise(model, rules=(mistaken,))
