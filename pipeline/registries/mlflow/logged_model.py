"""The description of a logged model: its file `MLmodel`, and the input example beside it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import yaml

from pipeline.registries.mlflow.versions import MlflowError
from pipeline.storage.regular_file import read_regular

MLMODEL = "MLmodel"
_FLAVORS = ("keras", "tensorflow")
_MOST_BYTES = 1 << 20
_EXAMPLE_BYTES = 64 << 20


@dataclass(frozen=True)
class LoggedModel:
    """What `MLmodel` says, as far as it concerns a migration.

    Attributes:
        flavor: `keras` or `tensorflow`; "" if it has neither.
        data: folder of the model's own files, "" for that of MLmodel.
        save_format: "" if it is not said.
        code: folder of Python files that were logged with the model, "" for none.
        example: the input example's file, "" for none.
        dtypes: of the signature's inputs, by name ("" for one without): NumPy's names.
    """

    flavor: str
    data: str
    save_format: str
    code: str
    example: str
    dtypes: Mapping[str, str]


def read_mlmodel(path: Path) -> LoggedModel:
    """Reads `MLmodel`.

    Raises:
        MlflowError: it cannot be read.
    """
    try:
        content = yaml.safe_load(read_regular(path, _MOST_BYTES))
        flavors = content["flavors"]
        flavor = next((name for name in _FLAVORS if name in flavors), "")
        own, function = flavors.get(flavor) or {}, flavors.get("python_function") or {}
        return LoggedModel(
            flavor=flavor,
            data=_text(own.get("data") or function.get("data")),
            save_format=_text(own.get("save_format")),
            code=_text(own.get("code") or function.get("code")),
            example=_text((content.get("saved_input_example_info") or {}).get("artifact_path")),
            dtypes=_dtypes((content.get("signature") or {}).get("inputs")),
        )
    except (OSError, ValueError, TypeError, KeyError, AttributeError, yaml.YAMLError, RecursionError) as error:
        raise MlflowError(f"its {MLMODEL} cannot be read: {error}") from error


def _text(value: object) -> str:
    """A text, "" for none. Anything else is refused: written out, lists that refer to one another grow without end."""
    if value is None or isinstance(value, str):
        return value or ""
    raise TypeError("a text is of another type")


def _dtypes(inputs: str | None) -> dict[str, str]:
    entries = json.loads(inputs) if inputs else []
    return {
        str(entry.get("name") or ""): str(entry["tensor-spec"]["dtype"])
        for entry in entries
        if entry.get("type") == "tensor"
    }


def read_example(path: Path, dtypes: Mapping[str, str]) -> dict[str, npt.NDArray[Any]]:
    """The arrays of an input example: by input name, or `x0` for a single unnamed one.

    MLflow writes a table as `{"columns": …, "data": …}`, arrays as `{"inputs": array}` or `{"inputs": {name: array}}`,
    and from release 2.9 on also what a table of named tensors is: `{"dataframe_split": …}`. The columns of a table of
    numbers are the components of one input, as MLflow's Keras flavor feeds them.

    Args:
        path: JSON.
        dtypes: of the signature's inputs; without one, numbers are float32 or, where all are integers, int32.

    Raises:
        MlflowError: it is none of these, or holds no plain numbers or texts.
    """
    try:
        content = json.loads(read_regular(path, _EXAMPLE_BYTES))
        content = content.get("dataframe_split", content) if isinstance(content, Mapping) else content
        if isinstance(content, Mapping) and {"columns", "data"} <= content.keys():
            return {"x0": _array(content["data"], "float32")}
        given = content.get("inputs", content) if isinstance(content, Mapping) else content
        if isinstance(given, Mapping):
            return {name: _array(values, dtypes.get(name, "")) for name, values in given.items()}
        return {"x0": _array(given, next(iter(dtypes.values()), ""))}
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise MlflowError(f"its input example cannot be used as samples: {error}") from error


def _array(values: Sequence[Any], dtype: str) -> npt.NDArray[Any]:
    array = np.array(values)
    if array.ndim == 0 or array.dtype.kind not in "fiubU":
        raise ValueError(f"it holds {array.dtype} of shape {array.shape}")
    if array.dtype.kind == "U":
        return np.char.encode(array, "utf-8")
    if dtype and np.dtype(dtype).kind in "fiub":
        return array.astype(dtype)
    return array.astype({"f": "float32", "i": "int32", "u": "int32", "b": "bool"}[array.dtype.kind])
