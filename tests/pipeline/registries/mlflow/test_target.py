"""`register`, `verify --registered` and `diff mlflow:` against a client in memory; test_loop.py has real servers."""

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from pipeline.audit.findings import Kind
from pipeline.registries.mlflow import registered, target
from pipeline.registries.mlflow.artifacts import RemoteArtifacts
from pipeline.registries.mlflow.registered import registered_findings, registry_report
from pipeline.registries.mlflow.target import register_models, target_names
from pipeline.registries.mlflow.versions import MlflowError, RegisteredVersion, parse_location
from pipeline.registries.published import RegistryError, published_models
from pipeline.report.table import checked_report
from tests.pipeline.cli.test_app import exit_status
from tests.pipeline.registries.mlflow.fake_mlflow import FakeClient, FakeStore
from tests.pipeline.registries.mlflow.registry_files import GENUINE
from tests.pipeline.registry import fake_run, run_and_read

URI = "mlflow:http://127.0.0.1:1"


@pytest.fixture
def client(tmp_path, monkeypatch):
    client = FakeClient(tmp_path / "store")
    for module in (target, registered):
        monkeypatch.setattr(module, "open_target", lambda text: (client, parse_location(text)))
    monkeypatch.setattr("pipeline.registries.register.open_target", lambda text: (client, parse_location(text)))
    monkeypatch.setattr(RemoteArtifacts, "_repository", lambda self: FakeStore(Path(self.source)))
    monkeypatch.setattr(target.metadata, "version", lambda name: "3.0")
    return client


@pytest.fixture
def output(tmp_path):
    for name in "abc":
        (tmp_path / f"{name}.h5").write_text(f"lstm {name}")
    rows = "credit_x20risk,a.h5,2\ncredit_x20risk,b.h5,10\nner/tagger,c.h5,1\n"
    (tmp_path / "manifest.csv").write_text(f"model,source,version\n{rows}")
    assert run_and_read(fake_run(tmp_path / "manifest.csv", tmp_path / "models"))[0] == 0
    return tmp_path / "models"


def test_each_model_becomes_a_version_under_its_own_name(client, output):
    found = list(register_models(published_models(output), URI))
    assert [(each.model, each.version, each.name, each.number, each.added) for each in found] == [
        ("credit_x20risk", 2, "credit risk", 1, True),
        ("credit_x20risk", 10, "credit risk", 2, True),
        ("ner/tagger", 1, "ner.tagger", 1, True),
    ]
    assert client.models == {"credit risk": {"migrated": "2"}, "ner.tagger": {"migrated": "1"}}
    tags = client.versions[1].tags
    receipt = published_models(output)[1].receipt
    assert tags["h5ferry.model"] == "credit_x20risk" and tags["h5ferry.version"] == "10"
    assert tags["h5ferry.source_sha256"] == receipt.key.source_sha256
    assert tags["h5ferry.output_sha256"] == receipt.sha256 and tags["h5ferry.evidence"] == receipt.outcome.evidence
    assert {run.status for run in client.runs} == {"FINISHED"}


def test_a_second_time_nothing_is_written(client, output):
    list(register_models(published_models(output), URI))
    before = client.writes
    found = list(register_models(published_models(output), URI))
    assert [each.number for each in found] == [1, 2, 1] and not any(each.added for each in found)
    assert client.writes == before


def test_after_a_failure_the_rest_is_registered(client, output):
    client.failing = "credit_x20risk/10"
    with pytest.raises(MlflowError, match="connection lost"):
        list(register_models(published_models(output), URI))
    assert [run.status for run in client.runs] == ["FINISHED", "FAILED"] and len(client.versions) == 1
    client.failing = ""
    assert [each.added for each in register_models(published_models(output), URI)] == [False, True, True]


def test_an_upload_without_a_version_is_used(client, output):
    list(register_models(published_models(output), URI))
    del client.versions[1]
    found = list(register_models(published_models(output), URI))
    assert [each.added for each in found] == [False, True, False] and len(client.runs) == 3


