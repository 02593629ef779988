import os
import shutil
import threading
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pipeline.audit.verify import VerifyRequest, verify
from pipeline.history import chain as run_history
from pipeline.history.chain import appending, open_run_folder, previous_run, sweep_runs
from pipeline.history.record import INTERRUPTED, parse_record
from pipeline.history.signing import load_public_key, load_signer
from pipeline.manifest.reader import Manifest
from pipeline.manifest.row import ManifestRow
from pipeline.monitoring.notifier import TextNotifier
from pipeline.publication.layout import RECEIPT, run_folder
from pipeline.publication.receipt import list_files, read_receipt
from pipeline.report import table as report
from pipeline.report.table import read_report
from pipeline.run import finish as concluding
from pipeline.run import migrate
from pipeline.run.finish import finish_run, recorded_options, without_secrets
from pipeline.run.migrate import run_registry
from pipeline.run.request import FinishedRun
from pipeline.storage.canonical_json import sha256_of
from pipeline.storage.durable_file import write_file
from tests.pipeline.history.test_record import RECORD
from tests.pipeline.key_files import write_keys
from tests.pipeline.registry import fake_run, run_and_read, write_registry
from tests.pipeline.report.test_table import frame_of, report_row

STARTED = datetime(2026, 1, 31, 14, 25, tzinfo=UTC)
FINISHED = datetime(2026, 1, 31, 14, 26, tzinfo=UTC)


def record_in(folder):
    return parse_record((Path(folder) / "run.json").read_bytes())


def manifest_of(rows):
    return Manifest("/m.csv", "a" * 64, tuple(ManifestRow(line, f"m{line}", "s") for line in range(rows)))


class Warned(TextNotifier):
    """Keeps the warnings of a run."""

    def __init__(self):
        super().__init__(quiet=True)
        self.warnings = []

    def warn(self, text):
        self.warnings.append(text)


def concluded(run, rows, interrupted=0):
    request = replace(run, notifier=Warned())
    frame = frame_of(*(report_row(line, f"m{line}", **values) for line, values in enumerate(rows)))
    folder = run.report or run_folder(run.settings.output, run.settings.run_id)
    finished = FinishedRun(request, manifest_of(len(rows)), frame, folder, STARTED, FINISHED, interrupted)
    return finish_run(finished).exit_status, record_in(folder), request.notifier.warnings


@pytest.fixture
def run(tmp_path):
    return replace(fake_run(tmp_path / "m.csv", tmp_path / "out"), report="", metrics_file=str(tmp_path / "m.prom"))


@pytest.mark.parametrize(
    "rows, interrupted, status",
    [
        ([{}, {}], 0, 0),
        ([{}, {"status": "refused", "reason": "unsafe_op"}], 0, 3),
        ([{}, {"status": "failed", "reason": "interrupted"}], 143, 143),
        ([{}], 130, 130),
    ],
)
def test_whole_and_cut_short(run, rows, interrupted, status):
    found, record, warnings = concluded(run, rows, interrupted=interrupted)
    assert (found, record.exit_status, warnings) == (status, status, [])
    assert record.state == (INTERRUPTED if interrupted else "finished")
    assert sum(record.counts["status"].values()) == len(rows)
    assert f"h5ferry_run_exit_status {float(status)}" in Path(run.metrics_file).read_text()
    assert len(read_report(run_folder(run.settings.output, "test-run"))) == len(rows)
    assert previous_run(run.settings.output) == record.reference


