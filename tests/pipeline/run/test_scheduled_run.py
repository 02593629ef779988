"""What a scheduler's command line leaves behind: signed record, history, metrics."""

import json

import pytest

from pipeline.history.signing import PASSPHRASE_VARIABLE
from pipeline.monitoring.prometheus import last_success
from tests.pipeline.cli.test_app import FAKES, exit_status
from tests.pipeline.key_files import write_keys
from tests.pipeline.registry import write_registry


@pytest.fixture
def registry(tmp_path):
    """A manifest, and an encrypted key with its public half."""
    (tmp_path / "passphrase").write_text("a secret\n")
    write_keys(tmp_path / "sign.pem", b"a secret")
    return write_registry(tmp_path, ["good-1", "a/good-2"])


def test_nightly_run(registry, tmp_path, monkeypatch, capsys):
    output, metrics = tmp_path / "out", tmp_path / "h5ferry.prom"
    arguments = ["migrate", registry, "--output", output, "--quiet", "--metrics-file", metrics, *FAKES]
    arguments += ["--sign-key", tmp_path / "sign.pem"]
    by_file = ["--sign-key-passphrase-file", tmp_path / "passphrase"]
    assert exit_status(*arguments, *by_file, "--run-id", "monday") == 0
    monkeypatch.setenv(PASSPHRASE_VARIABLE, "a secret")
    assert exit_status(*arguments, "--run-id", "tuesday", "--wait", "5") == 0
    assert capsys.readouterr() == ("", "")
    assert "a secret" not in "".join(path.read_text() for path in output.rglob("*.json"))
    latest = json.loads((output / "_h5ferry/latest.json").read_text())
    assert (latest["run_id"], latest["exit_status"], latest["counts"]["status"]) == ("tuesday", 0, {"unchanged": 2})
    assert last_success(metrics) is not None
    public = ["--public-key", tmp_path / "sign.pub"]
    assert exit_status("verify", output, *public, "--no-run-samples", "--json") == 0
    assert json.loads(capsys.readouterr().out)["runs"] == 2
    runs = output / "_h5ferry/runs"
    assert exit_status("verify", runs / "monday", *public, "--no-run-samples") == 0
    assert exit_status("diff", runs / "monday", runs / "tuesday") == 0
    (output / "good-1/1/saved_model.pb").write_bytes(b"grapH")
    assert exit_status("verify", output, *public, "--no-run-samples") == 3
    assert "good-1/1" in capsys.readouterr().out


@pytest.mark.parametrize(
    "options, says",
    [
        (["--sign-key", "sign.pem"], "is encrypted"),
        (["--sign-key", "sign.pub"], "no private key"),
        (["--sign-key", "none"], "cannot be read"),
        (["--sign-key", "sign.pem", "--sign-key-passphrase-file", "none"], "cannot be read"),
        (["--sign-key", "sign.pem", "--sign-key-passphrase-file", "sign.pub"], "passphrase is wrong"),
        (["--metrics-file", "none/h5ferry.prom"], "there is no folder"),
        (["--wait", "-1"], "--wait"),
    ],
)
def test_what_is_unusable_stops_the_run_before_any_work(registry, tmp_path, monkeypatch, capsys, options, says):
    monkeypatch.delenv(PASSPHRASE_VARIABLE, raising=False)
    monkeypatch.chdir(tmp_path)
    assert exit_status("migrate", registry, "--output", tmp_path / "out", *options, *FAKES) == 2
    assert says in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
