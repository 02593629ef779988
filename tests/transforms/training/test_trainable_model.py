"""Training goes on where the legacy runtime left off: the next step gives the weights that it gave there."""

import json
from pathlib import Path

import h5py
import numpy as np
import pytest
import tensorflow as tf
import tf_keras

from tests.fixture_files import FixtureFile, fixture_file, training_files
from transforms.canonical import canonicalise
from transforms.legacy.model import open_legacy_model
from transforms.migration.migrate import migrate_model
from transforms.rebuild import rebuild
from transforms.records.outcome import MigrationOutcome, MigrationRequest, Status
from transforms.training.optimizer_state import optimizer_state
from transforms.training.trainable_model import freeze_layers, restored_optimizer

TRAINED = {each.name: each for each in training_files()}
#: What the third generation's Nadam multiplies is in no file.
INEXACT = {"tfkeras-2.15.1/training_nadam"}
#: The whole way, through files: one for each generation, and what is particular.
WHOLE = [
    "keras-2.2.4/training_nadam",
    "keras-2.3.1/training_regularized",
    "keras-2.3.1/training_sgd_nesterov",
    "tfkeras-1.13.1/training_clipped",
    "tfkeras-1.15.5/training_sgd",
    "tfkeras-2.8.4/training_adam_amsgrad",
    "tfkeras-2.8.4/training_regularized",
    "tfkeras-2.15.1/training_recurrent",
]


def step(model: object, samples: Path) -> list[tuple[np.ndarray, np.ndarray]]:
    """One step on the stored batch: every weight as it is and as it was after the legacy runtime's own step."""
    with np.load(samples) as held:
        inputs = [held[name] for name in sorted(held.files) if name.startswith("train_x")]
        model.train_on_batch(inputs if len(inputs) > 1 else inputs[0], held["train_y0"])
        return [(weight, held[f"after{index}"]) for index, weight in enumerate(model.get_weights())]


def migrated(fixture: FixtureFile, folder: Path) -> MigrationOutcome:
    outcome = migrate_model(MigrationRequest("m", fixture.source, folder, keep_training=True))
    assert outcome.status is Status.MIGRATED, outcome.message
    return outcome


@pytest.mark.parametrize("name", WHOLE)
def test_the_loaded_artefact_makes_the_next_step(name: str, tmp_path: Path) -> None:
    fixture = TRAINED[name]
    assert migrated(fixture, tmp_path).warnings == ()
    for found, wanted in step(tf_keras.models.load_model(tmp_path), fixture.samples):
        np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("name", sorted(set(TRAINED) - INEXACT - set(WHOLE)))
def test_every_optimizer_makes_the_next_step(name: str) -> None:
    fixture = TRAINED[name]
    with open_legacy_model(fixture.source) as legacy:
        model = rebuild(canonicalise(legacy))
        assert list(freeze_layers(model, legacy)) == []
        state = optimizer_state(legacy)
        optimizer, lost = restored_optimizer(model, legacy, state)
    assert (list(state.warnings), lost) == ([], [])
    model.keras_model.compile(optimizer, (legacy.training_config or {})["loss"], run_eagerly=True)
    for found, wanted in step(model.keras_model, fixture.samples):
        np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-7)


def test_without_the_slots_the_step_would_differ(tmp_path: Path) -> None:
    """The comparison can fail: an optimizer that begins anew makes another step."""
    fixture = TRAINED["tfkeras-1.15.5/training_sgd"]
    forgotten = tmp_path / "forgotten.h5"
    forgotten.write_bytes(fixture.source.read_bytes())
    with h5py.File(forgotten, "r+") as file:
        del file["optimizer_weights"]
    staging = tmp_path / "staging"
    staging.mkdir()
    outcome = migrate_model(MigrationRequest("m", forgotten, staging, keep_training=True))
    assert any("SGD begins anew" in warning for warning in outcome.warnings)
    steps = step(tf_keras.models.load_model(staging), fixture.samples)
    assert any(not np.allclose(found, wanted, rtol=1e-3) for found, wanted in steps)


