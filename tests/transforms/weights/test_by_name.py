"""The arrays of a file by the names that it gives them, in whatever order."""

import random
from typing import Any

import pytest

from tests.transforms.weights.stored_models import dense, graph_of, layer_of, listed, names, norm, sequential, wrapped
from transforms.layer_specs.registry import SPECS
from transforms.weights.by_name import arrays_by_name, groups_by_name
from transforms.weights.named_roles import owned_roles
from transforms.weights.roles_keras_1 import KERAS_1_WEIGHTED, keras_1_roles_of

LSTM = {"class_name": "LSTM", "config": {"name": "lstm_1", "units": 4}}
CELLS = [{"class_name": kind, "config": {"units": 4}} for kind in ("LSTMCell", "GRUCell")]
STACKED = {
    "class_name": "RNN",
    "config": {"name": "rnn", "cell": {"class_name": "StackedRNNCells", "config": {"cells": CELLS}}},
}
MODEL = sequential("m", dense("dense_1"), wrapped("TimeDistributed", "td", dense("dense_2")), dense("dense_3"))
TWO_BI = sequential("m", wrapped("Bidirectional", "bi_1", LSTM), wrapped("Bidirectional", "bi_2", LSTM))


@pytest.mark.parametrize(
    ("layer", "places"),
    [
        # One layer: whatever its arrays are named after.
        (dense("b"), {"b:kernel": "a/kernel:0", "b:bias": "a/bias:0"}),
        (MODEL, {"m/dense_1:kernel": "dense_1/kernel", "m/td/layer:kernel": "td/kernel",
                 "m/dense_3:bias": "dense_3/bias"}),
        (MODEL, {"m/td/layer:kernel": "td/dense_2/kernel", "m/dense_1:kernel": "m/dense_1/kernel"}),
        # Scopes that were there before.
        (MODEL, {"m/dense_1:kernel": "dense_1_1/kernel", "m/td/layer:kernel": "td_1/kernel"}),
        (MODEL, {"m/dense_1:kernel": "dense_1/kernel", "m/td/layer:kernel": "td_4/kernel"}),
        (TWO_BI, {
            "m/bi_1/forward:kernel": "bi_1/forward_lstm_1/kernel:0",
            "m/bi_1/backward:kernel": "bi_1/backward_lstm_1/kernel:0",
            "m/bi_2/backward:kernel": "bi_2/backward_lstm_1/lstm_cell_5/kernel:0",
        }),
        (wrapped("Bidirectional", "b", LSTM),
         {"b/forward:bias": "b/forward_cu_dnnlstm_7/bias", "b/backward:bias": "b/backward_cu_dnnlstm_7/bias"}),
        (STACKED, {"rnn/cell/0:kernel": "rnn/kernel:0", "rnn/cell/1:kernel": "rnn/kernel_1:0"}),
        ({"class_name": "MultiHeadAttention", "config": {"name": "mha"}},
         {"mha:query_kernel": "mha/query/kernel:0", "mha:attention_output_bias": "mha/attention_output/bias:0"}),
        ({"class_name": "DepthwiseConv2D", "config": {"name": "d"}}, {"d:depthwise_kernel": "d/kernel"}),
        (sequential("m", {"class_name": "Normalization", "config": {"name": "n"}}, dense("d")),
         {"m/n:mean": "mean:0", "m/n:count": "count:0", "m/d:kernel": "d/kernel:0"}),
    ],
)  # fmt: skip
def test_names_find_their_layers(layer: dict[str, Any], places: dict[str, str]) -> None:
    arrays = listed(places.values())
    random.Random(1).shuffle(arrays)
    found = arrays_by_name(layer_of(layer), arrays, keras_1=False)
    assert found is not None
    assert found.exact
    assert names(found.arrays) == places


