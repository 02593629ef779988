"""The registry in a folder, as MLflow 2 and 3 write it."""

import pytest

from pipeline.registries.mlflow.folder import read_folder
from pipeline.registries.mlflow.versions import MlflowError, RegisteredVersion

META = "name: credit risk\nversion: '2'\ncurrent_stage: {stage}\nsource: {source}\nrun_id: abc\n"


def test_versions_tags_and_aliases_are_read(tmp_path):
    for number, stage in ((2, "Production"), (10, "None")):
        place = tmp_path / f"models/credit risk/version-{number}"
        (place / "tags").mkdir(parents=True)
        text = META.format(stage=stage, source="file:///x/model").replace("'2'", f"'{number}'")
        (place / "meta.yaml").write_text(text)
        (place / "tags/team").write_text("lending\n")
    aliases = tmp_path / "models/credit risk/aliases"
    aliases.mkdir()
    (aliases / "champion").write_text("2")
    (tmp_path / "models/credit risk/meta.yaml").write_text("name: credit risk\n")
    tags = {"team": "lending"}
    assert read_folder(tmp_path) == [
        RegisteredVersion("credit risk", 2, "file:///x/model", "Production", ("champion",), tags, "abc"),
        RegisteredVersion("credit risk", 10, "file:///x/model", "", (), tags, "abc"),
    ]


def test_a_folder_without_models_and_a_damaged_one_are_refused(tmp_path):
    with pytest.raises(MlflowError, match="holds no registered models"):
        read_folder(tmp_path)
    place = tmp_path / "models/a/version-1"
    place.mkdir(parents=True)
    (place / "meta.yaml").write_text("name: a\n")
    with pytest.raises(MlflowError, match="cannot be read"):
        read_folder(tmp_path)
