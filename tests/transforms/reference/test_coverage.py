"""What the reference says it cannot do, without running."""

from __future__ import annotations

import pytest

from tests.transforms.reference.models import Json, functional, layer, node, parse, placeholder, sequential
from transforms.records.runtime import runtime_of
from transforms.reference import uncovered


def _uncovered(model: Json, version: str = "2.2.4") -> list[str]:
    return uncovered(parse(model), runtime_of(version, "tensorflow"))


def test_a_covered_model() -> None:
    cells = layer("StackedRNNCells", cells=[layer("LSTMCell", activation="tanh", recurrent_activation="sigmoid")])
    model = sequential(
        layer("Embedding", input_dim=3, output_dim=2),
        layer("TimeDistributed", layer=sequential(layer("Dense", units=2), layer("LeakyReLU"))),
        layer("Bidirectional", layer=layer("CuDNNLSTM", units=2)),
        layer("RepeatVector", n=2),
        layer("RNN", cell=cells),
    )
    assert _uncovered(model) == []


@pytest.mark.parametrize(
    ("held", "said"),
    [
        (layer("MyLayer", "f"), "f: the layer class MyLayer"),
        (layer("TimeDistributed", "t", layer=layer("MyLayer", "f")), "t/layer: the layer class MyLayer"),
        (layer("RNN", "r", cell=layer("MyCell")), "r/cell: the layer class MyCell"),
        (layer("RNN", "r", cell=layer("GRUCell")), "r/cell: a GRUCell saved without its activation"),
        (layer("Dense", "d", activation="my_swish"), "d: activation 'my_swish'"),
        (layer("LSTM", "l", recurrent_activation="swish"), "l: activation 'swish'"),
        (layer("Dense", "d", dtype="float16"), "d: half precision"),
    ],
)
def test_what_is_missing_is_named_with_its_place(held: Json, said: str) -> None:
    assert _uncovered(sequential(held)) == [said]


def test_call_arguments() -> None:
    dense = node("Dropout", "d", ["x"], rate=0.5)
    dense["inbound_nodes"][0][0][3]["training"] = True
    assert _uncovered(functional([placeholder("x"), dense], ["d"])) == ["d: the call argument training=True"]
