"""A wrong rewrite must be caught: each classic mistake is planted, and the row must become a mismatch."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.fixture_files import fixture_file
from transforms.canonical import canonicalise
from transforms.canonical.canonicalise import RULES
from transforms.canonical.model import LayerRewrite, RewriteContext
from transforms.canonical.rewrites import cudnn
from transforms.canonical.rewrites.cudnn import canonical_kernel
from transforms.canonical.rewrites.single_layer import expand_dot_to_matrix_product
from transforms.canonical.rewrites.theano import pool_as_theano, rotate_theano_kernels
from transforms.canonical.rewrites.theano_conv_lstm import theano_conv_lstm
from transforms.canonical.rewrites.transposed_convolution import state_deconvolution_length
from transforms.legacy.model import LegacyModel, open_legacy_model
from transforms.migration import conversion
from transforms.migration import migrate as migration
from transforms.records.outcome import Evidence, MigrationRequest, Status


def hard_sigmoid_gates(rewrite: LayerRewrite, context: RewriteContext) -> LayerRewrite:
    """The legacy LSTM default left standing where cuDNN means sigmoid."""
    if rewrite.layer.class_name not in ("LSTM", "GRU"):
        return rewrite
    return replace(
        rewrite, layer=replace(rewrite.layer, config={**rewrite.layer.config, "recurrent_activation": "hard_sigmoid"})
    )


def sigmoid_gates(rewrite: LayerRewrite, context: RewriteContext) -> LayerRewrite:
    """hard_sigmoid lost on the way."""
    if rewrite.layer.class_name not in ("LSTM", "GRU"):
        return rewrite
    return replace(
        rewrite, layer=replace(rewrite.layer, config={**rewrite.layer.config, "recurrent_activation": "sigmoid"})
    )


def halves_swapped(rewrite: LayerRewrite, context: RewriteContext) -> LayerRewrite:
    """Forward weights in the backward half and the reverse."""
    if rewrite.layer.class_name != "Bidirectional":
        return rewrite
    path = rewrite.layer.path
    other = {"forward": "backward", "backward": "forward"}
    arrays = {(*path, other[held[len(path)]], *held[len(path) + 1 :]): roles for held, roles in rewrite.arrays.items()}
    return replace(rewrite, arrays=arrays)


def reset_after_flipped(rewrite: LayerRewrite, context: RewriteContext) -> LayerRewrite:
    """The default of tf-keras in the place of the default of the writer."""
    if rewrite.layer.class_name != "GRU":
        return rewrite
    flipped = not rewrite.layer.config.get("reset_after", False)
    return replace(rewrite, layer=replace(rewrite.layer, config={**rewrite.layer.config, "reset_after": flipped}))


def another_epsilon(rewrite: LayerRewrite, context: RewriteContext) -> LayerRewrite:
    """The default in the place of what is stored, in a model that amplifies its own rounding."""
    if rewrite.layer.class_name != "BatchNormalization":
        return rewrite
    return replace(rewrite, layer=replace(rewrite.layer, config={**rewrite.layer.config, "epsilon": 1e-3}))


def first_half_only(bias: Any) -> Any:
    return np.split(bias, 2)[0]


def first_half_twice(bias: Any) -> Any:
    return np.stack([np.split(bias, 2)[0]] * 2)


def as_stored(kernel: Any, gates: int) -> Any:
    return kernel


def gates_reordered(kernel: Any, gates: int) -> Any:
    blocks = np.split(canonical_kernel(kernel, gates), gates, axis=1)
    return np.hstack([blocks[1], blocks[0], *blocks[2:]])


FUNCTIONS: dict[str, tuple[str, str, Callable[..., Any]]] = {
    "second GRU bias dropped": ("keras-2.2.4/cudnn_gru", "paired_bias", first_half_twice),
    "recurrent gates not transposed": ("keras-2.2.4/emb_cudnn_lstm", "canonical_recurrent_kernel", as_stored),
    "cuDNN kernel read naively": ("keras-2.2.4/emb_cudnn_lstm", "canonical_kernel", as_stored),
    "cuDNN kernel read naively, square": ("keras-2.3.1/cudnn_square", "canonical_kernel", as_stored),
    "gates in another order": ("keras-2.2.4/emb_cudnn_lstm", "canonical_kernel", gates_reordered),
}
RULES_PLANTED = {
    "hard_sigmoid instead of sigmoid": ("keras-2.2.4/emb_cudnn_lstm", hard_sigmoid_gates),
    "sigmoid instead of hard_sigmoid": ("keras-2.2.4/masked_bi_last", sigmoid_gates),
    "forward and backward swapped": ("keras-2.2.4/masked_bi_last", halves_swapped),
    "reset_after flipped": ("keras-2.2.4/gru_without_bias", reset_after_flipped),
    "another epsilon": ("keras-2.3.1/amplified_rounding", another_epsilon),
}
#: Rewrites left out: what tf-keras would do of itself.
RULES_MISSING = {
    "pooling as TensorFlow places it": ("keras-1.2.2/theano_full_1d", pool_as_theano),
    "recurrent windows as TensorFlow places them": ("keras-1.2.2/theano_pooled_steps", theano_conv_lstm),
    "kernels not rotated": ("keras-1.2.2/theano_full_and_pooling", rotate_theano_kernels),
    "Dot as a contraction": ("keras-1.2.2/dot_four_axes", expand_dot_to_matrix_product),
    "the length of Keras 2": ("keras-1.2.2/theano_deconvolution", state_deconvolution_length),
}


def assert_caught(name: str, tmp_path: Path, *, golden: bool = False) -> None:
    """Blind, with the reference alone, or with golden outputs."""
    fixture = fixture_file(name)
    request = MigrationRequest(name, fixture.source, tmp_path, samples=fixture.samples if golden else None)
    outcome = migration.migrate_model(request)
    assert outcome.status is Status.MISMATCH, outcome
    # Keras 1 records no backend: blind, its evidence rests on the one that is assumed.
    blind = Evidence.ASSUMED if name.startswith("keras-1") else Evidence.REFERENCE
    assert outcome.evidence is (Evidence.GOLDEN if golden else blind)
    assert outcome.max_abs_error > 1e-4


@pytest.mark.parametrize("golden", [False, True])
def test_a_bias_dropped_is_caught(golden: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cudnn, "summed_bias", first_half_only)
    assert_caught("keras-2.2.4/emb_cudnn_lstm", tmp_path, golden=golden)


@pytest.mark.parametrize(("name", "function", "mistake"), FUNCTIONS.values(), ids=FUNCTIONS.keys())
def test_a_wrong_layout_is_caught(
    name: str, function: str, mistake: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cudnn, function, mistake)
    assert_caught(name, tmp_path)


@pytest.mark.parametrize(("name", "mistake"), RULES_PLANTED.values(), ids=RULES_PLANTED.keys())
def test_a_wrong_rule_is_caught(
    name: str,
    mistake: Callable[[LayerRewrite, RewriteContext], LayerRewrite],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(conversion, "canonicalise", partial(canonicalise, rules=(*RULES, mistake)))
    assert_caught(name, tmp_path)


@pytest.mark.parametrize(("name", "left_out"), RULES_MISSING.values(), ids=RULES_MISSING.keys())
def test_a_missing_rule_is_caught(
    name: str,
    left_out: Callable[[LayerRewrite, RewriteContext], LayerRewrite],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rules = tuple(rule for rule in RULES if rule is not left_out)
    assert len(rules) == len(RULES) - 1
    monkeypatch.setattr(conversion, "canonicalise", partial(canonicalise, rules=rules))
    assert_caught(name, tmp_path)


@pytest.mark.parametrize("side", ["arrays", "named_arrays"])
def test_two_arrays_of_one_shape_swapped_are_caught(side: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The canonicaliser starts from one assignment of the arrays, the reference from another."""
    fixture = fixture_file("keras-2.2.4/frozen_nested_norm")

    @contextmanager
    def misread(*given: Any) -> Iterator[LegacyModel]:
        with open_legacy_model(*given) as model:
            changed = dict(getattr(model, side))
            path = next(path for path, held in changed.items() if "gamma" in held)
            held = changed[path]
            changed[path] = {**held, "gamma": held["moving_mean"], "moving_mean": held["gamma"]}
            yield replace(model, **{side: changed})

    monkeypatch.setattr(conversion, "open_legacy_model", misread)
    outcome = migration.migrate_model(MigrationRequest(fixture.name, fixture.source, tmp_path))
    assert (outcome.status, outcome.evidence) == (Status.MISMATCH, Evidence.REFERENCE), outcome
