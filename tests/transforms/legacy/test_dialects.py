"""Every version belongs to one dialect, and every dialect has a genuine file."""

import pytest

from tests.fixture_files import fixture_files
from transforms.errors import MigrationError
from transforms.legacy.dialects import DIALECTS, dialect_name, dialect_of
from transforms.legacy.model import open_legacy_model
from transforms.records.runtime import runtime_of


@pytest.mark.parametrize(
    ("recorded", "starts"),
    [
        ("", "Keras 1"),
        ("1.2.2", "Keras 1"),
        ("2.0.0", "Keras 2.0"),
        ("2.2.2", "Keras 2.0"),
        ("2.2.3", "Keras 2.2.3"),
        ("2.3.1", "Keras 2.2.3"),
        ("2.1.6-tf", "tf.keras of TensorFlow 1.8"),
        ("2.2.4-tf", "tf.keras of TensorFlow 1.8"),
        ("2.3.0-tf", "tf.keras of TensorFlow 2.2"),
        ("2.4.0", "tf.keras of TensorFlow 2.2"),
        ("2.5.0", "tf.keras of TensorFlow 2.5"),
        ("2.15.0", "tf.keras of TensorFlow 2.5"),
        ("3.0.0", "Keras 3"),
    ],
)
def test_versions(recorded: str, starts: str) -> None:
    runtime = runtime_of(recorded, "")
    assert dialect_of(runtime).name.startswith(starts)
    assert sum(dialect.speaks(runtime) for dialect in DIALECTS) == 1


def test_every_dialect_has_a_file() -> None:
    found = set()
    for fixture in fixture_files():
        try:
            with open_legacy_model(fixture.source) as legacy:
                found.add(dialect_of(legacy.runtime).name)
        except MigrationError:
            continue
    assert found == {dialect.name for dialect in DIALECTS}


def test_releases_that_the_file_leaves_open() -> None:
    fixture = next(each for each in fixture_files() if each.name.startswith("tfkeras-2.15.1"))
    with open_legacy_model(fixture.source) as legacy:
        assert dialect_name(legacy.graph, legacy.runtime).endswith(": 2.15")
