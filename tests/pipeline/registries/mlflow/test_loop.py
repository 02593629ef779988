"""From the registry that MLflow 1.30 wrote into one of MLflow 3, by one command; what is registered answers.

Needs the extra `mlflow`, and makes an environment with MLflow 3 and TensorFlow below `.legacy`.
"""

import json
import re
import shutil
import sqlite3
import subprocess

import numpy as np
import pandas as pd
import pytest
from mlflow_fixture import RUNTIME, SERVER

from pipeline.registries.mlflow.database import read_database
from tests.pipeline.registries.mlflow.registry_files import GENUINE
from tests.pipeline.registries.mlflow.servers import ROOT, h5ferry, interpreter_of, invoke, running
from tests.pipeline.registry import tree

pytestmark = pytest.mark.soak
NAMES = [(name, version) for name in ("credit risk", "tagger") for version in (1, 2, 3)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """`old/`, the registry of 1.30."""
    folder = tmp_path_factory.mktemp("loop")
    shutil.copytree(GENUINE, folder / "old")
    return folder


@pytest.fixture(scope="module")
def server(folder):
    (folder / "new").mkdir()
    store = ["--backend-store-uri", f"sqlite:///{folder}/new/mlflow.db"]
    artifacts = ["--artifacts-destination", str(folder / "new/artifacts"), "--workers", "1"]
    with running(SERVER, ["server", *store, *artifacts], folder, "/health") as url:
        yield url


@pytest.fixture(scope="module")
def migrated(folder, server):
    """The one command."""
    return migrate(folder, server)


def migrate(folder, server):
    old = f"mlflow:sqlite:///{folder}/old/mlflow.db"
    run = h5ferry("migrate", old, "--output", "models", "--register", f"mlflow:{server}", cwd=folder)
    assert run.returncode == 0, run.stderr
    return run


def rows_of(path):
    """All that is registered, with the runs that uploaded it."""
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as database:
        tables = ("registered_models", "model_versions", "model_version_tags", "registered_model_aliases", "runs")
        return {table: sorted(map(repr, database.execute(f"SELECT * FROM {table}"))) for table in tables}


def test_one_command_migrates_and_registers_all(folder, server, migrated):
    found = read_database(folder / "new/mlflow.db")
    assert [(each.name, each.version) for each in found] == NAMES
    assert [each.aliases for each in found] == [(), (), ("migrated",)] * 2
    assert {each.tags["h5ferry.evidence"] for each in found} == {"reference"}
    assert [int(each.tags["h5ferry.version"]) for each in found] == [1, 2, 3, 1, 2, 3]


def test_the_old_registry_stays_as_it_is(folder, migrated):
    assert {name: data for name, (_, data) in tree(folder / "old").items()} == {
        name: data for name, (_, data) in tree(GENUINE).items()
    }


def test_pyfunc_answers_as_keras_2_15_did(folder, server, migrated):
    command = [str(interpreter_of(SERVER)), str(ROOT / "scripts/mlflow_answers.py"), server, str(GENUINE / "golden")]
    run = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    found = [json.loads(line) for line in run.stdout.splitlines() if line.startswith("{")]
    assert sorted((each["name"], each["version"]) for each in found) == NAMES, run.stderr[-3000:]
    assert all(each["share"] <= 1 for each in found), found


def test_models_serve_answers_with_named_inputs(folder, server, migrated, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", server)
    arguments = ["models", "serve", "-m", "models:/tagger@migrated", "--env-manager", "local"]
    with np.load(GENUINE / "golden/tagger-3.npz") as golden, running(SERVER, arguments, folder, "/ping") as url:
        found = invoke(url, {"inputs": {"words": golden["x0"].tolist(), "case": golden["x1"].tolist()}})
        for name, expected in (("tags", golden["y0"]), ("score", golden["y1"])):
            np.testing.assert_allclose(found[name], expected, rtol=1e-4, atol=1e-5)


def test_a_second_run_changes_nothing(folder, server, migrated):
    before = rows_of(folder / "new/mlflow.db"), tree(folder / "new/artifacts"), tree(folder / "models")
    run = migrate(folder, server)
    assert "0 registered" in run.stderr and "6 were there already" in run.stderr
    report = max((folder / "models/_h5ferry/runs").iterdir(), key=lambda path: path.stat().st_mtime_ns)
    assert set(pd.read_parquet(report / "report.parquet")["status"]) == {"unchanged"}
    assert (rows_of(folder / "new/mlflow.db"), tree(folder / "new/artifacts"), tree(folder / "models")) == before


def test_diff_sees_what_was_registered(folder, server, migrated):
    report = max((folder / "models/_h5ferry/runs").iterdir(), key=lambda path: path.stat().st_mtime_ns)
    run = h5ferry("diff", f"mlflow:{server}", str(report), cwd=folder)
    assert run.returncode == 0 and "No difference" in run.stdout, run.stderr


def test_what_a_server_keeps_is_downloaded(folder, server, migrated):
    """A version of the old kind on the new server, whose artifacts only the server has."""
    code = """
import sys, mlflow
client = mlflow.MlflowClient(sys.argv[1])
run = client.create_run("0")
client.log_artifacts(run.info.run_id, sys.argv[2], "model")
client.set_terminated(run.info.run_id)
client.create_registered_model("café")
client.create_model_version("café", f"{run.info.artifact_uri}/model", run.info.run_id)
"""
    old = next(each for each in read_database(GENUINE / "mlflow.db") if (each.name, each.version) == ("credit risk", 2))
    command = [str(interpreter_of(SERVER)), "-c", code, server, str(GENUINE / old.source)]
    subprocess.run(command, check=True, cwd=folder, capture_output=True)
    scan = ("scan", f"mlflow:{server}", "-o", "scanned/manifest.csv")
    (folder / "scanned").mkdir()
    first = h5ferry(*scan, cwd=folder)
    assert first.returncode == 0, first.stderr
    text = (folder / "scanned/manifest.csv").read_text()
    place = r"mlflow/caf_xC3_xA9/1-[0-9a-f]{12}"
    found = re.search(rf"^caf_xC3_xA9,({place}/data/model\.h5),1,{place}/samples\.npz$", text, re.MULTILINE)
    assert "left out: tagger/3 (no HDF5 file inside)" in text
    assert (folder / "scanned" / found[1]).read_bytes() == (GENUINE / old.source / "data/model.h5").read_bytes()
    assert h5ferry(*scan, cwd=folder).returncode == 0 and (folder / "scanned/manifest.csv").read_text() == text


def test_a_server_of_mlflow_1_30_is_scanned(folder):
    shutil.copytree(GENUINE, folder / "served")
    arguments = ["server", "--backend-store-uri", "sqlite:///mlflow.db", "--default-artifact-root", "artifacts"]
    with running(RUNTIME, [*arguments, "--workers", "1"], folder / "served", "/health") as url:
        run = h5ferry("scan", f"mlflow:{url}", "--quiet", cwd=folder / "served")
    assert run.returncode == 0, run.stderr
    assert run.stdout.count("artifacts/model/data/model.h5") == 6 and "stage Production" in run.stdout


def test_verify_compares_what_is_registered_byte_for_byte(folder, server, migrated):
    """The last test: it damages the registry."""
    verify = ("verify", "models", "--no-run-samples", "--registered", f"mlflow:{server}")
    run = h5ferry(*verify, cwd=folder)
    assert run.returncode == 0, run.stdout + run.stderr
    for path in sorted((folder / "new/artifacts").rglob("variables.data-*"))[:1]:
        data = bytearray(path.read_bytes())
        data[-1] ^= 1
        path.write_bytes(bytes(data))
    run = h5ferry(*verify, cwd=folder)
    assert run.returncode == 3 and "variables.data-00000-of-00001 differ" in run.stdout, run.stdout + run.stderr
