import json
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.audit.findings import Kind
from pipeline.audit.parsing import ConfinedParser
from pipeline.audit.verify import VerifyRequest
from pipeline.audit.verify import verify as verify_with_parser
from pipeline.audit.view import as_json
from pipeline.cli.app import main
from pipeline.history.signing import load_public_key, load_signer
from pipeline.publication.layout import RECEIPT, STAGING
from pipeline.publication.receipt import read_receipt
from pipeline.report.table import ReportError
from pipeline.run.migrate import run_registry
from tests.pipeline.cli.test_app import FAKES
from tests.pipeline.key_files import write_keys
from tests.pipeline.registry import fake_run, write_registry

RUNS = "_h5ferry/runs"
#: One for all tests of this process.
PARSER = ConfinedParser()


def verify(request):
    return verify_with_parser(request, parser=PARSER)


@pytest.fixture(scope="session")
def keys(tmp_path_factory):
    folder = tmp_path_factory.mktemp("keys")
    for name in ("one", "two"):
        write_keys(folder / name)
    return folder


@pytest.fixture(scope="module")
def published(tmp_path_factory, keys):
    """Three signed runs in one output, of which the second keeps its report elsewhere below the output."""
    folder = tmp_path_factory.mktemp("registry")
    models = ["good-1", "a/good-2", "mismatch-1"]
    run = fake_run(write_registry(folder, models), folder / "out")
    run = replace(run, signer=load_signer(keys / "one", None))
    for run_id, report in (("r1", ""), ("r2", str(folder / "out/reports")), ("r3", "")):
        run_registry(replace(run, report=report, settings=replace(run.settings, run_id=run_id)))
    return folder / "out"


@pytest.fixture
def output(published, tmp_path):
    """A copy at another place."""
    return shutil.copytree(published, tmp_path / "moved")


def kinds(target, **options):
    found = verify(VerifyRequest(target, run_samples=False, **options))
    outputs = [finding for output in found.outputs for finding in output.findings]
    return {(finding.path, finding.kind.value) for finding in (*found.findings, *outputs)}


def flip(path, position=0):
    data = bytearray(path.read_bytes())
    data[position] ^= 1
    path.write_bytes(data)


def link(path):
    """The same content, by way of a link."""
    path.rename(path.with_name("target"))
    path.symlink_to("target")


def test_sound_wherever_it_lies(output, keys):
    found = verify(VerifyRequest(output, run_samples=False, keys=(load_public_key(keys / "one.pub"),)))
    assert found.sound and found.notes == () and found.runs == 3
    assert [state.path for state in found.outputs] == ["a/good-2/1", "good-1/1"]
    assert json.loads(as_json(found))["outputs"][0] == {
        "path": "a/good-2/1",
        "sound": True,
        "replayed": False,
        "max_abs_error": None,
        "signature": {"inputs": [], "outputs": []},
        "findings": [],
    }


def test_a_part_alone_is_sound_under_any_name(output, tmp_path):
    (tmp_path / "link").symlink_to(output / "a")
    shutil.copytree(output / "a/good-2/1", tmp_path / "renamed")
    for target in (output / "a", output / "a/good-2/1", tmp_path / "link", tmp_path / "renamed"):
        found = verify(VerifyRequest(target, run_samples=False))
        assert found.sound and len(found.outputs) == 1 and "no record" in found.notes[0]
    shutil.copytree(output / "a/good-2/1", output / "a/good-3/1")
    assert kinds(output / "a") == {(f"good-3/1/{RECEIPT}", "foreign")}


