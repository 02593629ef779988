"""The files that make a published SavedModel a model of MLflow: flavor tensorflow, called by named inputs."""

from __future__ import annotations

import hashlib
import json
import platform
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from pipeline.registries.mlflow.logged_model import MLMODEL
from pipeline.registries.published import PublishedModel
from transforms.records.signature import SignatureTensor

#: Folder of the SavedModel inside the artifacts, which hold exactly what was published.
SAVED_MODEL = "tfmodel"
_PYTHON_ENVIRONMENT, _REQUIREMENTS = "python_env.yaml", "requirements.txt"


def write_package(published: PublishedModel, folder: Path, run_id: str, mlflow_version: str, created: str) -> None:
    """Writes MLmodel and the description of its environment.

    Args:
        published: the model.
        folder: that they are written into.
        run_id: of MLflow's run.
        mlflow_version: of the client.
        created: UTC, as MLflow writes it.
    """
    tensorflow = published.receipt.outcome.tensorflow_version
    python = platform.python_version()
    requirements = [f"mlflow=={mlflow_version}", *([f"tensorflow=={tensorflow}"] if tensorflow else [])]
    environment = {"python": python, "build_dependencies": ["pip"], "dependencies": [f"-r {_REQUIREMENTS}"]}
    (folder / _REQUIREMENTS).write_text("".join(f"{line}\n" for line in requirements), "utf-8")
    (folder / _PYTHON_ENVIRONMENT).write_text(yaml.safe_dump(environment, sort_keys=False), "utf-8")
    content = {
        "artifact_path": "model",
        "flavors": {
            "python_function": {
                "env": {"virtualenv": _PYTHON_ENVIRONMENT},
                "loader_module": "mlflow.tensorflow",
                "python_version": python,
            },
            # `tf1-estimator` is MLflow's name for a SavedModel that is called by its signature, with named inputs.
            "tensorflow": {
                "code": None,
                "meta_graph_tags": ["serve"],
                "model_type": "tf1-estimator",
                "saved_model_dir": SAVED_MODEL,
                "signature_def_key": "serving_default",
            },
        },
        "mlflow_version": mlflow_version,
        "model_uuid": uuid.UUID(hashlib.sha256(published.receipt_sha256.encode()).hexdigest()[:32]).hex,
        "run_id": run_id,
        "utc_time_created": created,
        **_signature(published),
    }
    (folder / MLMODEL).write_text(yaml.safe_dump(content, sort_keys=False), "utf-8")


def _signature(published: PublishedModel) -> dict[str, Any]:
    """MLflow's signature, as JSON in YAML; none where MLflow has no name for a dtype, or a shape is unknown."""
    signature = published.receipt.signature
    inputs, outputs = _tensors(signature.inputs), _tensors(signature.outputs)
    if not inputs or not outputs:
        return {}
    return {"signature": {"inputs": json.dumps(inputs), "outputs": json.dumps(outputs), "params": None}}


def _tensors(tensors: Sequence[SignatureTensor]) -> list[dict[str, Any]]:
    found = []
    for each in tensors:
        dtype = _numpy_dtype(each.dtype)
        if not dtype or each.shape is None:
            return []
        shape = [-1 if extent is None else extent for extent in each.shape]
        found.append({"name": each.name, "type": "tensor", "tensor-spec": {"dtype": dtype, "shape": shape}})
    return found


def _numpy_dtype(dtype: str) -> str:
    """NumPy's name for a dtype of TensorFlow, "" for none."""
    if dtype == "string":
        return "str"
    try:
        return np.dtype(dtype).name if dtype else ""
    except TypeError:
        return ""
