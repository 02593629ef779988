"""MLmodel of a published SavedModel."""

import json
from pathlib import Path

import pytest
import yaml

from pipeline.publication.outcome_columns import OutcomeColumns
from pipeline.publication.receipt import Receipt, ReceiptKey
from pipeline.registries.mlflow.packaging import write_package
from pipeline.registries.published import PublishedModel
from transforms.records.signature import ModelSignature, SignatureTensor

KEY = ReceiptKey("", "", "", "", "", 1e-4, 1e-5, "rebuilt")


def tensor(name, dtype, shape):
    return SignatureTensor(name, name, "", dtype, shape, 0, "x0")


def mlmodel(folder, *inputs):
    signature = ModelSignature(inputs, (tensor("y", "float32", (None, 3)),))
    receipt = Receipt("net", 1, KEY, (), OutcomeColumns(tensorflow_version="2.21.0"), signature=signature)
    write_package(PublishedModel(Path("x"), receipt, "ab"), folder, "r1", "3.17.2", "2026-01-31 14:25:00.000000")
    return yaml.safe_load((folder / "MLmodel").read_text())


def test_the_flavor_is_called_by_the_signature(tmp_path):
    content = mlmodel(tmp_path, tensor("words", "string", (None,)), tensor("x", "bool", (2, None)))
    assert content["flavors"]["tensorflow"] == {
        "code": None,
        "meta_graph_tags": ["serve"],
        "model_type": "tf1-estimator",
        "saved_model_dir": "tfmodel",
        "signature_def_key": "serving_default",
    }
    assert content["flavors"]["python_function"]["loader_module"] == "mlflow.tensorflow"
    assert json.loads(content["signature"]["inputs"]) == [
        {"name": "words", "type": "tensor", "tensor-spec": {"dtype": "str", "shape": [-1]}},
        {"name": "x", "type": "tensor", "tensor-spec": {"dtype": "bool", "shape": [2, -1]}},
    ]
    assert content["run_id"] == "r1" and content["mlflow_version"] == "3.17.2"
    assert (tmp_path / "requirements.txt").read_text() == "mlflow==3.17.2\ntensorflow==2.21.0\n"


@pytest.mark.parametrize("dtype, shape", [("bfloat17", (None,)), ("float32", None), ("", (None,))])
def test_no_signature_is_better_than_one_that_mlflow_cannot_read(tmp_path, dtype, shape):
    assert "signature" not in mlmodel(tmp_path, tensor("x", dtype, shape))