def test_a_byte_changed_anywhere_is_found(output):
    """The first, a middle and the last byte of every file."""
    files = sorted(path for path in output.rglob("*") if path.is_file())
    assert len(files) == 2 * 5 + 1 + 2 * 5 + 2 + 5
    for path in files:
        data = path.read_bytes()
        for position in sorted({0, len(data) // 2, len(data) - 1}):
            flip(path, position)
            assert not verify(VerifyRequest(output, run_samples=False)).sound, (path, position)
            path.write_bytes(data)
        path.write_bytes(data + b"\n")
        assert not verify(VerifyRequest(output, run_samples=False)).sound, path
        path.unlink()
        assert not verify(VerifyRequest(output, run_samples=False)).sound, path
        path.write_bytes(data)
    assert verify(VerifyRequest(output, run_samples=False)).sound


@pytest.mark.parametrize("place", ["_h5ferry/latest.json", f"{RUNS}/r1/run.json", "good-1/1/assets.extra/h5ferry.json"])
def test_bytes_all_over_a_record_count(output, place):
    path = output / place
    data = path.read_bytes()
    for position in range(0, len(data), 29):
        flip(path, position)
        assert not verify(VerifyRequest(output, run_samples=False)).sound, position
        path.write_bytes(data)


@pytest.mark.parametrize(
    "act, path, kind",
    [
        (lambda out: flip(out / "good-1/1/variables/variables.index"), "good-1/1/variables/variables.index", "altered"),
        (lambda out: (out / "good-1/1/saved_model.pb").unlink(), "good-1/1/saved_model.pb", "missing"),
        (lambda out: (out / "good-1/1/more").write_text(""), "good-1/1/more", "extra"),
        (lambda out: os.mkfifo(out / "good-1/1/more"), "good-1/1/more", "extra"),
        (lambda out: (out / "good-1/1/more").symlink_to("/etc"), "good-1/1/more", "link"),
        (lambda out: (out / "good-1/2").symlink_to("1"), "good-1/2", "link"),
        (lambda out: (out / "good-1/1" / RECEIPT).write_text("{}"), f"good-1/1/{RECEIPT}", "altered"),
        (lambda out: (out / "good-1/1" / RECEIPT).unlink(), "good-1/1", "unreceipted"),
        (lambda out: shutil.rmtree(out / "good-1/1"), "good-1/1", "missing"),
        (lambda out: shutil.copytree(out / "good-1/1", out / "good-1/2"), f"good-1/2/{RECEIPT}", "foreign"),
        (lambda out: shutil.copytree(out / "good-1", out / "b/good-1"), f"b/good-1/1/{RECEIPT}", "unrecorded"),
        (lambda out: (out / "good-1" / f"{STAGING}1-ab").mkdir(), f"good-1/{STAGING}1-ab", "leftover"),
        (lambda out: (out / ".h5ferry-probe").write_text(""), ".h5ferry-probe", "leftover"),
        (lambda out: (out / "notes.txt").write_text(""), "notes.txt", "extra"),
        (lambda out: (out / "_h5ferry/notes.txt").write_text(""), "_h5ferry/notes.txt", "extra"),
        (lambda out: (out / "_h5ferry/lock").write_text("{}"), "_h5ferry/lock", "leftover"),
        (lambda out: (out / "_h5ferry/latest.json").unlink(), "_h5ferry/latest.json", "missing"),
        (lambda out: (out / RUNS / "r9/shards-1").mkdir(parents=True), f"{RUNS}/r9", "leftover"),
        (lambda out: (out / RUNS / "r1/more.csv").write_text(""), f"{RUNS}/r1/more.csv", "extra"),
        (lambda out: (out / RUNS / "r1/run.json.sig").unlink(), f"{RUNS}/r1/run.json.sig", "unsigned"),
        (lambda out: (out / RUNS / "more").write_text(""), f"{RUNS}/more", "extra"),
        (lambda out: link(out / RUNS / "r1/run.json"), f"{RUNS}/r1/run.json", "altered"),
        (lambda out: link(out / RUNS / "r1/report.csv"), f"{RUNS}/r1/report.csv", "altered"),
        (lambda out: link(out / "good-1/1" / RECEIPT), f"good-1/1/{RECEIPT}", "missing"),
        (lambda out: (out / RUNS / "r1/more").mkdir(), f"{RUNS}/r1/more", "extra"),
        (lambda out: flip(out / RUNS / "r1/report.html"), f"{RUNS}/r1/report.html", "altered"),
        (lambda out: (out / "reports/report.csv").unlink(), "reports/report.csv", "missing"),
        (lambda out: shutil.copy(out / RUNS / "r1/run.json", out / "reports"), "reports/report.html", "altered"),
        (lambda out: shutil.rmtree(out / RUNS / "r2"), f"{RUNS}/r1/run.json", "unrecorded"),
    ],
)
def test_damage(output, act, path, kind):
    act(output)
    assert (path, kind) in kinds(output)


def test_a_receipt_that_fits_itself_is_held_against_the_record(output):
    """Someone claims better evidence, and seals the receipt anew."""
    receipt = read_receipt(output / "good-1/1")
    better = replace(receipt, outcome=replace(receipt.outcome, evidence="golden"))
    (output / "good-1/1" / RECEIPT).write_text(better.to_json())
    assert kinds(output) == kinds(output / RUNS / "r3") == {(f"good-1/1/{RECEIPT}", "altered")}


def test_damage_is_told_apart(output):
    """What is wrong in one place accuses no other."""
    flip(output / "good-1/1/variables/variables.index")
    (output / "a/good-2/1/more").write_text("")
    assert kinds(output) == {("good-1/1/variables/variables.index", "altered"), ("a/good-2/1/more", "extra")}


def test_altered_record_accuses_no_older_run(output):
    path = output / RUNS / "r2/run.json"
    path.write_bytes(path.read_bytes().replace(b'"exit_status": 3', b'"exit_status": 0'))
    found = kinds(output)
    assert (f"{RUNS}/r2/run.json", "altered") in found and (f"{RUNS}/r1/run.json", "unrecorded") not in found


def test_oldest_runs_may_go(output):
    shutil.rmtree(output / RUNS / "r1")
    found = verify(VerifyRequest(output, run_samples=False))
    assert found.sound and found.notes == ("The history begins after run r1, whose record is not there.",)


@pytest.mark.parametrize("target", [f"{RUNS}/r1", f"{RUNS}/r3/report.parquet"])
def test_report_in_its_output(output, target):
    found = verify(VerifyRequest(output / target, run_samples=False))
    assert found.sound and [state.path for state in found.outputs] == ["good-1/1", "a/good-2/1"]
    flip(output / "good-1/1/saved_model.pb")
    assert kinds(output / target) == {("good-1/1/saved_model.pb", "altered")}


def test_report_beside_its_output(output):
    """Moved together, they find each other."""
    found = verify(VerifyRequest(output / "reports", run_samples=False))
    assert found.sound and [state.path for state in found.outputs] == ["good-1/1", "a/good-2/1"]


def test_report_alone(published, output, tmp_path):
    """The bare file names where the output was; --output says where it is now."""
    shutil.copy(published / RUNS / "r3/report.parquet", tmp_path)
    report = tmp_path / "report.parquet"
    found = verify(VerifyRequest(report, run_samples=False))
    assert found.sound and found.outputs[0].path == str(published / "good-1/1")
    flip(output / "good-1/1/saved_model.pb")
    assert kinds(report, output=output) == {("good-1/1/saved_model.pb", "altered")}
    shutil.rmtree(output / "good-1")
    assert kinds(report, output=output) == {("good-1/1", "missing")}


def test_report_whose_output_is_gone(tmp_path):
    run = fake_run(write_registry(tmp_path, ["good-1"]), tmp_path / "out")
    run_registry(run)
    (tmp_path / "out").rename(tmp_path / "moved")
    found = verify(VerifyRequest(Path(run.report), run_samples=False))
    assert not found.sound and "--output" in found.notes[-1]
    assert kinds(Path(run.report), output=tmp_path / "moved") == set()


def test_report_of_another_output(published, tmp_path):
    """A receipt that agrees with its files, but not with the report."""
    elsewhere = fake_run(write_registry(tmp_path, ["good-1", "a/good-2"], "gru {model}"), tmp_path / "out")
    run_registry(elsewhere)
    shutil.copy(published / RUNS / "r3/report.parquet", tmp_path)
    found = kinds(tmp_path / "report.parquet", output=tmp_path / "out")
    assert found == {(f"{name}/1/{RECEIPT}", "altered") for name in ("good-1", "a/good-2")}


def test_unreadable_report_with_a_record_is_a_finding(output):
    (output / RUNS / "r1/report.parquet").write_bytes(b"PAR1")
    assert kinds(output / RUNS / "r1") == {("report.parquet", "altered")}


def test_signatures(output, keys, tmp_path):
    one, two = (load_public_key(keys / f"{name}.pub") for name in ("one", "two"))
    assert kinds(output, keys=(two, one)) == set()
    found = kinds(output, keys=(two,))
    assert {kind for path, kind in found if path.startswith(RUNS)} == {"unsigned"}
    assert {(path, kind) for path, kind in found if not path.startswith(RUNS)} == {
        ("reports/run.json.sig", "unsigned"),
        *((f"{name}/1/{RECEIPT}", "unrecorded") for name in ("good-1", "a/good-2")),
    }
    assert ("run.json.sig", "unsigned") in kinds(output / RUNS / "r1", keys=(two,))
    unsigned = fake_run(write_registry(tmp_path, ["good-1"]), tmp_path / "out")
    run_registry(unsigned)
    assert kinds(tmp_path / "out") == set()
    assert kinds(tmp_path / "out", keys=(one,)) == {
        (f"{RUNS}/test-run/run.json.sig", "unsigned"),
        (f"good-1/1/{RECEIPT}", "unrecorded"),
    }
    (tmp_path / "out" / RUNS / "test-run/run.json.sig").write_bytes(bytes(64))
    assert kinds(tmp_path / "out") == {(f"{RUNS}/test-run/run.json.sig", "extra")}
    shutil.rmtree(tmp_path / "out/_h5ferry")
    assert ("_h5ferry", "unsigned") in kinds(tmp_path / "out", keys=(one,))


def test_forged_record_is_found_with_the_key(output, keys):
    """Someone rewrites weights, receipt, record and latest.json so that all digests agree."""
    from pipeline.history.record import parse_record
    from pipeline.publication.receipt import list_files
    from pipeline.storage.canonical_json import sha256_of

    flip(output / "good-1/1/variables/variables.data-00000-of-00001")
    receipt = replace(read_receipt(output / "good-1/1"), files=list_files(output / "good-1/1"))
    (output / "good-1/1" / RECEIPT).write_text(receipt.to_json())
    path = output / RUNS / "r3/run.json"
    old = parse_record(path.read_bytes())
    receipts = {**old.receipts, "good-1/1": sha256_of((output / "good-1/1" / RECEIPT).read_bytes())}
    forged = replace(old, receipts=receipts, outputs={**old.outputs, "good-1/1": receipt.sha256}, signer="")
    path.write_bytes(forged.to_bytes())
    (output / "_h5ferry/latest.json").write_bytes(forged.latest())
    path.with_name("run.json.sig").unlink()
    assert kinds(output) == set()
    assert kinds(output, keys=(load_public_key(keys / "one.pub"),)) == {
        (f"{RUNS}/r3/run.json.sig", "unsigned"),
        (f"good-1/1/{RECEIPT}", "altered"),  # by the newest record that is signed, r2
    }


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
def test_openssl_reads_the_signature(output, keys):
    folder = output / RUNS / "r1"
    command = ["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", keys / "one.pub", "-rawin"]
    command += ["-in", folder / "run.json", "-sigfile", folder / "run.json.sig"]
    assert subprocess.run(command, capture_output=True).returncode == 0


def test_run_at_work_is_no_damage(tmp_path):
    """What a living run has lying about is noted; once it is killed, it is found."""
    manifest = write_registry(tmp_path, ["good-1", "hang-1"])
    command = [
        sys.executable,
        "-m",
        "tests.pipeline.program",
        "migrate",
        manifest,
        "--output",
        tmp_path / "out",
        "--run-id",
        "r1",
    ]
    process = subprocess.Popen([*command, "--quiet", *FAKES], start_new_session=True)
    deadline = time.monotonic() + 60
    while not (tmp_path / "out/good-1/1").exists() or not list(tmp_path.glob(f"out/hang-1/{STAGING}*")):
        assert time.monotonic() < deadline and process.poll() is None
        time.sleep(0.05)
    notes = verify(VerifyRequest(tmp_path / "out", run_samples=False)).notes
    assert [note for note in notes if f"process {process.pid} on" in note] and "Run r1 is at work." in notes
    assert kinds(tmp_path / "out") == set() and (tmp_path / "out/good-1/1").exists()
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert (f"good-1/1/{RECEIPT}", "unrecorded") in kinds(tmp_path / "out")
    left = sorted(path for path, kind in kinds(tmp_path / "out") if kind == "leftover")
    assert left[:2] == ["_h5ferry/lock", f"{RUNS}/r1"] and left[2].startswith(f"hang-1/{STAGING}1-") and len(left) == 3


def test_nothing_to_verify(tmp_path):
    with pytest.raises(ReportError):
        verify(VerifyRequest(tmp_path, run_samples=False))


@pytest.mark.parametrize("damage, status", [(False, 0), (True, 3)])
def test_command(output, keys, capsys, damage, status):
    if damage:
        (output / "good-1/1/saved_model.pb").unlink()
    arguments = ["verify", "--no-run-samples", "--public-key", keys / "one.pub", output]
    for flag in ([], ["--json"]):
        with pytest.raises(SystemExit) as caught:
            main([*map(str, arguments), *flag])
        assert caught.value.code == status
    printed, _, content = capsys.readouterr().out.partition("3 run records were checked.\n")
    assert f"{2 - damage} of 2 outputs are as published." in printed
    assert json.loads(content)["sound"] is not damage


def test_command_refuses_a_key_that_is_none(output, keys):
    for key in (keys / "one", Path(__file__)):
        with pytest.raises(SystemExit) as caught:
            main(["verify", "--no-run-samples", "--public-key", str(key), str(output)])
        assert caught.value.code == 2


def test_a_sparse_file_is_not_read(output):
    """A file of a terabyte costs its writer nothing."""
    name, place = "variables/variables.data-00000-of-00001", output / "good-1/1"
    os.truncate(place / name, 1 << 40)
    receipt = read_receipt(place)
    files = tuple(replace(file, size=1 << 40) if file.path == name else file for file in receipt.files)
    (place / RECEIPT).write_text(replace(receipt, files=files).to_json())
    assert (f"good-1/1/{name}", "unreadable") in kinds(output)


def test_kinds_are_all_tried():
    """Each kind of finding is met by a test here, but the one that needs TensorFlow."""
    told = "".join(Path(__file__).with_name(name).read_text() for name in ("test_verify.py", "test_attacks.py"))
    assert [kind for kind in Kind if f'"{kind.value}"' not in told] == [Kind.DRIFT]