@pytest.fixture(scope="module")
def trainable(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("trainable")
    migrated(TRAINED["keras-2.3.1/training_recurrent"], folder)
    return folder


def test_the_signature_and_its_files_are_what_they_are_without(trainable: Path, tmp_path: Path) -> None:
    fixture, plain = TRAINED["keras-2.3.1/training_recurrent"], tmp_path
    migrate_model(MigrationRequest("m", fixture.source, plain))
    inputs, _ = fixture.batch()
    answers = []
    for folder in (plain, trainable):
        signature = tf.saved_model.load(str(folder)).signatures["serving_default"]
        named = dict(zip(("text", "extra"), (tf.constant(x, "float32") for x in inputs), strict=True))
        answers.append(next(iter(signature(**named).values())).numpy())
    np.testing.assert_array_equal(*answers)
    held = [
        {name for name, _ in tf.train.list_variables(str(folder / "variables/variables"))}
        for folder in (plain, trainable)
    ]
    assert held[0] < held[1] and all(
        name.startswith("optimizer/") or "/.OPTIMIZER_SLOT/" in name for name in held[1] - held[0]
    )


def test_frozen_layers_stay_frozen(trainable: Path) -> None:
    assert not tf_keras.models.load_model(trainable).get_layer("words").trainable


def test_a_summed_bias_is_named(tmp_path: Path) -> None:
    """cuDNN's two biases were trained apart: what the optimizer knew of them says nothing of their sum."""
    source = tmp_path / "model.h5"
    source.write_bytes(fixture_file("keras-2.2.4/emb_cudnn_lstm").source.read_bytes())
    config = {"class_name": "SGD", "config": {"lr": 0.1, "momentum": 0.0, "decay": 0.0, "nesterov": False}}
    with h5py.File(source, "r+") as file:
        file.attrs["training_config"] = json.dumps({"optimizer_config": config, "loss": "mse", "metrics": []}).encode()
    staging = tmp_path / "staging"
    staging.mkdir()
    outcome = migrate_model(MigrationRequest("m", source, staging, keep_training=True))
    assert outcome.status is Status.MIGRATED
    (warning,) = (warning for warning in outcome.warnings if "rearrangement" in warning)
    assert warning.startswith("cu_dnnlstm_1: its bias")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"loss": "skewed_loss"}, "The loss 'skewed_loss' is not one of Keras's own. The SavedModel is not compiled."),
        ({"optimizer_config": {"class_name": "Mine", "config": {}}}, "The optimizer 'Mine' is not known"),
        ({"loss": {"elsewhere": "mse"}}, "The losses are those of other outputs (elsewhere)"),
        ({"loss_weights": {"class_name": {}}}, "The loss 'loss_weights' is not one of Keras's own"),
        ({"optimizer_config": None}, "The file records no optimizer"),
        ({"metrics": ["mae", "bleu"]}, "The metric 'bleu' is not one of Keras's own, and is left out."),
        ({"sample_weight_mode": "temporal"}, "sample_weight_mode is left out"),
    ],
)
def test_what_cannot_be_kept_is_a_warning(change: dict[str, object], says: str, tmp_path: Path) -> None:
    fixture = TRAINED["keras-2.2.4/training_sgd_plain"]
    source = tmp_path / "model.h5"
    source.write_bytes(fixture.source.read_bytes())
    with h5py.File(source, "r+") as file:
        config = json.loads(file.attrs["training_config"])
        file.attrs["training_config"] = json.dumps({**config, **change}).encode()
    staging = tmp_path / "staging"
    staging.mkdir()
    outcome = migrate_model(MigrationRequest("m", source, staging, keep_training=True))
    assert outcome.status is Status.MIGRATED
    assert any(says in warning for warning in outcome.warnings), outcome.warnings
