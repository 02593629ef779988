"""What the root of a file and `model_weights` state must be the same."""

import shutil
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from tests.fixture_files import fixture_file
from transforms.errors import MigrationError, Reason
from transforms.legacy.model import open_legacy_model


def altered(tmp_path: Path, name: str, root: dict[str, Any], group: dict[str, Any]) -> Path:
    """A fixture whose attributes are set to other values, or taken away with None."""
    path = Path(shutil.copy(fixture_file(name).source, tmp_path / "m.h5"))
    with h5py.File(path, "r+") as file:
        for item, values in ((file, root), (file["model_weights"], group)):
            for key, value in values.items():
                if value is None:
                    del item.attrs[key]
                else:
                    item.attrs[key] = value
    return path


CONV = "keras-2.2.4/conv1d"


@pytest.mark.parametrize(
    ("root", "group", "says"),
    [
        ({"layer_names": np.array([b"conv1d_1"])}, {}, "layer_names is both"),
        ({"backend": b"theano"}, {"backend": None}, "not stated in model_weights"),
        ({"backend": b"theano"}, {}, "backend is 'theano' at the root"),
        ({"keras_version": b"2.1.0"}, {}, "keras_version is '2.1.0' at the root"),
    ],
)
def test_contradictions_are_refused(root: dict[str, Any], group: dict[str, Any], says: str, tmp_path: Path) -> None:
    with pytest.raises(MigrationError, match=says) as refusal, open_legacy_model(altered(tmp_path, CONV, root, group)):
        pass
    assert refusal.value.reason is Reason.INVALID_CONFIG


def test_the_operator_settles_the_backend(tmp_path: Path) -> None:
    path = altered(tmp_path, CONV, {"backend": b"theano"}, {})
    with open_legacy_model(path, backend="theano") as model:
        assert model.runtime.backend == "theano"


def test_keras_1_states_its_version_at_the_root_alone() -> None:
    with open_legacy_model(fixture_file("keras-1.2.2/prelu_shared").source) as model:
        assert model.runtime.recorded == "1.2.2"
