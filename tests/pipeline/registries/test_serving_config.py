"""The configuration for TensorFlow Serving, read back by protobuf with the schema's field numbers."""

import pytest
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, text_format

from pipeline.registries.published import RegistryError, published_models
from pipeline.registries.serving_config import as_text, served_models, serving_config
from tests.pipeline.cli.test_app import exit_status
from tests.pipeline.registry import fake_run, run_and_read

#: tensorflow_serving/config/model_server_config.proto and
#: tensorflow_serving/sources/storage_path/file_system_storage_path_source.proto: name, number, type, repeated.
SCHEMA = {
    "ModelServerConfig": [("model_config_list", 1, "ModelConfigList", False)],
    "ModelConfigList": [("config", 1, "ModelConfig", True)],
    "ModelConfig": [
        ("name", 1, "string", False),
        ("base_path", 2, "string", False),
        ("model_platform", 4, "string", False),
        ("model_version_policy", 7, "ServableVersionPolicy", False),
        ("version_labels", 8, "VersionLabelsEntry", True),
    ],
    "VersionLabelsEntry": [("key", 1, "string", False), ("value", 2, "int64", False)],
    "ServableVersionPolicy": [("specific", 102, "Specific", False)],
    "Specific": [("versions", 1, "int64", True)],
}


def parsed(text):
    file = descriptor_pb2.FileDescriptorProto(name="model_server_config.proto", package="serving", syntax="proto3")
    field_type = descriptor_pb2.FieldDescriptorProto
    scalars = {"string": field_type.TYPE_STRING, "int64": field_type.TYPE_INT64}
    for name, fields in SCHEMA.items():
        message = file.message_type.add(name=name)
        for field, number, kind, repeated in fields:
            added = message.field.add(name=field, number=number, label=3 if repeated else 1)
            if kind in scalars:
                added.type = scalars[kind]
            else:
                added.type, added.type_name = field_type.TYPE_MESSAGE, f".serving.{kind}"
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    config = message_factory.GetMessageClass(pool.FindMessageTypeByName("serving.ModelServerConfig"))()
    text_format.Parse(text, config)
    return [
        (
            each.name,
            each.base_path,
            each.model_platform,
            list(each.model_version_policy.specific.versions),
            {label.key: label.value for label in each.version_labels},
        )
        for each in config.model_config_list.config
    ]


@pytest.fixture(scope="module")
def output(tmp_path_factory):
    folder = tmp_path_factory.mktemp("serving")
    manifest = folder / "manifest.csv"
    for name in "abc":
        (folder / f"{name}.h5").write_text(f"lstm {name}")
    manifest.write_text("model,source,version\nner/tagger,a.h5,2\nner/tagger,b.h5,10\nocr,c.h5,1\n")
    status, _ = run_and_read(fake_run(manifest, folder / "models"))
    assert status == 0
    return folder / "models"


def test_all_models_versions_and_labels_are_there(output):
    text = serving_config(output, "/models", ["canary=ner/tagger:2"])
    assert parsed(text) == [
        ("ner.tagger", "/models/ner/tagger", "tensorflow", [2, 10], {"canary": 2, "latest": 10}),
        ("ocr", "/models/ocr", "tensorflow", [1], {"latest": 1}),
    ]


def test_the_place_is_that_of_the_output_unless_another_is_given(output):
    assert [place for _, place, *_ in parsed(serving_config(output))] == [
        str(output.resolve() / name) for name in ("ner/tagger", "ocr")
    ]


def test_any_place_is_quoted(output):
    strange = '/Modèle "x"\\\n'
    text = as_text(served_models(published_models(output)), strange)
    assert parsed(text)[1][1] == f"{strange}/ocr"


@pytest.mark.parametrize(
    "label, message",
    [
        ("canary=ocr:7", "has no ocr/7"),
        ("canary=nothing:1", "has no nothing/1"),
        ("canary", "LABEL=MODEL:VERSION"),
        ("=ocr:1", "LABEL=MODEL:VERSION"),
        ("canary=ocr:-1", "LABEL=MODEL:VERSION"),
    ],
)
def test_a_label_that_does_not_fit_is_refused(output, label, message):
    with pytest.raises(RegistryError, match=message):
        serving_config(output, labels=[label])


def test_two_names_that_would_be_one_are_refused(tmp_path):
    for name in "ab":
        (tmp_path / f"{name}.h5").write_text(f"lstm {name}")
    (tmp_path / "manifest.csv").write_text("model,source\nner/tagger,a.h5\nner.tagger,b.h5\n")
    assert run_and_read(fake_run(tmp_path / "manifest.csv", tmp_path / "models"))[0] == 0
    with pytest.raises(RegistryError, match=r"both be served as ner\.tagger"):
        serving_config(tmp_path / "models")


def test_a_receipt_in_another_place_and_an_empty_output_are_refused(tmp_path, output, capsys):
    (tmp_path / "models/other").mkdir(parents=True)
    assert exit_status("serving-config", str(tmp_path / "models")) == 2
    assert "holds no published model" in capsys.readouterr().err
    (output / "ocr/1").rename(tmp_path / "models/other/1")
    try:
        assert exit_status("serving-config", str(tmp_path / "models")) == 2
        assert "h5ferry verify" in capsys.readouterr().err
    finally:
        (tmp_path / "models/other/1").rename(output / "ocr/1")