def test_an_output_that_takes_no_record(run, tmp_path, monkeypatch):
    """The report and its record are kept where they can be; success is not claimed."""

    def refuse(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(concluding, "write_latest", refuse)
    with pytest.raises(OSError):
        concluded(run, [{}])
    elsewhere = replace(run, report=str(tmp_path / "report"))
    for values, status in (({}, 1), ({"status": "failed"}, 3)):
        found, record, warnings = concluded(elsewhere, [values])
        assert (found, record.exit_status, len(warnings)) == (status, status, 1)
        assert "No space left" in warnings[0] and (tmp_path / "report/report.html").exists()


def test_metrics_that_cannot_be_written(run):
    found, _, warnings = concluded(replace(run, metrics_file="/proc/none/m.prom"), [{}])
    assert found == 1 and "metrics" in warnings[0]


@pytest.fixture(scope="module")
def output(tmp_path_factory):
    """Two runs of one id in one output."""
    folder = tmp_path_factory.mktemp("registry")
    run = replace(fake_run(write_registry(folder, ["good-1", "refuse-1"]), folder / "out"), report="")
    assert (run_registry(run).exit_status, run_registry(run).exit_status) == (3, 3)
    return folder / "out"


def test_record_of_a_run(output):
    record = record_in(run_folder(output, "test-run"))
    assert record.manifest["rows"] == 2 and record.manifest["path"].endswith("manifest.csv")
    assert record.counts == {
        "status": {"unchanged": 1, "refused": 1},
        "reason": {"unsupported_layer": 1},
        "evidence": {"reference": 1},
    }
    assert record.receipts == {"good-1/1": sha256_of((output / "good-1/1" / RECEIPT).read_bytes())}
    assert record.options["timeout"] == 60 and record.options["require_evidence"] == "rebuilt"
    assert record.versions["h5ferry"] and record.versions["tensorflow"]


def test_an_id_used_again_loses_nothing(output):
    first, second = (record_in(run_folder(output, name)) for name in ("test-run.1", "test-run"))
    assert second.previous == first.reference and first.previous is None
    assert previous_run(str(output)) == second.reference
    assert verify(VerifyRequest(output, run_samples=False)).sound


def test_report_elsewhere_and_used_again(output, tmp_path):
    run = fake_run(output.with_name("manifest.csv"), tmp_path / "out")
    for run_id in ("r1", "r2"):
        run_and_read(replace(run, settings=replace(run.settings, run_id=run_id)))
    history = run_folder(tmp_path / "out", "r2")
    assert os.listdir(history) == ["run.json"]
    assert Path(history, "run.json").read_bytes() == Path(run.report, "run.json").read_bytes()
    assert verify(VerifyRequest(tmp_path / "out", run_samples=False)).sound
    assert verify(VerifyRequest(Path(run.report), run_samples=False)).sound


def test_runs_at_once_make_one_chain(output, tmp_path):
    """Without the lock, each run still comes after another in the chain, and the output is one of them whole."""
    run = replace(fake_run(output.with_name("manifest.csv"), tmp_path / "out"), report="", lock=False)
    runs = [replace(run, settings=replace(run.settings, run_id=f"r{number}")) for number in range(3)]
    threads = [threading.Thread(target=run_registry, args=(each,)) for each in runs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = verify(VerifyRequest(tmp_path / "out", run_samples=False))
    assert found.sound and found.runs == 3 and [state.path for state in found.outputs] == ["good-1/1"]


def test_sweep_takes_what_nobody_can_read(tmp_path):
    runs = tmp_path / "_h5ferry/runs"
    for name in ("killed/shards-1", "half/shards-2", "whole"):
        (runs / name).mkdir(parents=True)
    (runs / "killed/.report.csv.part").write_text("")
    (runs / "half/report.csv").write_text("kept")
    (runs / "whole/run.json").write_bytes(RECORD.to_bytes())
    (runs / "away").symlink_to("/etc")
    sweep_runs(tmp_path)
    left = sorted(path.relative_to(runs).as_posix() for path in runs.rglob("*"))
    assert left == ["away", "half", "half/report.csv", "whole", "whole/run.json"]


def end(run, run_id):
    """The end of a run that published nothing, in its folder."""
    run = replace(run, settings=replace(run.settings, run_id=run_id))
    with open_run_folder(run.settings.output, run_id):
        return concluded(run, [{"status": "failed"}])


@pytest.mark.parametrize("damage", ["lost", "damaged"])
def test_the_chain_outlives_latest(run, tmp_path, damage):
    for run_id in ("r1", "r2"):
        end(run, run_id)
    latest = tmp_path / "out/_h5ferry/latest.json"
    latest.unlink() if damage == "lost" else latest.write_text("{")
    assert not verify(VerifyRequest(tmp_path / "out", run_samples=False)).sound
    assert end(run, "r3")[1].previous.run_id == "r2"
    assert verify(VerifyRequest(tmp_path / "out", run_samples=False)).sound


def claim_better_evidence(place):
    """Somebody changes a receipt, and seals it anew."""
    receipt = read_receipt(place)
    changed = replace(receipt, outcome=replace(receipt.outcome, evidence="golden"))
    (place / RECEIPT).write_text(changed.to_json())


def statuses(run, run_id):
    """What a run of this id says of each row."""
    frame = run_registry(replace(run, settings=replace(run.settings, run_id=run_id))).frame
    return dict(zip(frame["model"], frame["status"], strict=True))


def test_a_receipt_that_no_record_knows_is_migrated_anew(output, tmp_path):
    """A changed receipt that fits itself: the record of the run before knows another one."""
    run = replace(fake_run(output.with_name("manifest.csv"), tmp_path / "out"), report="")
    assert [statuses(run, run_id)["good-1"] for run_id in ("r1", "r2")] == ["migrated", "unchanged"]
    claim_better_evidence(tmp_path / "out/good-1/1")
    assert [statuses(run, run_id)["good-1"] for run_id in ("r3", "r4")] == ["migrated", "unchanged"]
    assert read_receipt(tmp_path / "out/good-1/1").outcome.evidence == "reference"
    found = verify(VerifyRequest(tmp_path / "out", run_samples=False))
    assert found.sound and found.notes == ()


def test_what_a_killed_run_published_is_taken_over_and_told(output, tmp_path, capfd):
    """Without a key there is nothing to tell it from what somebody else put there: so it is told."""
    run = replace(fake_run(output.with_name("manifest.csv"), tmp_path / "out"), report="")
    statuses(run, "r1")
    shutil.rmtree(tmp_path / "out/_h5ferry")
    assert statuses(run, "r2")["good-1"] == "unchanged"
    assert "1 outputs were published by a run that left no record" in capfd.readouterr().err
    assert record_in(run_folder(tmp_path / "out", "r2")).taken_over == ("good-1/1",)
    notes = verify(VerifyRequest(tmp_path / "out", run_samples=False)).notes
    assert notes == ("Run r2 found receipts that no run before it recorded: good-1/1.",)
    statuses(run, "r3")
    assert record_in(run_folder(tmp_path / "out", "r3")).taken_over == ()


@pytest.fixture(scope="module")
def key(tmp_path_factory):
    """A signer, and its public half."""
    folder = tmp_path_factory.mktemp("key")
    write_keys(folder / "sign.pem")
    return load_signer(folder / "sign.pem", None), load_public_key(folder / "sign.pub")


@pytest.fixture
def signed(output, tmp_path, key):
    return replace(fake_run(output.with_name("manifest.csv"), tmp_path / "out"), report="", signer=key[0])


def forge(place):
    """Somebody changes the weights, lists them in the receipt, and seals it anew."""
    (place / "variables/variables.data-00000-of-00001").write_bytes(b"evil")
    receipt = read_receipt(place)
    (place / RECEIPT).write_text(replace(receipt, files=list_files(place)).to_json())


def is_sound(output, key):
    return verify(VerifyRequest(output, run_samples=False, keys=(key[1],))).sound


def test_the_next_signed_run_vouches_for_no_forgery(signed, tmp_path, key):
    """F5: what no signed record vouches for is migrated anew, and not signed over."""
    place = tmp_path / "out/good-1/1"
    statuses(signed, "r1")
    forge(place)
    assert not is_sound(tmp_path / "out", key)
    assert statuses(signed, "r2")["good-1"] == "migrated"
    assert b"evil" not in (place / "variables/variables.data-00000-of-00001").read_bytes()
    assert is_sound(tmp_path / "out", key)
    assert statuses(signed, "r3")["good-1"] == "unchanged"


FORGERIES = {
    "planted before the first run": lambda out: None,
    "with the history removed": lambda out: shutil.rmtree(out / "_h5ferry"),
    "with an unsigned record": lambda out: forge_record(out, signature=None),
    "with a record that somebody else signed": lambda out: forge_record(out, signature=bytes(64)),
    "with the genuine signature on a forged record": lambda out: forge_record(out, signature=b""),
}


def forge_record(out, signature):
    """Makes the newest record, and latest.json, vouch for what lies there."""
    folder = out / "_h5ferry/runs/r1"
    record = parse_record((folder / "run.json").read_bytes())
    receipts = {name: sha256_of((out / name / RECEIPT).read_bytes()) for name in record.receipts}
    outputs = {name: read_receipt(out / name).sha256 for name in receipts}
    forged = replace(record, receipts=receipts, outputs=outputs, signer=record.signer if signature == b"" else "")
    (folder / "run.json").write_bytes(forged.to_bytes())
    (out / "_h5ferry/latest.json").write_bytes(forged.latest())
    if signature is None:
        (folder / "run.json.sig").unlink()
    elif signature:
        (folder / "run.json.sig").write_bytes(signature)


@pytest.mark.parametrize("how", FORGERIES)
def test_no_forgery_is_signed_over(signed, tmp_path, key, how):
    """Whatever is done to receipt, record and latest.json, the signed run after it publishes the row itself."""
    out = tmp_path / "out"
    statuses(replace(signed, signer=None) if "before the first" in how else signed, "r1")
    forge(out / "good-1/1")
    FORGERIES[how](out)
    assert statuses(signed, "r2")["good-1"] == "migrated"
    assert b"evil" not in (out / "good-1/1/variables/variables.data-00000-of-00001").read_bytes()
    newest = verify(VerifyRequest(out, run_samples=False, keys=(key[1],)))
    assert newest.newest.run_id == "r2" and not [state for state in newest.outputs if state.findings]


def test_a_receipt_is_not_of_this_run_because_it_says_so(signed, tmp_path, monkeypatch):
    """Whoever sees one receipt of a run knows its attempt, and may write it into another."""
    monkeypatch.setattr(migrate.secrets, "token_hex", lambda length: "a" * 2 * length)
    place = tmp_path / "out/good-1/1"
    statuses(replace(signed, signer=None), "r1")
    forge(place)
    assert read_receipt(place).attempt == "a" * 16
    assert statuses(signed, "r2")["good-1"] == "migrated"
    assert b"evil" not in (place / "variables/variables.data-00000-of-00001").read_bytes()


def test_what_is_signed_is_what_was_published(signed, tmp_path, key, monkeypatch):
    """F6: somebody writes in the output between the publication of a model and the end of the run."""
    genuine = concluding.finish_run

    def finish_late(finished):
        forge(tmp_path / "out/good-1/1")
        return genuine(finished)

    monkeypatch.setattr(migrate, "finish_run", finish_late)
    statuses(signed, "r1")
    found = verify(VerifyRequest(tmp_path / "out", run_samples=False, keys=(key[1],)))
    kinds = {(finding.path, finding.kind.value) for state in found.outputs for finding in state.findings}
    assert kinds == {(f"good-1/1/{RECEIPT}", "altered")}


def test_a_change_of_keys(signed, tmp_path, key):
    """Records under the old key count where the run is told so; else everything is published anew."""
    write_keys(tmp_path / "new.pem")
    new = replace(signed, signer=load_signer(tmp_path / "new.pem", None))
    statuses(signed, "r1")
    assert statuses(replace(new, public_keys=(key[1],)), "r2")["good-1"] == "unchanged"
    assert statuses(new, "r3")["good-1"] == "unchanged"
    assert statuses(signed, "r4")["good-1"] == "unchanged"
    shutil.rmtree(tmp_path / "out/_h5ferry/runs/r1")
    shutil.rmtree(tmp_path / "out/_h5ferry/runs/r4")
    assert statuses(signed, "r5")["good-1"] == "migrated"


def test_a_receipt_that_was_damaged_is_migrated_anew(output, tmp_path):
    run = replace(fake_run(output.with_name("manifest.csv"), tmp_path / "out"), report="")
    run_registry(run)
    path = tmp_path / "out/good-1/1" / RECEIPT
    path.write_text(path.read_text().replace('"evidence": "reference"', '"evidence": "golden"'))
    run_registry(run)
    assert record_in(run_folder(tmp_path / "out", "test-run")).counts["status"] == {"migrated": 1, "refused": 1}
    assert verify(VerifyRequest(tmp_path / "out", run_samples=False)).sound


class Killed(BaseException):
    """Ends a run where it stands."""


@pytest.mark.parametrize("written", range(5))
def test_killed_at_each_step_of_its_end(run, tmp_path, monkeypatch, written):
    """What remains of the killed run is told; the chain holds, and the next run goes on."""
    steps = []

    def write(path, data, *root):
        if len(steps) == written:
            raise Killed
        steps.append(path)
        write_file(path, data, *root)

    with monkeypatch.context() as patched, pytest.raises(Killed):
        patched.setattr(report, "write_file", write)
        patched.setattr(run_history, "write_file", write)
        end(run, "r1")
    end(run, "r2")
    found = verify(VerifyRequest(tmp_path / "out", run_samples=False))
    half_written = [("_h5ferry/runs/r1", "leftover")] if 0 < written < 4 else []
    assert [(finding.path, finding.kind.value) for finding in found.findings] == half_written
    assert found.runs == (2 if written == 4 else 1)


def test_appending_excludes_others(tmp_path):
    entered = threading.Event()

    def append():
        with appending(str(tmp_path)):
            entered.set()

    with appending(str(tmp_path)):
        thread = threading.Thread(target=append)
        thread.start()
        assert not entered.wait(0.3)
    thread.join()
    assert entered.is_set()


@pytest.mark.parametrize(
    "given, told",
    [
        (["--runner=FnApiRunner", "--direct_num_workers", "4"], ["--runner=FnApiRunner", "--direct_num_workers", "4"]),
        (["--s3_secret_access_key=abc", "--x=1"], ["--s3_secret_access_key=(not recorded)", "--x=1"]),
        (["--s3_session_token", "abc", "--x"], ["--s3_session_token", "(not recorded)", "--x"]),
        (["--azure_connection_string", "--x"], ["--azure_connection_string", "--x"]),
    ],
)
def test_secrets_are_not_recorded(run, given, told):
    assert without_secrets(given) == told
    assert recorded_options(replace(run, beam_arguments=tuple(given)))["beam_arguments"] == told


def test_an_output_that_cannot_be_made(tmp_path, capfd):
    """Each row says so, the report lies where it was asked for, and the run ends as the contract has it."""
    (tmp_path / "file").write_text("")
    run = fake_run(write_registry(tmp_path, ["good-1"]), tmp_path / "file/out")
    run = replace(run, report=str(tmp_path / "report"))
    status, frame = run_and_read(run)
    assert (status, list(frame["reason"])) == (3, ["output_error"])
    assert record_in(run.report).exit_status == 3
    assert capfd.readouterr().err.count("Warning: ") == 3
