"""What a file leaves open is settled by golden outputs, or by the shapes of its weights."""

import json
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from transforms.errors import Reason
from transforms.migration.migrate import migrate_model
from transforms.migration.retry_readings import other_readings
from transforms.records.assumptions import Assumption
from transforms.records.outcome import Evidence, MigrationOutcome, MigrationRequest, Status

KERNEL = np.random.default_rng(5).normal(size=(200, 2)).astype("float32")
X = np.random.default_rng(6).normal(size=(4, 2, 3, 3)).astype("float32")


def silent_model(path: Path, class_name: str, rows: int, **options: Any) -> Path:
    """A Keras 1 model as its file holds it: a layer that stores no `dim_ordering`, Flatten, Dense."""
    config = [
        {"class_name": class_name, "config": {"name": "a", "batch_input_shape": [None, 2, 3, 3], **options}},
        {"class_name": "Flatten", "config": {"name": "b"}},
        {"class_name": "Dense", "config": {"name": "c", "output_dim": 2, "activation": "linear", "bias": False}},
    ]
    with h5py.File(path, "w") as file:
        file.attrs["keras_version"] = b"1.2.2"
        file.attrs["model_config"] = json.dumps({"class_name": "Sequential", "config": config}).encode()
        weights = file.create_group("model_weights")
        weights.attrs["layer_names"] = [b"a", b"b", b"c"]
        for name in "abc":
            names = [b"c_W:0"] if name == "c" else []
            weights.create_group(name).attrs["weight_names"] = np.array(names, "S9")
        weights["c"]["c_W:0"] = KERNEL[:rows]
    return path


def test_golden_outputs_decide_a_dim_ordering(tmp_path: Path) -> None:
    source = silent_model(tmp_path / "m.h5", "UpSampling2D", 72, size=[2, 2])
    y = X.repeat(2, axis=2).repeat(2, axis=3).reshape(4, -1) @ KERNEL[:72]
    np.savez(tmp_path / "samples.npz", x0=X, y0=y)
    (tmp_path / "staging").mkdir()
    outcome = migrate_model(MigrationRequest("m", source, tmp_path / "staging", samples=tmp_path / "samples.npz"))
    assert (outcome.status, outcome.evidence) == (Status.MIGRATED, Evidence.GOLDEN), outcome.message
    assert "golden outputs decide for dim_ordering th, against tf" in outcome.warnings[-1]


def test_shapes_decide_a_dim_ordering(tmp_path: Path) -> None:
    source = silent_model(tmp_path / "m.h5", "ZeroPadding2D", 50, padding=[1, 1])
    (tmp_path / "staging").mkdir()
    outcome = migrate_model(MigrationRequest("m", source, tmp_path / "staging"))
    assert (outcome.status, outcome.evidence) == (Status.MIGRATED, Evidence.REFERENCE), outcome.message
    assert "weights' shapes decide for dim_ordering th, against tf" in outcome.warnings[-1]


def test_what_nothing_settles_is_assumed(tmp_path: Path) -> None:
    source = silent_model(tmp_path / "m.h5", "UpSampling2D", 72, size=[2, 2])
    (tmp_path / "staging").mkdir()
    outcome = migrate_model(MigrationRequest("m", source, tmp_path / "staging"))
    assert (outcome.status, outcome.evidence) == (Status.MIGRATED, Evidence.ASSUMED), outcome.message
    (assumption,) = outcome.assumptions
    assert str(assumption).startswith("a: dim_ordering tf, not th: ")
    assert f"Assumed, not recorded in the file: {assumption}." in outcome.warnings


def test_what_changes_no_output_is_no_assumption(tmp_path: Path) -> None:
    """No convolution: every backend gives the same. Nothing is repeated: neither does the ordering matter."""
    source = silent_model(tmp_path / "m.h5", "UpSampling2D", 18, size=[1, 1])
    (tmp_path / "staging").mkdir()
    outcome = migrate_model(MigrationRequest("m", source, tmp_path / "staging"))
    assert (outcome.status, outcome.evidence) == (Status.MIGRATED, Evidence.REFERENCE), outcome.message
    assert outcome.assumptions == ()


def test_less_than_required_is_refused(tmp_path: Path) -> None:
    source = silent_model(tmp_path / "m.h5", "UpSampling2D", 72, size=[2, 2])
    (tmp_path / "staging").mkdir()
    request = MigrationRequest("m", source, tmp_path / "staging", require_evidence=Evidence.REFERENCE)
    outcome = migrate_model(request)
    assert (outcome.status, outcome.reason) == (Status.REFUSED, Reason.WEAK_EVIDENCE)
    assert "assumed is a: dim_ordering tf, not th" in outcome.message


BACKEND = Assumption("backend", "", "tensorflow", ("theano",), "Keras 1 does not record its backend")
ORDERING = Assumption("dim_ordering", "a", "tf", ("th",), "Keras 1 does not store it", alters_shapes=True)
GOLDEN = {"status": Status.MISMATCH, "evidence": Evidence.GOLDEN}


def interpolations(count: int) -> tuple[Assumption, ...]:
    return tuple(Assumption("interpolation", f"u{n}", "nearest", ("bilinear",), "not stored") for n in range(count))


@pytest.mark.parametrize(
    ("first", "tried"),
    [
        (MigrationOutcome(Status.MIGRATED, open_questions=(BACKEND,)), []),
        (MigrationOutcome(Status.MISMATCH, evidence=Evidence.REFERENCE, open_questions=(BACKEND,)), []),
        (MigrationOutcome(**GOLDEN), []),
        (MigrationOutcome(**GOLDEN, open_questions=(BACKEND,)), ["theano"]),
        (MigrationOutcome(**GOLDEN, open_questions=(BACKEND, ORDERING)), ["a th", "theano", "theano, a th"]),
        (
            MigrationOutcome(Status.REFUSED, Reason.WEIGHTS_MISMATCH, open_questions=(BACKEND, ORDERING)),
            ["a th"],
        ),
        (MigrationOutcome(Status.REFUSED, Reason.WEIGHTS_MISMATCH, open_questions=(BACKEND,)), []),
        (
            MigrationOutcome(**GOLDEN, open_questions=interpolations(2)),
            ["u0 bilinear, u1 bilinear", "u1 bilinear", "u0 bilinear"],
        ),
        (
            MigrationOutcome(**GOLDEN, open_questions=interpolations(20)),
            [", ".join(f"u{n} bilinear" for n in range(20))],
        ),
    ],
)
def test_what_is_tried(first: MigrationOutcome, tried: list[str]) -> None:
    request = MigrationRequest("m", Path("m.h5"), Path("staging"))
    readings = [other.choices for other, _ in other_readings(request, first)]
    assert [", ".join(f"{each.layer} {each.answer}".strip() for each in choices) for choices in readings] == tried


def test_each_reading_says_what_decides_for_it() -> None:
    request = MigrationRequest("m", Path("m.h5"), Path("staging"))
    told = [told for _, told in other_readings(request, MigrationOutcome(**GOLDEN, open_questions=(ORDERING,)))]
    assert told == [
        "a: Keras 1 does not store it; the golden outputs decide for dim_ordering th, against tf.",
    ]