def test_names_of_keras_1() -> None:
    layer = sequential("m", dense("b_W"), dense("b"), wrapped("Bidirectional", "bi", LSTM))
    places = {
        "m/b_W:b": "b_W_b",
        "m/b:W": "b_W",
        "m/bi/forward:W_i": "forward_lstm_1_W_i",
        "m/bi/backward:U": "backward_lstm_1_U:0",
    }
    found = arrays_by_name(layer_of(layer), listed(places.values()), keras_1=True)
    assert found is not None
    assert names(found.arrays) == places


@pytest.mark.parametrize("given", ["dense_4 td_7 dense_5", "dense dense_9 td_1"])
def test_other_automatic_names_stand_by_rank(given: str) -> None:
    found = arrays_by_name(layer_of(MODEL), listed(f"{name}/kernel" for name in given.split()), keras_1=False)
    assert found is not None
    assert not found.exact
    first, second = sorted(name for name in given.split() if name.startswith("dense"))
    assert names(found.arrays)["m/dense_1:kernel"] == f"{first}/kernel"
    assert names(found.arrays)["m/dense_3:kernel"] == f"{second}/kernel"


@pytest.mark.parametrize(
    "given",
    ["param_0 param_1", "dense_1/kernel dense_1/kernel_x", "dense_1/kernel other/kernel third/kernel", "dense_1/gamma"],
)
def test_names_that_do_not_tell(given: str) -> None:
    assert arrays_by_name(layer_of(MODEL), listed(given), keras_1=False) is None


def test_a_layer_that_two_models_share_is_stored_once() -> None:
    layer = sequential("m", sequential("p", dense("d"), dense("e")), sequential("q", dense("d"), dense("f")))
    found = arrays_by_name(layer_of(layer), listed("d/kernel e/kernel f/kernel"), keras_1=False)
    assert found is not None
    assert names(found.arrays) == {
        "m/p/d:kernel": "d/kernel", "m/q/d:kernel": "d/kernel", "m/p/e:kernel": "e/kernel", "m/q/f:kernel": "f/kernel",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("groups", "layers", "pairs", "exact"),
    [
        ("a b", "b a", {"a": "a", "b": "b"}, True),
        ("dense_5 dense_6", "dense_1 dense_2", {"dense_1": "dense_5", "dense_2": "dense_6"}, False),
        ("dense_1 dense_2", "dense_2 dense_3", {"dense_2": "dense_1", "dense_3": "dense_2"}, False),
        ("dense dense_10 dense_9", "dense_1 dense_2 dense_3",
         {"dense_1": "dense", "dense_2": "dense_9", "dense_3": "dense_10"}, False),
        ("dense_1 sequential_1", "dense_1 model_2", {"dense_1": "dense_1", "model_2": "sequential_1"}, False),
        ("x y", "a b", None, False),
    ],
)  # fmt: skip
def test_groups_find_their_layers(groups: str, layers: str, pairs: dict[str, str] | None, exact: bool) -> None:
    found = groups_by_name(graph_of(*(dense(name) for name in layers.split())), groups.split(), keras_1=False)
    assert (found and (found.groups, found.exact)) == (pairs and (pairs, exact))


def test_every_class_with_arrays_has_named_roles() -> None:
    """The tables are written apart: here they are held against each other."""
    for name, spec in SPECS.items():
        if spec.roles is not None:
            roles = {role.name for role in spec.roles({"use_scale": True, "bias_axes": "d"})}
            assert roles <= owned_roles(name, keras_1=False), name
    for name in KERAS_1_WEIGHTED:
        for config in ({}, {"consume_less": "gpu"}):
            assert {role.name for role in keras_1_roles_of(name, config)} <= owned_roles(name, keras_1=True), name


def test_named_norms() -> None:
    layer = sequential("m", norm("n"), norm("n_1"))
    found = arrays_by_name(layer_of(layer), listed("n_1/gamma n/moving_mean n/gamma n_1/moving_mean"), keras_1=False)
    assert found is not None
    assert names(found.arrays)["m/n_1:gamma"] == "n_1/gamma"
