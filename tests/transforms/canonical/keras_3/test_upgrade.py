"""Keras 3 configs: what is read, what is refused by name, and mistakes that must be caught."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.fixture_files import fixture_file
from transforms.architecture.graph import TensorRef
from transforms.architecture.keras_3 import keras_3_graph
from transforms.architecture.parsing import parse_architecture
from transforms.canonical import canonicalise
from transforms.canonical.canonicalise import RULES
from transforms.canonical.keras_3 import named_masks, upgrade
from transforms.canonical.model import LayerRewrite, RewriteContext
from transforms.errors import MigrationError, Reason
from transforms.legacy.model import open_legacy_model
from transforms.migration import conversion
from transforms.migration import migrate as migration
from transforms.records.outcome import Evidence, MigrationRequest, Status

Json = dict[str, Any]


def tensor(name: str, call: int = 0) -> Json:
    return {"class_name": "__keras_tensor__", "config": {"keras_history": [name, call, 0]}}


def item(class_name: str, name: str, *args: Any, kwargs: Json | None = None, **config: Any) -> Json:
    node = [{"args": list(args), "kwargs": kwargs or {}}] if args else []
    return {"class_name": class_name, "name": name, "config": {"name": name, **config}, "inbound_nodes": node}


def model(*layers: Json, outputs: list[Any]) -> Json:
    held = [item("InputLayer", "x", batch_shape=[None, None, 4]), *layers]
    config = {"name": "m", "layers": held, "input_layers": ["x", 0, 0], "output_layers": outputs}
    return {"class_name": "Functional", "config": config}


def test_operations_are_told_from_layers_and_keep_their_constants() -> None:
    compared = item("NotEqual", "not_equal", tensor("x"), 0.0)
    joined = item("Concatenate", "join", [tensor("x"), tensor("x")], axis=1)
    layer = item("Concatenate", "layer", [tensor("x"), tensor("x")], axis=1, trainable=True)
    graph = keras_3_graph(parse_architecture(model(compared, joined, layer, outputs=["join", 0, 0])))
    assert [each.class_name for each in graph.layers] == [
        "InputLayer",
        "ops.NotEqual",
        "ops.Concatenate",
        "Concatenate",
    ]
    assert graph.layer("not_equal").config["operands"] == [{"input": 0}, 0.0]
    assert graph.layer("not_equal").calls[0].inputs == (TensorRef("x"),)


def test_masks_and_states_among_the_arguments() -> None:
    mask = item("Any", "mask", tensor("x"), axis=-1)
    first = item("GRU", "first", tensor("x"), tensor("x"), units=4, trainable=True)
    second = item("GRU", "second", tensor("x"), kwargs={"mask": tensor("mask"), "training": False}, trainable=True)
    graph = keras_3_graph(parse_architecture(model(mask, first, second, outputs=["second", 0, 0])))
    assert graph.layer("first").calls[0].inputs == (TensorRef("x"), TensorRef("x"))
    assert graph.layer("second").calls[0].kwargs == {"mask": TensorRef("mask")}


def test_outputs_count_the_calls_of_a_nested_model_from_one() -> None:
    inner = {"layers": [item("InputLayer", "i")], "input_layers": ["i", 0, 0], "output_layers": ["i", 0, 0]}
    nested = item("Functional", "inner", tensor("x"), **inner)
    nested["inbound_nodes"].append({"args": [tensor("inner")], "kwargs": {}})
    graph = parse_architecture(model(nested, outputs=["inner", 1, 0]))
    assert graph.outputs == (TensorRef("inner", 0),)
    assert graph.layer("inner").calls[1].inputs == (TensorRef("inner", 0),)


@pytest.mark.parametrize(
    ("held", "said"),
    [
        (item("GetItem", "d", tensor("x"), [0, 1]), "operation GetItem"),
        (item("RMSNormalization", "d", tensor("x"), trainable=True), "RMSNormalization"),
        (item("BatchNormalization", "d", tensor("x"), trainable=True, renorm=True), "renorm"),
        (item("Dense", "d", tensor("x"), trainable=True, activation="sparsemax"), "'sparsemax'"),
        (item("Dense", "d", tensor("x"), trainable=True, lora_rank=2), "lora_rank"),
        (item("Dense", "d", tensor("x"), trainable=True, dtype={"class_name": "QuantizedDTypePolicy"}), "Quantized"),
        (item("Dense", "d", tensor("x"), tensor("x"), trainable=True), "several positional arguments"),
        (item("Functional", "d", {"a": tensor("x")}, layers=[]), "dictionary of tensors"),
    ],
)
def test_refused_by_name(held: Json, said: str) -> None:
    with pytest.raises(MigrationError, match=said) as refused:
        keras_3_graph(parse_architecture(model(held, outputs=["d", 0, 0])))
    assert refused.value.reason is Reason.UNSUPPORTED_LAYER
    assert refused.value.layer == ("d",)


def test_every_rewrite_is_named() -> None:
    used = set()
    for name in ("masked_merges", "hard_sigmoid", "shared_nested"):
        with open_legacy_model(fixture_file(f"keras-3.15.1/{name}").source) as legacy:
            used |= {note.rule for note in canonicalise(legacy).rewrites}
    assert {"keras_3_masks", "keras_3_upgraded", "activation_apart", "hard_sigmoid_scaled"} <= used


def test_gates_are_scaled_by_five_sixths() -> None:
    with open_legacy_model(fixture_file("keras-3.15.1/hard_sigmoid").source) as legacy:
        path = next(path for path in legacy.arrays if path[0].startswith("gru"))
        stored = legacy.weights_of(path)["bias"]
        changed = canonicalise(legacy).arrays[path]["bias"].read()
    factors = np.repeat([5 / 6, 5 / 6, 1.0], 3)
    np.testing.assert_allclose(changed, stored * factors, rtol=1e-6)


def no_scaling(rewrite: LayerRewrite) -> LayerRewrite:
    return rewrite


def keras_2_gate(rewrite: LayerRewrite, context: RewriteContext) -> LayerRewrite:
    """hard_sigmoid as tf-keras means it, without the scaling."""
    config = {**rewrite.layer.config, "recurrent_activation": "sigmoid"}
    return (
        replace(rewrite, layer=replace(rewrite.layer, config=config)) if rewrite.layer.class_name == "GRU" else rewrite
    )


def assert_caught(name: str, tmp_path: Path) -> None:
    outcome = migration.migrate_model(MigrationRequest(name, fixture_file(name).source, tmp_path))
    assert outcome.status is Status.MISMATCH, outcome
    assert outcome.evidence is Evidence.REFERENCE


def test_gates_left_unscaled_are_caught(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upgrade, "_gates_scaled", no_scaling)
    assert_caught("keras-3.15.1/hard_sigmoid", tmp_path)


def test_another_gate_is_caught(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conversion, "canonicalise", partial(canonicalise, rules=(*RULES, keras_2_gate)))
    assert_caught("keras-3.15.1/hard_sigmoid", tmp_path)


def forgetting(class_name: str) -> Callable[[str], Any]:
    """The rules of masks, but for a class that then drops them."""
    known = named_masks.rule_of
    return lambda name: known("Flatten" if name == class_name else name)


@pytest.mark.parametrize("class_name", ["Dense", "Attention"])
def test_a_forgotten_mask_is_caught(class_name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(named_masks, "rule_of", forgetting(class_name))
    assert_caught("keras-3.15.1/masked_merges", tmp_path)
