"""Every fixture as it was read, in the reference, against the outputs of the runtime that wrote it."""

import numpy as np
import pytest

from tests.fixture_files import MIGRATABLE, FixtureFile
from transforms.legacy.model import open_legacy_model
from transforms.reference import forward

#: Models whose own float32 differs from float64 by more.
TOLERANCE = {"amplified_rounding": 5e-3}


@pytest.mark.parametrize("prefix", ["", "alt_"])
@pytest.mark.parametrize("fixture", MIGRATABLE, ids=lambda fixture: fixture.name)
def test_the_reference_gives_the_legacy_outputs(fixture: FixtureFile, prefix: str) -> None:
    inputs, golden = fixture.batch(prefix)
    if prefix and not inputs:
        return
    assert inputs
    with open_legacy_model(fixture.source) as model:
        outputs = forward(model.graph, model.weights_of, inputs, model.runtime)
    assert len(outputs) == len(golden)
    for output, wanted in zip(outputs, golden, strict=True):
        if wanted.dtype.kind == "S":
            np.testing.assert_array_equal(output, wanted)
        else:
            np.testing.assert_allclose(output, wanted, rtol=2e-4, atol=TOLERANCE.get(fixture.name.split("/")[1], 2e-5))
