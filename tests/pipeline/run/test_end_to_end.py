"""The real converter on genuine files, through the command line."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipeline.audit.findings import Kind, OutputState
from pipeline.audit.verify import replay
from pipeline.cli.app import main
from pipeline.isolation.policy import Isolation
from pipeline.isolation.process import ConfinedProcess
from pipeline.publication.layout import RECEIPT
from pipeline.publication.receipt import list_files, read_receipt

FIXTURES = Path(__file__).parents[2] / "fixtures/keras-2.2.4"


def exit_status(*arguments):
    with pytest.raises(SystemExit) as caught:
        main([str(argument) for argument in arguments])
    return caught.value.code


@pytest.fixture(scope="module")
def output(tmp_path_factory):
    folder = tmp_path_factory.mktemp("registry")
    manifest = folder / "manifest.csv"
    rows = [f"text/{name},{FIXTURES / name}.h5,{FIXTURES / name}.npz," for name in ("emb_cudnn_lstm", "lambda_random")]
    saved = FIXTURES / "cudnn_siamese.saver"
    rows += [f"text/checkpoint,{saved}.index,{saved}.npz,{saved}.json", f"text/none,{folder}/none.h5,,"]
    manifest.write_text("\n".join(["model,source,samples,architecture", *rows]))
    assert exit_status("migrate", manifest, "--output", folder / "out", "--report", folder / "report", "--quiet") == 3
    return folder / "out"


def test_report(output):
    frame = pd.read_parquet(output.with_name("report") / "report.parquet").set_index("model")
    assert dict(frame["status"]) == {
        "text/checkpoint": "migrated",
        "text/emb_cudnn_lstm": "migrated",
        "text/lambda_random": "refused",
        "text/none": "refused",
    }
    row = frame.loc["text/emb_cudnn_lstm"]
    assert row.evidence == "golden" and row.max_abs_error < 1e-5 and row.tensorflow_version


def test_verify_runs_the_samples(output, capsys):
    assert exit_status("verify", output) == 0
    assert "2 of 2 outputs" in capsys.readouterr().out
    samples = output / "text/emb_cudnn_lstm/1/assets.extra/samples.npz"
    assert samples.stat().st_size > 0


def test_replay_finds_drift(output, tmp_path):
    """One child runs the samples of many outputs: sound, drifting, incomplete and broken ones."""
    place = Path(shutil.copytree(output / "text/emb_cudnn_lstm/1", tmp_path / "text/emb_cudnn_lstm/1"))
    samples = place / "assets.extra/samples.npz"
    kept = dict(np.load(samples))
    child = ConfinedProcess(Isolation(preload=("tensorflow",)))

    def found(change=None):
        if change is not None:
            np.savez(samples, **change)
        state = replay(place, OutputState("m/1"), read_receipt(place), child)
        assert state.replayed and {finding.kind for finding in state.findings} <= {Kind.DRIFT}
        return " ".join(finding.message for finding in state.findings), state.max_abs_error

    message, error = found()
    assert message == "" and error < 1e-5
    message, error = found({**kept, "y0": kept["y0"] + np.float32(0.5)})
    assert "output 0 differs from what was kept by up to 0.5" in message and error == pytest.approx(0.5, abs=1e-3)
    assert "output 0 has shape" in found({**kept, "y0": kept["y0"][:1]})[0]
    assert "has no readable samples: The samples file does not fit the model" in found({"x0": kept["x0"]})[0]
    samples.write_bytes(b"PK")
    assert "has no readable samples" in found()[0]
    np.savez(samples, **kept)
    (place / "variables/variables.index").write_bytes(b"")
    assert "does not run on its samples" in found()[0]
    graph = place / "saved_model.pb"
    graph.write_bytes(graph.read_bytes().replace(b"Identity", b"ReadFile"))
    assert "Its graph was changed while it was verified" in found()[0]
    (place / RECEIPT).write_text(replace(read_receipt(place), files=list_files(place)).to_json())
    assert "ReadFile" in found()[0]
    child.close()


def test_inspect(capsys):
    assert exit_status("inspect", "--json", FIXTURES / "emb_cudnn_lstm.h5", FIXTURES / "lambda_random.h5") == 3
    good, bad = capsys.readouterr().out.splitlines()
    assert '"fingerprint"' in good and '"unsafe_lambda"' in bad


def test_inspect_of_a_checkpoint(capsys):
    saved = FIXTURES / "cudnn_siamese.saver"
    assert exit_status("inspect", "--json", "--architecture", f"{saved}.json", saved) == 0
    assert exit_status("inspect", "--json", f"{saved}.index") == 3
    good, bad = capsys.readouterr().out.splitlines()
    assert "cudnn_lstm_to_lstm" in good
    assert "CuDNNLSTM with 4 units" in bad


@pytest.mark.parametrize("flag, status", [((), "refused"), (("--allow-custom-code",), "migrated")])
def test_custom_code_is_executed_with_the_flag_only(tmp_path, flag, status):
    custom = FIXTURES.with_name("custom")
    rows = [f"{name},{custom / name}.h5,{custom / code}" for name, code in (("custom_attention", "attention.py"),)]
    (tmp_path / "manifest.csv").write_text("\n".join(["model,source,custom_objects", *rows]))
    arguments = ("migrate", tmp_path / "manifest.csv", "--output", tmp_path / "out", "--report", tmp_path / "report")
    assert exit_status(*arguments, "--quiet", *flag) == (0 if flag else 3)
    (row,) = pd.read_parquet(tmp_path / "report/report.parquet").itertuples()
    assert (row.status, row.evidence) == (status, "rebuilt" if flag else "")
    assert row.reason == ("" if flag else "custom_objects_needed")
