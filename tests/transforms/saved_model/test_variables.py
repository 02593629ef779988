"""What is read into a loaded graph is what a full load of the other artefact would have held."""

from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.protobuf.trackable_object_graph_pb2 import TrackableObjectGraph

from tests.fixture_files import fixture_file
from tests.transforms.saved_model.test_templates import retrained
from transforms.canonical import canonicalise
from transforms.legacy.model import open_legacy_model
from transforms.rebuild import rebuild
from transforms.saved_model.file_names import VARIABLES
from transforms.saved_model.loaded import LoadedArtefact
from transforms.saved_model.templates import learn_template, write_from_template, write_tensors
from transforms.saved_model.variables import OBJECT_GRAPH, WrittenVariables
from transforms.saved_model.writer import write_saved_model


@pytest.fixture(scope="module")
def artefacts(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Two of one graph: nested layers, frozen and moving statistics."""
    source = fixture_file("keras-2.2.4/frozen_nested_norm").source
    folder = tmp_path_factory.mktemp("artefacts")
    first, second = folder / "first", folder / "second"
    first.mkdir()
    second.mkdir()
    with open_legacy_model(source) as legacy:
        model = rebuild(canonicalise(legacy))
        write_saved_model(model, first)
        template = learn_template(model, first)
    assert template is not None
    with open_legacy_model(retrained(source, folder / "other.h5")) as legacy:
        write_from_template(template, canonicalise(legacy).arrays, second)
    return first, second


def inputs_of(artefact: LoadedArtefact) -> dict[str, np.ndarray]:
    generator = np.random.default_rng(0)
    return {
        spec.name: generator.standard_normal([extent or 2 for extent in spec.shape]).astype(spec.dtype)
        for spec in artefact.inputs
    }


def test_restored_is_as_loaded(artefacts: tuple[Path, Path]) -> None:
    first, second = artefacts
    restored, loaded = LoadedArtefact(first), LoadedArtefact(second)
    assert isinstance(restored._variables, WrittenVariables)
    before = restored.run(inputs_of(loaded))
    restored.restore(second)
    for name, expected in loaded.run(inputs_of(loaded)).items():
        np.testing.assert_array_equal(restored.run(inputs_of(loaded))[name], expected)
        assert not np.array_equal(before[name], expected)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        ("missing", "not found in checkpoint"),
        ("shape", "shape"),
        ("dtype", "dtype"),
        ("file", "(?i)unsuccessful|no such file|failed to find"),
    ],
)
def test_a_checkpoint_that_does_not_fit_is_an_error(
    damage: str, message: str, artefacts: tuple[Path, Path], tmp_path: Path
) -> None:
    reader = tf.train.load_checkpoint(str(artefacts[1] / VARIABLES))
    tensors = {name: reader.get_tensor(name) for name in reader.get_variable_to_dtype_map()}
    name = next(name for name in tensors if name != OBJECT_GRAPH and tensors[name].ndim)
    if damage == "missing":
        del tensors[name]
    elif damage == "shape":
        tensors[name] = tensors[name][..., :0]
    elif damage == "dtype":
        tensors[name] = tensors[name].astype(np.float64)
    (tmp_path / "variables").mkdir()
    if damage != "file":
        write_tensors(tmp_path / VARIABLES, tensors)
    with pytest.raises(ValueError, match=message):
        LoadedArtefact(artefacts[0]).restore(tmp_path)


def test_a_checkpoint_that_describes_more_is_read_by_tensorflow_itself(
    artefacts: tuple[Path, Path], tmp_path: Path
) -> None:
    reader = tf.train.load_checkpoint(str(artefacts[1] / VARIABLES))
    tensors = {name: reader.get_tensor(name) for name in reader.get_variable_to_dtype_map()}
    described = TrackableObjectGraph.FromString(tensors[OBJECT_GRAPH])
    described.nodes[0].children.add(node_id=len(described.nodes), local_name="more")
    described.nodes.add().attributes.add(name="VARIABLE_VALUE", checkpoint_key="more/.ATTRIBUTES/VARIABLE_VALUE")
    tensors |= {"more/.ATTRIBUTES/VARIABLE_VALUE": np.ones(2), OBJECT_GRAPH: described.SerializeToString()}
    (tmp_path / "variables").mkdir()
    write_tensors(tmp_path / VARIABLES, tensors)
    artefact, loaded = LoadedArtefact(artefacts[0]), LoadedArtefact(artefacts[1])
    assert artefact._variables is not None
    assert not artefact._variables.read(tmp_path / VARIABLES)
    artefact.restore(tmp_path)
    for name, expected in loaded.run(inputs_of(loaded)).items():
        np.testing.assert_array_equal(artefact.run(inputs_of(loaded))[name], expected)


def test_a_graph_whose_keys_lead_elsewhere_is_read_by_tensorflow_itself(artefacts: tuple[Path, Path]) -> None:
    first, second = artefacts
    artefact, loaded = LoadedArtefact(first), LoadedArtefact(second)
    artefact._variables = WrittenVariables.of(tf.train.Checkpoint(), first / VARIABLES, ())
    assert artefact._variables is None
    artefact.restore(second)
    for name, expected in loaded.run(inputs_of(loaded)).items():
        np.testing.assert_array_equal(artefact.run(inputs_of(loaded))[name], expected)
