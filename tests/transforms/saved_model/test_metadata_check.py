"""Forged `keras_metadata.pb`: what a loader would run, import or read is refused."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tf_keras.protobuf.saved_metadata_pb2 import SavedMetadata

from tests.transforms.conftest import Migrations
from transforms.errors import MigrationError, Reason
from transforms.saved_model.file_names import GRAPH, METADATA
from transforms.saved_model.metadata_check import check_metadata
from transforms.saved_model.operation_check import check_operations

NAME = "keras-2.2.4/emb_cudnn_lstm"


def test_a_written_model_passes(migrated: Migrations) -> None:
    check_metadata(migrated(NAME).folder)
    check_metadata(migrated(NAME).folder, custom_code=True)


def bytecode(class_name: str) -> dict[str, Any]:
    return {"class_name": class_name, "config": {"function": ["4wEAAAA=", None, None], "function_type": "lambda"}}


def calls(function: object) -> dict[str, Any]:
    return {"class_name": "TFOpLambda", "config": {"name": "f", "function": function}}


#: Entries that a layer's config may hold, with a part of the refusal.
ENTRIES: dict[str, tuple[dict[str, Any], str]] = {
    "a Lambda": (bytecode("Lambda"), "class Lambda"),
    "a function of Keras 3": (bytecode("__lambda__"), "class __lambda__"),
    "a class of another library": ({"class_name": "Popen", "config": {}}, "class Popen"),
    "a registered class": ({"class_name": "evil>Dense", "config": {}}, "class evil>Dense"),
    "a class that is no text": ({"class_name": ["Dense"], "config": {}}, "class ['Dense']"),
    "a module": ({"module": "subprocess", "class_name": "Dense", "config": {}}, "module subprocess"),
    "a module like one of Keras": ({"module": "keras.layers.evil", "class_name": "Dense"}, "module keras.layers.evil"),
    "a registered name": ({"registered_name": "evil>X", "class_name": "Dense"}, "registered object evil>X"),
    "a file as vocabulary": ({"class_name": "StringLookup", "config": {"vocabulary": "/etc/passwd"}}, "a file as"),
    "a function without a name": (calls({"class_name": "function"}), "calls the function"),
}
#: Functions that reach beyond their arguments; with custom code they are refused as well.
FUNCTIONS = (
    "io.write_file io.read_file io.gfile.remove py_function numpy_function compat.v1.py_func load_op_library print "
    "raw_ops.WriteFile compat.v1.gfile.DeleteRecursively saved_model.load summary.create_file_writer "
    "keras.models.load_model compat.v1.raw_ops.PyFunc data.experimental.save"
).split()


def forged(folder: Path, target: Path, edit: Callable[[SavedMetadata], None]) -> Path:
    metadata = SavedMetadata.FromString((folder / METADATA).read_bytes())
    edit(metadata)
    target.mkdir(exist_ok=True)
    (target / METADATA).write_bytes(metadata.SerializeToString())
    return target


def with_entry(entry: dict[str, Any]) -> Callable[[SavedMetadata], None]:
    """Hides an entry in the config of the last layer."""

    def edit(metadata: SavedMetadata) -> None:
        stored = json.loads(metadata.nodes[-1].metadata)
        stored["config"]["planted"] = [{"deeper": entry}]
        metadata.nodes[-1].metadata = json.dumps(stored)

    return edit


def refusal(folder: Path, *, custom_code: bool = False) -> str:
    with pytest.raises(MigrationError) as caught:
        check_metadata(folder, custom_code=custom_code)
    assert caught.value.reason is Reason.UNSAFE_OP
    return caught.value.message


@pytest.mark.parametrize("what", ENTRIES)
def test_an_entry_that_a_loader_would_act_on_is_refused(what: str, migrated: Migrations, tmp_path: Path) -> None:
    entry, told = ENTRIES[what]
    assert told in refusal(forged(migrated(NAME).folder, tmp_path, with_entry(entry)))


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize("custom_code", [False, True])
def test_a_function_that_acts_is_refused(
    function: str, custom_code: bool, migrated: Migrations, tmp_path: Path
) -> None:
    folder = forged(migrated(NAME).folder, tmp_path, with_entry(calls(function)))
    assert function in refusal(folder, custom_code=custom_code)


def another_kind(metadata: SavedMetadata) -> None:
    metadata.nodes[0].identifier = "_tf_keras_evil"


def no_json(metadata: SavedMetadata) -> None:
    metadata.nodes[0].metadata = "{"


def too_deep(metadata: SavedMetadata) -> None:
    metadata.nodes[0].metadata = "[" * 100_000 + "]" * 100_000


def deep(metadata: SavedMetadata) -> None:
    metadata.nodes[0].metadata = "[" * 300 + "]" * 300


def nothing(metadata: SavedMetadata) -> None:
    del metadata.nodes[:]


@pytest.mark.parametrize("edit", [another_kind, no_json, too_deep, deep, nothing], ids=lambda edit: edit.__name__)
def test_metadata_of_another_form_is_refused(
    edit: Callable[[SavedMetadata], None], migrated: Migrations, tmp_path: Path
) -> None:
    refusal(forged(migrated(NAME).folder, tmp_path, edit))


def test_metadata_in_another_place_is_refused(migrated: Migrations, tmp_path: Path) -> None:
    folder = migrated(NAME).folder
    assert "lacks" in refusal(tmp_path)
    (tmp_path / METADATA).symlink_to(folder / METADATA)
    assert "lacks" in refusal(tmp_path)
    (tmp_path / METADATA).unlink()
    (tmp_path / METADATA).write_bytes((folder / METADATA).read_bytes() + b"\xf2\x06\x01x")
    assert "more than" in refusal(tmp_path)


def test_metadata_inside_the_graph_is_refused(migrated: Migrations, tmp_path: Path) -> None:
    """Loaders read it there if `keras_metadata.pb` is missing."""
    from tensorflow.core.protobuf.saved_model_pb2 import SavedModel

    folder = shutil.copytree(migrated(NAME).folder, tmp_path / "model")
    model = SavedModel.FromString((folder / GRAPH).read_bytes())
    model.meta_graphs[0].object_graph_def.nodes[0].user_object.metadata = json.dumps(bytecode("Lambda"))
    (folder / GRAPH).write_bytes(model.SerializeToString())
    with pytest.raises(MigrationError, match="metadata of Keras in the graph"):
        check_operations(folder)
