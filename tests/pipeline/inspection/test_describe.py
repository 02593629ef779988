import io
import json
import os
import shutil

import pytest
from rich.console import Console

from pipeline.inspection.describe import describe_models
from pipeline.inspection.view import lines_of, tree_of
from tests.fixture_files import FOLDER

#: The keys that docs/operators.md promises.
ACCEPTED = """file accepted source_sha256 source_bytes keras_version backend family fingerprint parameters layers
rewrites warnings uncovered dialect assumptions tensorflow_min tensorflow_min_lowest signature evidence""".split()
REFUSED = "file accepted reason meaning message layer advice detail keras_version backend dialect".split()


@pytest.fixture
def described(capsys):
    def run(*names, as_json=True):
        sound = describe_models([FOLDER / name for name in names], None, "", as_json=as_json)
        printed = capsys.readouterr().out
        return sound, [json.loads(line) for line in printed.splitlines()] if as_json else printed

    return run


def test_json_for_machines(described):
    sound, (nested, refused) = described("keras-2.2.4/cudnn_nested.h5", "keras-2.2.4/lambda_random.h5")
    assert not sound
    assert list(nested) == ACCEPTED and list(refused) == REFUSED
    assert nested["accepted"] and nested["evidence"] == "reference"
    layer = next(each for each in nested["layers"] if each["class_name"] == "CuDNNLSTM")
    assert layer == {
        "path": "middle/inner/cu_dnnlstm_1",
        "class_name": "CuDNNLSTM",
        "parameters": 176,
        "output_shape": [None, None, 4],
        "depth": 3,
        "function": "",
    }
    assert nested["rewrites"][0]["rule"] == "cudnn_lstm_to_lstm"
    assert (
        refused["reason"] == "unsafe_lambda"
        and refused["layer"] == "lambda_1"
        and "custom_objects" in refused["advice"]
    )


def test_view_for_people(described):
    sound, text = described("keras-2.2.4/cudnn_nested.h5", as_json=False)
    lines = text.splitlines()
    assert sound and lines[1] == "  written by Keras 2.2.4 on tensorflow"
    layer = next(index for index, line in enumerate(lines) if "cu_dnnlstm_1  CuDNNLSTM  (?, ?, 4)  176" in line)
    assert lines[layer + 1].strip().startswith("rewrite cudnn_lstm_to_lstm")
    assert len(lines[layer]) - len(lines[layer].lstrip()) == 8
    _, text = described("keras-2.2.4/lambda_random.h5", as_json=False)
    assert "would be refused: unsafe_lambda" in text and "remedy: Give a function" in text


def test_many_files_in_order(tmp_path, capsys):
    names = [f"{index:02}.h5" for index in range(30)]
    for index, name in enumerate(names):
        shutil.copy(
            FOLDER / ("keras-2.2.4/stateful.h5" if index % 7 else "keras-2.2.4/lambda_random.h5"), tmp_path / name
        )
    assert not describe_models([tmp_path / name for name in names], None, "", as_json=True)
    found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [os.path.basename(each["file"]) for each in found] == names
    assert [each["accepted"] for each in found] == [bool(index % 7) for index in range(30)]


def test_names_cannot_steer_the_terminal():
    nasty = "a\x1b[31m\n\u202eb[bold]"
    layer = {"function": "", "path": nasty, "class_name": nasty, "parameters": 1, "output_shape": [None, 2], "depth": 1}
    tensor = {"layer": nasty, "name": nasty, "tensor": nasty, "dtype": nasty, "shape": [None, 2]}
    tensor |= {"position": 0, "array": nasty}
    accepted = {
        "file": nasty,
        "accepted": True,
        "family": "keras",
        "keras_version": nasty,
        "backend": nasty,
        "parameters": 1,
        "source_bytes": 2,
        "layers": [
            {**layer, "function": nasty},
            {**layer, "path": f"{nasty}/{nasty}", "depth": 2, "output_shape": None},
        ],
        "rewrites": [{"layer": nasty, "rule": "r", "detail": nasty}, {"layer": "gone", "rule": "s", "detail": ""}],
        "warnings": [nasty],
        "uncovered": [nasty],
        "assumptions": [nasty],
        "tensorflow_min": nasty,
        "tensorflow_min_lowest": nasty,
        "signature": {kind: [tensor] for kind in ("inputs", "outputs")},
        "evidence": "rebuilt",
    }
    refused = {
        "file": nasty,
        "accepted": False,
        "reason": "r",
        "meaning": "m",
        "message": nasty,
        "layer": nasty,
        "advice": nasty,
        "detail": (nasty,),
    }
    for description in (accepted, refused):
        stream = io.StringIO()
        Console(file=stream, width=200).print(tree_of(description))
        for text in ("\n".join(lines_of(description)), stream.getvalue()):
            assert "\x1b" not in text and "\u202e" not in text and "[bold]" in text and "\\x1b[31m\\n\\u202e" in text
