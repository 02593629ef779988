"""Every architecture, blind, against the outputs of the runtime that wrote it; and what each outcome says."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest

from tests.fixture_files import ARTEFACTS, GOLDEN_ALONE, REFUSED, FixtureFile, fixture_file
from tests.transforms.conftest import Migrations
from transforms.errors import Reason
from transforms.limits import DEFAULT_LIMITS
from transforms.migration.migrate import InProcess, migrate_model
from transforms.records.outcome import Evidence, MigrationRequest, Status
from transforms.saved_model.loaded import LoadedArtefact


@pytest.mark.parametrize("fixture", ARTEFACTS)
def test_the_reopened_artefact_gives_the_legacy_outputs(fixture: FixtureFile, migrated: Migrations) -> None:
    done = migrated(fixture.name)
    assert done.outcome.status is Status.MIGRATED, done.outcome.message
    if done.outcome.assumptions:  # Keras 1 records no backend, and a Lambda's file does not define its global names.
        assert fixture.name.startswith("keras-1") or "lambda" in fixture.features
        assert done.outcome.evidence is Evidence.ASSUMED
    else:
        assert done.outcome.evidence is Evidence.REFERENCE, done.outcome.warnings
    artefact = LoadedArtefact(done.folder)
    compared = 0
    for prefix in ("", "alt_"):
        inputs, golden = fixture.batch(prefix)
        if not inputs:
            continue
        outputs = artefact.run(dict(zip(done.outcome.input_names, inputs, strict=True)))
        for name, wanted in zip(done.outcome.output_names, golden, strict=True):
            if wanted.dtype.kind == "S":
                np.testing.assert_array_equal(outputs[name], wanted)
            else:
                np.testing.assert_allclose(outputs[name], wanted, rtol=2e-4, atol=2e-5)
            compared += 1
    assert compared


@pytest.mark.parametrize("fixture", GOLDEN_ALONE, ids=lambda fixture: fixture.name)
def test_golden_outputs_decide_where_nothing_else_can(fixture: FixtureFile, tmp_path: Path) -> None:
    outcome = migrate_model(MigrationRequest("m", fixture.source, tmp_path, samples=fixture.samples))
    assert (outcome.status, outcome.evidence) == (Status.MIGRATED, Evidence.GOLDEN), outcome.message


@pytest.mark.parametrize(("name", "reason"), REFUSED.items())
def test_a_refusal_says_why_where_and_what_to_do(name: str, reason: str, tmp_path: Path) -> None:
    outcome = migrate_model(MigrationRequest(name, fixture_file(name).source, tmp_path))
    assert (outcome.status, outcome.reason) == (Status.REFUSED, Reason(reason))
    assert "(layer " in outcome.message
    assert "custom_objects" in outcome.message
    assert list(tmp_path.iterdir()) == []


def test_golden_samples_are_the_strongest_evidence_and_the_reference_is_run_too(tmp_path: Path) -> None:
    fixture = fixture_file("keras-2.2.4/emb_cudnn_lstm")
    outcome = migrate_model(MigrationRequest("m", fixture.source, tmp_path, samples=fixture.samples))
    assert outcome.evidence is Evidence.GOLDEN
    assert outcome.max_abs_error < 1e-5
    assert outcome.reference_max_abs_error < 1e-5
    assert [note.rule for note in outcome.rewrites] == ["cudnn_lstm_to_lstm"]


def test_golden_outputs_decide_which_backend_an_unrecorded_one_was(tmp_path: Path) -> None:
    fixture = fixture_file("keras-1.2.2/theano_bidirectional")
    disguised = tmp_path / "model.h5"
    shutil.copy(fixture.source, disguised)
    with h5py.File(disguised, "r+") as file:
        weights = file["model_weights"]
        for group in weights.values():
            names = [name.decode() for name in group.attrs["weight_names"]]
            for name in names:
                group.move(name, f"{name}:0")  # the form of TensorFlow's names
            group.attrs["weight_names"] = np.array([f"{name}:0".encode() for name in names], "S64")
    staging = tmp_path / "staging"
    staging.mkdir()
    outcome = migrate_model(MigrationRequest("m", disguised, staging, samples=fixture.samples))
    assert outcome.status is Status.MIGRATED, outcome.message
    assert outcome.source is not None and outcome.source.backend == "theano"
    assert "golden outputs decide for backend theano" in outcome.warnings[-1]


def test_golden_samples_that_differ_are_a_mismatch(tmp_path: Path) -> None:
    fixture = fixture_file("keras-2.2.4/emb_cudnn_lstm")
    inputs, golden = fixture.batch()
    np.savez(tmp_path / "wrong.npz", x0=inputs[0], y0=golden[0] + 1e-3)
    staging = tmp_path / "staging"
    staging.mkdir()
    outcome = migrate_model(MigrationRequest("m", fixture.source, staging, samples=tmp_path / "wrong.npz"))
    assert outcome.status is Status.MISMATCH
    assert "off by 0.001" in outcome.message


def test_samples_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    fixture = fixture_file("keras-2.2.4/emb_cudnn_lstm")
    np.savez(tmp_path / "other.npz", z=np.zeros(3))
    outcome = migrate_model(MigrationRequest("m", fixture.source, tmp_path, samples=tmp_path / "other.npz"))
    assert (outcome.status, outcome.reason) == (Status.REFUSED, Reason.INVALID_SAMPLES)


def test_weaker_evidence_than_required_is_refused(tmp_path: Path) -> None:
    fixture = fixture_file("keras-2.2.4/emb_cudnn_lstm")
    outcome = migrate_model(MigrationRequest("m", fixture.source, tmp_path, require_evidence=Evidence.GOLDEN))
    assert (outcome.status, outcome.reason) == (Status.REFUSED, Reason.WEAK_EVIDENCE)


def test_a_model_that_needs_more_steps_than_may_be_drawn_asks_for_samples(tmp_path: Path) -> None:
    limits = replace(DEFAULT_LIMITS, drawn_length=2)
    source = tmp_path / "long.h5"
    _write_long_convolution(source)
    staging = tmp_path / "staged"
    staging.mkdir()
    steps = InProcess(limits)
    outcome = migrate_model(MigrationRequest("m", source, staging), steps)
    assert (outcome.status, outcome.reason) == (Status.REFUSED, Reason.WEAK_EVIDENCE)
    assert "at least 5 steps" in outcome.message
    assert "--max-drawn-length" in outcome.message
    np.savez(tmp_path / "s.npz", x0=np.ones((2, 9, 2), np.float32))
    outcome = migrate_model(MigrationRequest("m", source, staging, samples=tmp_path / "s.npz"), InProcess(limits))
    assert (outcome.status, outcome.evidence) == (Status.MIGRATED, Evidence.REFERENCE)


def _write_long_convolution(path: Path) -> None:
    entry = {"batch_input_shape": [None, None, 2], "dtype": "float32", "sparse": False, "name": "x"}
    convolution = {"name": "c", "filters": 1, "kernel_size": [5], "padding": "valid", "use_bias": False}
    layers = [{"class_name": "InputLayer", "config": entry}, {"class_name": "Conv1D", "config": convolution}]
    with h5py.File(path, "w") as file:
        file.attrs["model_config"] = json.dumps({"class_name": "Sequential", "config": {"name": "m", "layers": layers}})
        file.attrs["keras_version"], file.attrs["backend"] = "2.3.1", "tensorflow"
        groups = file.create_group("model_weights")
        groups.attrs["layer_names"] = np.array([b"c"])
        group = groups.create_group("c")
        group.attrs["weight_names"] = np.array([b"c/kernel:0"])
        group["c/kernel:0"] = np.ones((5, 2, 1), np.float32)


@pytest.mark.parametrize("name", ["tfkeras-2.3.4/sampling_encoder", "tfkeras-2.8.4/sampling_encoder"])
def test_outputs_that_draw_nothing_may_be_asked_for(name: str, tmp_path: Path) -> None:
    fixture = fixture_file(name)
    request = MigrationRequest(name, fixture.source, tmp_path, outputs=("z_log_var", "z_mean"))
    outcome = migrate_model(request)
    assert (outcome.status, outcome.evidence) == (Status.MIGRATED, Evidence.REFERENCE), outcome.message
    assert outcome.output_names == ("z_log_var", "z_mean")
    inputs, golden = fixture.batch()
    outputs = LoadedArtefact(tmp_path).run(dict(zip(outcome.input_names, inputs, strict=True)))
    np.testing.assert_allclose(outputs["z_mean"], golden[0], rtol=2e-4, atol=2e-5)
    np.testing.assert_allclose(outputs["z_log_var"], golden[1], rtol=2e-4, atol=2e-5)
