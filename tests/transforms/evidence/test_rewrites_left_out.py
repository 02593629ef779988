"""Every rewrite is made by some fixture, and leaving out its rule makes that fixture a mismatch or a refusal."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from tests.fixture_files import GOLDEN_ALONE, fixture_file, fixture_files
from transforms.canonical.canonicalise import RULES, canonicalise
from transforms.errors import MigrationError
from transforms.legacy.model import open_legacy_model
from transforms.migration import conversion
from transforms.migration.migrate import migrate_model
from transforms.records.outcome import MigrationRequest, Status
from transforms.records.rewrites import REWRITES

#: Rule -> a fixture that needs it.
NEEDED_BY = {
    "upgrade_keras_1": "keras-1.2.2/deconvolution_stated_shape",
    "state_deconvolution_length": "keras-1.2.2/deconvolution_stated_shape",
    "upgrade_keras_3": "keras-3.15.1/hard_sigmoid",
    "translate_function": "tfkeras-2.15.1/lambda_statements",
    "name_function": "tfkeras-2.15.1/functions_activations",
    "drop_augmentation": "keras-3.15.1/pictures",
    "unwrap_spectral_normalization": "tfkeras-2.15.1/spectral",
    "resize_random_crop": "tfkeras-2.8.4/cropped",
    "state_category_options": "tfkeras-2.3.4/encodings",
    "drop_default_salt": "tfkeras-2.3.4/hashing_without_salt",
    "join_virtual_batches": "tfkeras-1.13.1/virtual_batches",
    "rename_classes": "tfkeras-1.13.1/batch_norm",
    "canonicalise_cudnn": "keras-2.2.4/emb_cudnn_lstm",
    "rotate_theano_kernels": "keras-1.2.2/theano_bidirectional",
    "drop_softmax_mask": "keras-2.2.4/softmax_under_mask",
    "expand_negative_threshold_relu": "keras-2.3.1/relu_negative_threshold",
    "keep_legacy_bilinear_grid": "keras-2.2.4/bilinear",
    "keep_tf1_minimum_nan": "keras-2.2.4/minimum_of_nan",
    "drop_mask": "tfkeras-2.3.4/relu_without_mask",
    "drop_attention_mask": "tfkeras-2.8.4/multi_head_masked",
    "keep_legacy_masked_steps": "keras-2.2.4/masked_bi_sequences",
    "keep_state_before_first_step": "keras-2.2.4/masked_initial_state",
    "apply_first_cell_when_masked": "keras-2.2.4/masked_stacked_cells",
    "expand_dot_to_matrix_product": "keras-1.2.2/dot_four_axes",
    "pad_as_theano": "keras-1.2.2/theano_full_1d",
    "pool_as_theano": "keras-1.2.2/theano_full_1d",
    "theano_conv_lstm": "keras-1.2.2/theano_bidirectional",
    "wrap_channels_first": "keras-2.2.4/channels_first",
}
#: Rules whose absence changes no output, and what they are for.
ANSWERS_ALIKE = {
    "unwrap_axis": "tf-keras takes a list of one axis too; the rewrite makes retrained copies share a graph",
    "state_reset_after": "the legacy default is stated for every option; the rewrite says so in the report",
    "reset_state_each_call": "no stateful option reaches tf-keras; the rewrite says in the report what that means",
    "state_prelu_extents": "given samples state the same extents; the rewrite serves files without samples",
    "disable_unroll": "a loop and its unrolled form compute the same; the rewrite says which one is published",
}
#: Rules that no fixture needs, with the tests that show them.
UNIT_TESTED = {"transpose_convolution_as_theano": "tests/transforms/canonical/rewrites/test_transposed_convolution.py"}
#: The rewrites of those rules.
WITHOUT_FIXTURE = {"theano_transposed_same"}


def migrated_without(rule: str, name: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Status:
    rules = tuple(each for each in RULES if each.__name__ != rule)
    assert len(rules) == len(RULES) - 1
    monkeypatch.setattr(conversion, "canonicalise", partial(canonicalise, rules=rules))
    fixture = fixture_file(name)
    samples = fixture.samples if fixture in GOLDEN_ALONE else None
    return migrate_model(MigrationRequest(name, fixture.source, folder, samples=samples)).status


@pytest.mark.parametrize(("rule", "name"), NEEDED_BY.items())
def test_leaving_a_rule_out_is_noticed(rule: str, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert migrated_without(rule, name, tmp_path, monkeypatch) in (Status.MISMATCH, Status.REFUSED)


def test_every_rule_is_needed_or_says_why_not() -> None:
    assert {rule.__name__ for rule in RULES} == NEEDED_BY.keys() | ANSWERS_ALIKE.keys() | UNIT_TESTED.keys()


def rewrites_made() -> Iterator[str]:
    for fixture in fixture_files():
        try:
            with open_legacy_model(fixture.source) as model:
                yield from (rewrite.rule for rewrite in canonicalise(model).rewrites)
        except MigrationError:
            continue


def test_every_rewrite_is_made_by_a_fixture() -> None:
    assert set(rewrites_made()) == REWRITES.keys() - WITHOUT_FIXTURE
