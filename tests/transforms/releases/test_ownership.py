"""Which stored layers are Keras's own, by the releases that may have written the file."""

from __future__ import annotations

from typing import Any

import pytest

from transforms.architecture.graph import Layer
from transforms.records.runtime import runtime_of
from transforms.releases.ownership import (
    may_have_written,
    releases_that_store,
    releases_with_activation,
    why_foreign,
)
from transforms.releases.table import family_facts


def stored(class_name: str, version: str, without: tuple[str, ...] = (), **more: Any) -> Layer:
    """A layer with all options that the class stores in the first release that may have written the file."""
    runtime = runtime_of(version, "tensorflow")
    runs = family_facts(runtime.family).classes[class_name]
    fitting = [run for run in runs if run.since <= may_have_written(runtime)[0] <= run.until] or runs[:1]
    config = {name: None for name in fitting[0].stores if name not in without}
    return Layer(class_name, "layer", ("layer",), {"name": "layer", "trainable": True, **config, **more})


@pytest.mark.parametrize(
    ("version", "releases"),
    [
        ("1.2.2", [(1, 2, 2)]),
        ("2.2.2", [(2, 2, 2)]),
        ("2.1.6-tf", [(1, 9), (1, 10), (1, 11), (1, 12)]),
        ("2.2.4-tf", [(1, 13), (1, 14), (1, 15), (2, 0), (2, 1)]),
        ("2.3.0-tf", [(2, 1), (2, 2)]),
        ("2.4.0", [(2, 3), (2, 4)]),
        ("2.13.1", [(2, 13)]),
        ("2.21.0", [(2, 21)]),
        ("3.1.1", []),
    ],
)
def test_releases_by_what_they_record(version: str, releases: list[tuple[int, ...]]) -> None:
    assert list(may_have_written(runtime_of(version, "tensorflow"))) == releases


@pytest.mark.parametrize(
    ("layer", "version", "releases"),
    [
        (stored("Dense", "2.2.4"), "2.2.4", [(2, 2, 4)]),
        (stored("Dense", "2.2.4", gain=2.0), "2.2.4", []),
        (stored("Softmax", "2.15.0", without=("axis",)), "2.15.0", []),
        (stored("GroupNormalization", "2.11.0"), "2.8.0", []),
        (stored("LayerNormalization", "2.5.0"), "2.2.4", []),
        # A release that was not read lies between two that were, and stores what either does.
        (stored("UpSampling2D", "2.2.0"), "2.2.2", [(2, 2, 2)]),
        (stored("UpSampling2D", "2.2.3"), "2.2.2", [(2, 2, 2)]),
        # Newer than all that were read: as the last of them.
        (stored("Dense", "2.15.0"), "2.21.0", [(2, 21)]),
        # A config of an earlier release beside a later version.
        (stored("GRU", "2.0.9"), "2.2.4", [*((2, 0, n) for n in range(5, 10)), *((2, 1, n) for n in range(5))]),
        # TensorFlow 1.14 and 2.0 had the class and stored none of its options; 1.15 and 2.1 store more than one.
        (Layer("Attention", "a", ("a",), dict.fromkeys(("name", "trainable", "dtype", "use_scale"))), "2.2.4-tf", []),
        # Keras 2 took classes away: one of them under its version is somebody's own.
        (stored("Deconvolution2D", "1.2.2"), "2.2.4", []),
        (stored("BatchNormalizationV1", "2.2.4-tf"), "2.2.4-tf", [(1, 13)]),
        (stored("LSTM", "2.2.4-tf", zero_output_for_mask=True), "2.2.4", []),
    ],
)
def test_releases_that_store_a_layer(layer: Layer, version: str, releases: list[tuple[int, ...]]) -> None:
    assert list(releases_that_store(layer, runtime_of(version, "tensorflow"))) == releases


def test_a_config_written_by_hand_may_leave_options_out_but_not_invent_any() -> None:
    runtime = runtime_of("2.2.4", "tensorflow")
    bare = Layer("Dense", "d", ("d",), {"units": 2})
    strange = Layer("Dense", "d", ("d",), {"units": 2, "gain": 1.0})
    assert releases_that_store(bare, runtime, complete=False) == ((2, 2, 4),)
    assert releases_that_store(bare, runtime) == ()
    assert releases_that_store(strange, runtime, complete=False) == ()


@pytest.mark.parametrize(
    ("layer", "version", "told"),
    [
        (stored("Dense", "2.4.0", gain=2.0), "2.4.0", "stores gain, which the class of TensorFlow 2.3 or TensorFlow"),
        (stored("Softmax", "2.15.0", without=("axis",)), "2.15.0", "lacks axis, which the class of TensorFlow 2.15"),
        (stored("Identity", "2.12.0"), "2.8.0", "TensorFlow 2.8 had no such class; known to TensorFlow 2.12 to"),
        (stored("Attention", "2.5.0"), "2.3.1", "Keras 2.3.1 had no such class; known to TensorFlow 1.14 to"),
    ],
)
def test_why_a_class_is_not_keras_own(layer: Layer, version: str, told: str) -> None:
    assert why_foreign(layer, runtime_of(version, "tensorflow")).startswith(told)


@pytest.mark.parametrize(
    ("name", "version", "had"),
    [
        ("gelu", "2.2.4", False),
        ("gelu", "2.4.0", True),
        ("swish", "2.2.4-tf", False),
        ("swish", "2.3.0-tf", True),
        ("swish", "2.3.1", False),
        ("elu", "1.0.8", False),
        ("relu6", "2.1.6", True),
        ("mish", "2.12.0", False),
        ("mish", "2.13.1", True),
    ],
)
def test_activations(name: str, version: str, had: bool) -> None:
    assert bool(releases_with_activation(name, runtime_of(version, "tensorflow"))) is had