@pytest.mark.parametrize("data", [b"grapH", b"another length"])
def test_altered_files_are_not_registered(client, output, data):
    (output / "ner/tagger/1/saved_model.pb").write_bytes(data)
    with pytest.raises(RegistryError, match="h5ferry verify"):
        list(register_models(published_models(output), URI))
    assert "ner.tagger" not in {version.name for version in client.versions}


def test_verify_sees_what_is_missing_and_what_differs(client, output):
    published = published_models(output)
    missing = [finding.kind for finding in registered_findings(published, URI)]
    assert missing == [Kind.MISSING] * 3
    list(register_models(published, URI))
    assert list(registered_findings(published, URI)) == []
    graph = client.folder / "1/model/tfmodel/saved_model.pb"
    graph.write_bytes(graph.read_bytes()[:-1] + b"?")
    (client.folder / "2/model/tfmodel/more").write_bytes(b"x")
    found = list(registered_findings(published, URI))
    assert [(each.kind, each.path) for each in found] == [
        (Kind.ALTERED, "credit risk/10"),
        (Kind.ALTERED, "ner.tagger/1"),
    ]
    assert "saved_model.pb differ" in found[0].message and "more differ" in found[1].message


def test_the_report_of_a_registry_is_that_of_the_run(client, output):
    list(register_models(published_models(output), URI))
    versions = [
        RegisteredVersion(each.name, int(each.version), each.source, tags=each.tags) for each in client.versions
    ]
    found = checked_report(registry_report(versions, parse_location(URI))).set_index(["model", "version"])
    report = pd.read_parquet(output.with_name("models-report") / "report.parquet").set_index(["model", "version"])
    for column in ("evidence", "max_abs_error", "source_sha256", "output_sha256", "receipt_sha256", "rtol", "atol"):
        pd.testing.assert_series_equal(found[column].sort_index(), report[column].sort_index(), check_dtype=False)


def test_a_registry_without_our_versions_has_no_report(client):
    with pytest.raises(MlflowError, match="no version that h5ferry registered"):
        registry_report([RegisteredVersion("a", 1, "x")], parse_location(URI))


def test_the_commands_register_and_verify(client, output, capsys):
    assert exit_status("register", str(output), "--to", URI) == 0
    assert "3 registered in mlflow:http" in capsys.readouterr().err
    assert exit_status("verify", str(output), "--no-run-samples", "--registered", URI) == 0
    client.models.clear()
    assert exit_status("verify", str(output), "--no-run-samples", "--registered", URI) == 3
    assert "is not registered in" in capsys.readouterr().out


def test_a_run_registers_what_it_published(client, tmp_path, capsys):
    (tmp_path / "a.h5").write_text("lstm a")
    (tmp_path / "manifest.csv").write_text("model,source\nnet,a.h5\n")
    run = fake_run(tmp_path / "manifest.csv", tmp_path / "models")
    assert run_and_read(replace(run, register=URI))[0] == 0
    assert [version.name for version in client.versions] == ["net"]
    client.failing = "net/1"
    client.models.clear()
    client.versions.clear()
    client.runs.clear()
    assert run_and_read(replace(run, register=URI))[0] == 1
    assert "h5ferry register" in capsys.readouterr().err


@pytest.mark.parametrize("models", [("ner/tagger", "ner.tagger"), ("a_x3Ab", "a.b")])
def test_two_models_of_one_registered_name_are_refused(models):
    with pytest.raises(RegistryError, match="would both be registered"):
        target_names(models)


def test_places_that_take_no_models_are_refused_before_any_work(tmp_path, output, capsys):
    database = f"mlflow:sqlite:///{GENUINE}/mlflow.db"
    for place, message in (
        (f"mlflow:{tmp_path}", "registered by a server"),
        (database, "registered by a server"),
        ("models", "give mlflow:URI"),
    ):
        assert exit_status("register", str(output), "--to", place) == 2
        assert message in capsys.readouterr().err
    assert exit_status("migrate", "m.csv", "--output", "gs://x/y", "--register", URI) == 2
    assert "local output" in capsys.readouterr().err
