"""Options that a release took and did not store: the outputs rest on an assumption, and golden ones decide."""

from pathlib import Path

import numpy as np
import pytest

from tests.transforms.layer_checks import check_layer
from transforms.legacy.model import open_legacy_model
from transforms.legacy.open_questions import read_as
from transforms.records.assumptions import Choice
from transforms.records.outcome import Evidence
from transforms.reference import forward

STATISTICS = {"mean": [1.0, -2.0, 0.5], "variance": [4.0, 0.25, 1.0]}


@pytest.mark.parametrize(
    ("version", "evidence"),
    [("2.10.0", Evidence.ASSUMED), ("2.12.0", Evidence.ASSUMED), ("2.9.0", Evidence.REFERENCE)],
)
def test_normalization_may_be_inverted_where_the_release_does_not_say(
    version: str, evidence: Evidence, tmp_path: Path
) -> None:
    options = {"axis": [-1], **STATISTICS}
    outcome = check_layer(
        tmp_path,
        "Normalization",
        options,
        input_shape=[3],
        output_shape=(None, 3),
        weights={},
        evidence=evidence,
        keras_version=version,
    )
    assert any("invert" in str(each) for each in outcome.assumptions) is (evidence is Evidence.ASSUMED)


def test_the_other_answer_inverts(tmp_path: Path) -> None:
    check_layer(
        tmp_path,
        "Normalization",
        {"axis": [-1], **STATISTICS},
        input_shape=[3],
        output_shape=(None, 3),
        weights={},
        evidence=Evidence.ASSUMED,
        keras_version="2.10.0",
    )
    with open_legacy_model(tmp_path / "model.h5") as model:
        (question,) = [each.assumption for each in model.open_questions if each.assumption.question == "invert"]
        inverted = read_as(model, [Choice("invert", question.layer, "true")])
        x = np.array([[1.0, 1.0, 1.0]])
        (y,) = forward(inverted.graph, inverted.weights_of, [x], inverted.runtime)
    np.testing.assert_allclose(y, [[3.0, -1.5, 1.5]])
