"""MLmodel and the forms of an input example."""

import json

import numpy as np
import pytest

from pipeline.registries.mlflow.logged_model import read_example, read_mlmodel
from pipeline.registries.mlflow.versions import MlflowError
from tests.pipeline.registries.mlflow.registry_files import GENUINE


def test_mlmodel_of_mlflow_1_30_is_read():
    examples = [
        read_mlmodel(path) for path in sorted(GENUINE.rglob("MLmodel")) if (path.parent / "input_example.json").exists()
    ]
    assert {(each.flavor, each.data, each.save_format, each.code, each.example) for each in examples} == {
        ("keras", "data", "h5", "", "input_example.json")
    }
    tensors = {"words": "float32", "case": "float32"}  # the other is a table, whose columns are no tensors
    assert sorted((dict(each.dtypes) for each in examples), key=len) == [{}, tensors]


@pytest.mark.parametrize(
    "text", ["", "[]", "flavors: 3", "a: b", "{", "flavors: {keras: {}}\nsignature: {inputs: '{'}"]
)
def test_a_damaged_mlmodel_is_refused(tmp_path, text):
    (tmp_path / "MLmodel").write_text(text)
    with pytest.raises(MlflowError, match="cannot be read"):
        read_mlmodel(tmp_path / "MLmodel")


def test_lists_that_refer_to_one_another_are_not_written_out(tmp_path):
    lists = "".join(f"l{i}: &l{i} [{', '.join([f'*l{i - 1}'] * 9)}]\n" for i in range(1, 30))
    (tmp_path / "MLmodel").write_text(f"l0: &l0 [x]\n{lists}flavors: {{keras: {{data: *l29}}}}\n")
    with pytest.raises(MlflowError, match="another type"):
        read_mlmodel(tmp_path / "MLmodel")


@pytest.mark.parametrize(
    "content, dtypes, expected",
    [
        ({"columns": ["a", "b"], "data": [[1, 2], [3, 4]]}, {}, {"x0": np.float32([[1, 2], [3, 4]])}),
        ({"dataframe_split": {"columns": ["a"], "data": [[1.5]]}}, {}, {"x0": np.float32([[1.5]])}),
        ({"inputs": [[1, 2]]}, {}, {"x0": np.int32([[1, 2]])}),
        ({"inputs": [[1, 2]]}, {"": "float64"}, {"x0": np.float64([[1, 2]])}),
        (
            {"inputs": {"a": [[1.0]], "b": [[True]]}},
            {"a": "float16"},
            {"a": np.float16([[1]]), "b": np.array([[True]])},
        ),
        ({"inputs": {"words": [["é", "b"]]}}, {}, {"words": np.array([["é".encode(), b"b"]])}),
        ([[0.5]], {}, {"x0": np.float32([[0.5]])}),
    ],
)
def test_each_form_of_an_example_is_read(tmp_path, content, dtypes, expected):
    (tmp_path / "example.json").write_text(json.dumps(content))
    found = read_example(tmp_path / "example.json", dtypes)
    assert found.keys() == expected.keys()
    for name, array in expected.items():
        assert found[name].dtype == array.dtype
        np.testing.assert_array_equal(found[name], array)


@pytest.mark.parametrize("text", ["{", '{"inputs": [[1], [2, 3]]}', '{"inputs": 1}', '{"inputs": [[null]]}', '"text"'])
def test_an_example_that_is_no_array_is_refused(tmp_path, text):
    (tmp_path / "example.json").write_text(text)
    with pytest.raises(MlflowError, match="cannot be used as samples"):
        read_example(tmp_path / "example.json", {})
