"""The precision that a file states is that of the artefact."""

from typing import Any

import numpy as np
import pytest

from tests.fixture_files import NARROW, FixtureFile, fixture_file
from tests.transforms.conftest import Migrations
from transforms.architecture.dtype_policy import is_narrow, policy_of
from transforms.canonical import canonicalise
from transforms.legacy.model import open_legacy_model
from transforms.records.outcome import Evidence, Status


@pytest.mark.parametrize(
    ("dtype", "policy", "narrow"),
    [
        ("float32", "float32", False),
        ("float16", "float16", True),
        ({"class_name": "Policy", "config": {"name": "mixed_float16"}}, "mixed_float16", True),
        ({"class_name": "DTypePolicy", "config": {"name": "mixed_bfloat16"}}, "mixed_bfloat16", True),
        (None, "", False),
        ({"class_name": "Policy"}, "", False),
    ],
)
def test_how_a_policy_is_stored(dtype: Any, policy: str, narrow: bool) -> None:
    assert (policy_of({"dtype": dtype}), is_narrow({"dtype": dtype})) == (policy, narrow)


@pytest.mark.parametrize("fixture", NARROW, ids=lambda fixture: fixture.name)
def test_policies_are_kept_and_rounding_is_told(fixture: FixtureFile, migrated: Migrations) -> None:
    import tf_keras

    done = migrated(fixture.name)
    assert (done.outcome.status, done.outcome.evidence) == (Status.MIGRATED, Evidence.REBUILT)
    assert any("16 bits" in warning for warning in done.outcome.warnings)
    model = tf_keras.models.load_model(done.folder)
    with open_legacy_model(fixture.source) as legacy:
        stated = {layer.name: policy_of(layer.config) for layer in legacy.graph.layers if layer.calls}
    assert {layer.name: layer.dtype_policy.name for layer in model.layers if layer.name in stated} == stated
    inputs, golden = fixture.batch()
    # One step of bfloat16 is 2^-8 of a value, and a few layers add up; in other precisions it would be off by 1e-6.
    np.testing.assert_allclose(np.asarray(model(inputs[0])).astype(float), golden[0].astype(float), atol=2**-6)


def test_half_weights_stay_half() -> None:
    with open_legacy_model(fixture_file("tfkeras-2.15.1/half").source) as legacy:
        canonical = canonicalise(legacy)
    assert {array.dtype.name for held in canonical.arrays.values() for array in held.values()} == {"float16"}
