"""Checkpoints all the way to a SavedModel, with golden outputs and without."""

import json
from pathlib import Path

import numpy as np
import pytest

from tests.fixture_files import checkpoint_files
from transforms.errors import Reason
from transforms.migration.migrate import migrate_model
from transforms.records.outcome import Evidence, MigrationRequest, Status
from transforms.saved_model.loaded import LoadedArtefact

CHECKPOINTS = {each.name: each for each in checkpoint_files()}


@pytest.mark.parametrize(
    ("name", "with_samples"),
    [
        ("keras-2.2.4/masked_bi_sequences.saver", True),
        ("keras-2.3.1/bi_cudnn_gru.saver", False),
        ("tfkeras-1.13.1/trained_two_inputs.object", True),
        ("tfkeras-1.15.5/frozen_nested_norm.saver", False),
        ("tfkeras-2.8.4/cudnn_td_nested.object", False),
        ("tfkeras-2.15.1/trained_two_inputs.object", True),
    ],
)
def test_the_artefact_gives_the_legacy_outputs(name: str, with_samples: bool, tmp_path: Path) -> None:
    fixture = CHECKPOINTS[name]
    samples = fixture.samples if with_samples else None
    outcome = migrate_model(MigrationRequest(name, fixture.source, tmp_path, fixture.architecture, samples))
    assert outcome.status is Status.MIGRATED, outcome.message
    assert outcome.evidence is (Evidence.GOLDEN if with_samples else Evidence.REFERENCE)
    assert not with_samples or outcome.reference_max_abs_error < 1e-5
    inputs, golden = fixture.batch("alt_")
    outputs = LoadedArtefact(tmp_path).run(dict(zip(outcome.input_names, inputs, strict=True)))
    for output_name, wanted in zip(outcome.output_names, golden, strict=True):
        np.testing.assert_allclose(outputs[output_name], wanted, rtol=1e-4, atol=1e-5)


CODE = """
from keras.layers import Activation, Dense, Input, LSTM, GRU, Bidirectional, Embedding, BatchNormalization, concatenate
from keras.models import Model

def build_model():
    text, extra = Input((None,), name="text"), Input((4,), name="extra")
    y = Bidirectional(LSTM(3, return_sequences=True))(Embedding(9, 3)(text))
    y = Bidirectional(GRU(2), merge_mode="sum")(y)
    z = BatchNormalization()(Dense(3, activation="tanh")(extra))
    return Model([text, extra], Dense(2)(concatenate([y, z])))
"""


@pytest.mark.parametrize("allowed", [True, False])
def test_the_architecture_may_be_code(tmp_path: Path, allowed: bool) -> None:
    fixture = CHECKPOINTS["tfkeras-2.15.1/trained_two_inputs.object"]
    (tmp_path / "net.py").write_text(CODE)
    staging = tmp_path / "staging"
    staging.mkdir()
    request = MigrationRequest(
        "m", fixture.source, staging, tmp_path / "net.py", fixture.samples, allow_custom_code=allowed
    )
    outcome = migrate_model(request)
    if allowed:
        assert (outcome.status, outcome.evidence) == (Status.MIGRATED, Evidence.GOLDEN), outcome.message
    else:
        assert outcome.reason is Reason.CUSTOM_OBJECTS_NEEDED


def test_an_architecture_of_another_name_for_the_layers_serves_objects_but_not_names(tmp_path: Path) -> None:
    for name, status in (
        ("tfkeras-1.15.5/trained_two_inputs.object", Status.MIGRATED),
        ("tfkeras-1.15.5/trained_two_inputs.saver", Status.REFUSED),
    ):
        fixture = CHECKPOINTS[name]
        text = fixture.architecture.read_text().replace('"dense', '"layer').replace('"embedding"', '"words"')
        folder = tmp_path / status.value
        folder.mkdir()
        (folder / "net.json").write_text(json.dumps(json.loads(text)))
        staging = folder / "staging"
        staging.mkdir()
        outcome = migrate_model(MigrationRequest("m", fixture.source, staging, folder / "net.json", fixture.samples))
        assert outcome.status is status, outcome.message
