"""Architectures beside weights: JSON or YAML, plain data within the same budget."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.transforms.hostile_models import dense, sequential
from transforms.architecture.source import read_architecture
from transforms.errors import MigrationError, Reason


def stored(folder: Path, text: str, name: str = "a.yaml") -> Path:
    (folder / name).write_text(text, encoding="utf-8")
    return folder / name


def test_yaml_means_what_its_json_means(tmp_path: Path) -> None:
    text = """
class_name: Sequential
config:
  name: m
  layers:
  - class_name: Dense
    config: {name: d1, units: 4, activation: linear, batch_input_shape: !!python/tuple [null, 3]}
"""
    assert read_architecture(stored(tmp_path, text)) == {
        "class_name": "Sequential",
        "config": {
            "name": "m",
            "layers": [
                {
                    "class_name": "Dense",
                    "config": {"name": "d1", "units": 4, "activation": "linear", "batch_input_shape": [None, 3]},
                }
            ],
        },
    }


def test_json_may_be_wrapped_in_a_string(tmp_path: Path) -> None:
    config = sequential(dense())
    assert read_architecture(stored(tmp_path, json.dumps(json.dumps(config)), "a.json")) == config


def test_an_alias_stands_for_its_anchor(tmp_path: Path) -> None:
    assert read_architecture(stored(tmp_path, "a: &id001 [1, 2]\nb: *id001")) == {"a": [1, 2], "b": [1, 2]}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[" * 200_000, Reason.OVER_BUDGET),
        ("- " * 200_000 + "x", Reason.OVER_BUDGET),
        ("? " * 200_000, Reason.OVER_BUDGET),
        ("\n".join(f"{' ' * level}a:" for level in range(1_000)), Reason.OVER_BUDGET),
        (
            "a0: &a0 [x, x]\n" + "\n".join(f"a{i}: &a{i} [*a{i - 1}, *a{i - 1}]" for i in range(1, 40)),
            Reason.OVER_BUDGET,
        ),
        ("&a [*a]", Reason.INVALID_CONFIG),
        ("[*nowhere]", Reason.INVALID_CONFIG),
        ('!!python/object/apply:os.system ["id"]', Reason.INVALID_CONFIG),
        ("!!python/name:os.system", Reason.INVALID_CONFIG),
        ("a: 2020-01-01", Reason.INVALID_CONFIG),
        ("!!set {a}", Reason.INVALID_CONFIG),
        ("a: 1:30", Reason.INVALID_CONFIG),
        ("a: " + "1:" * 1_000_000 + "1", Reason.INVALID_CONFIG),
        ("a: 1" + ":1" * 1_000_000 + ".5", Reason.INVALID_CONFIG),
        ("a: " + "1" * 1_000_000, Reason.INVALID_CONFIG),
        ("a: 0x" + "1" * 1_000_000, Reason.INVALID_CONFIG),
        ("a: 1\na: 2", Reason.INVALID_CONFIG),
        ("{a: 1, b: {c: 1, c: 1}}", Reason.INVALID_CONFIG),
        ("a: 1\n'a': 2", Reason.INVALID_CONFIG),
        ("a: [", Reason.INVALID_CONFIG),
    ],
)
def test_refusals(text: str, reason: Reason, tmp_path: Path) -> None:
    with pytest.raises(MigrationError) as caught:
        read_architecture(stored(tmp_path, text))
    assert caught.value.reason is reason
