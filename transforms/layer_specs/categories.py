"""Categories: encodings, vocabularies, hashes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from transforms.layer_specs.config import integer
from transforms.layer_specs.spec import REQUIRED, Config, LayerSpec, Role, Roles, ShapeRule
from transforms.records.inspection import Shape


def _category_encoding(config: Config) -> Roles:
    """Before TensorFlow 2.6 `adapt` stored the number of categories, and their weights, in variables."""
    counted = "max_tokens" in config and config["max_tokens"] is None
    weighted = config.get("output_mode") == "tf-idf"
    return (
        *((Role("num_elements", ((),), trainable=False),) if counted else ()),
        *((Role("idf", ((None,),), trainable=False),) if weighted else ()),
    )


def _lookup(config: Config) -> Roles:
    """The weights of `tf_idf` are a variable without a name of its own; the config states them too."""
    return (Role("Variable", ((None,),), trainable=False),) if config.get("output_mode") == "tf_idf" else ()


def _encoded(default_mode: str, depth_of: Callable[[Config], int | None]) -> ShapeRule:
    """The shape of ids, or of counts of all categories over the last axis."""

    def rule(options: Config, inputs: Sequence[Shape]) -> list[Shape]:
        mode = options.get("output_mode", default_mode)
        if mode == "int":
            return [inputs[0]]
        kept = inputs[0] if mode == "one_hot" and inputs[0][-1] != 1 else inputs[0][:-1]
        return [(*kept, depth_of(options))]

    return rule


def _bins(config: Config) -> int | None:
    return integer(config, "num_bins")


def _boundaries(config: Config) -> int | None:
    bounds = config.get("bin_boundaries")
    return len(bounds) + 1 if isinstance(bounds, list) else None


_LOOKUP: dict[str, Any] = {
    "vocabulary": REQUIRED,
    "max_tokens": None,
    "num_oov_indices": 1,
    "mask_token": None,
    "idf_weights": None,
    "invert": False,
    "output_mode": "int",
    "pad_to_max_tokens": False,
}

SPECS = (
    LayerSpec(
        "CategoryEncoding",
        _category_encoding,
        {"num_tokens": REQUIRED, "output_mode": "multi_hot"},
        shape=_encoded("multi_hot", lambda config: integer(config, "num_tokens", "max_tokens")),
    ),
    LayerSpec(
        "Discretization",
        options={"bin_boundaries": REQUIRED, "output_mode": "int"},
        shape=_encoded("int", _boundaries),
    ),
    LayerSpec(
        "Hashing",
        options={"num_bins": REQUIRED, "mask_value": None, "salt": None, "output_mode": "int"},
        shape=_encoded("int", _bins),
    ),
    LayerSpec("HashedCrossing", options={"num_bins": REQUIRED, "output_mode": "int"}, shape=_encoded("int", _bins)),
    LayerSpec(
        "IntegerLookup",
        _lookup,
        {**_LOOKUP, "oov_token": -1, "vocabulary_dtype": "int64"},
        shape=_encoded("int", lambda _: None),
    ),
    LayerSpec(
        "StringLookup",
        _lookup,
        {**_LOOKUP, "oov_token": "[UNK]", "encoding": None},
        shape=_encoded("int", lambda _: None),
    ),
)
