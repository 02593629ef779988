"""`verify` as somebody attacks it who may write in the output, and has no key.

The property: with a key, every byte of an output that `verify` calls as published is vouched for by a signed record.
"""

import fcntl
import json
import os
import shutil
import socket
import threading
from contextlib import ExitStack, contextmanager, nullcontext, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.audit.freshness import Freshness, parse_instant
from pipeline.audit.parsing import ConfinedParser
from pipeline.audit.verify import VerifyRequest
from pipeline.audit.verify import verify as verify_with_parser
from pipeline.history.record import RecordError, parse_record
from pipeline.history.signing import load_public_key, load_signer
from pipeline.publication.layout import RECEIPT
from pipeline.publication.receipt import list_files, read_receipt
from pipeline.report.table import ReportError
from pipeline.run.migrate import run_registry
from pipeline.storage.canonical_json import sha256_of
from tests.pipeline.cli.test_app import exit_status
from tests.pipeline.key_files import write_keys
from tests.pipeline.registry import fake_run, write_registry

RUNS = "_h5ferry/runs"
MODELS = ["good-1", "a/good-2", "b/good-3"]
WEIGHTS = "variables/variables.data-00000-of-00001"
PARSER = ConfinedParser()
pytestmark = pytest.mark.timeout(120)  # whatever is planted, verify ends


class Registry:
    """An output with three signed runs. Before each, one model's source changed."""

    def __init__(self, folder):
        self.output = folder / "out"
        for name in ("sign", "other"):
            write_keys(folder / f"{name}.pem")
        self.key = load_public_key(folder / "sign.pub")
        self.key_file = folder / "sign.pub"
        self.thief = load_signer(folder / "other.pem", None)
        self.states = {}
        manifest = write_registry(folder, MODELS)
        self.run = replace(fake_run(manifest, self.output), report="", signer=load_signer(folder / "sign.pem", None))
        for number in (1, 2, 3):
            (folder / f"{number - 1}.h5").write_text(f"gru {number}")
            self.migrate(f"r{number}", folder / f"state-{number}")

    def migrate(self, run_id, kept):
        run_registry(replace(self.run, settings=replace(self.run.settings, run_id=run_id)))
        shutil.copytree(self.output, kept)
        self.states[run_id] = kept


@pytest.fixture(scope="module")
def registry(tmp_path_factory):
    return Registry(tmp_path_factory.mktemp("registry"))


@pytest.fixture
def output(registry, tmp_path):
    return shutil.copytree(registry.output, tmp_path / "out")


def verify(target, key="", **options):
    request = VerifyRequest(target, run_samples=False, keys=(key,) if key else (), **options)
    return verify_with_parser(request, parser=PARSER)


def tree(folder):
    """Every file below a folder: path -> content; anything else by its kind."""
    found = {}
    for parent, folders, names in os.walk(folder):
        for name in (*folders, *names):
            path = Path(parent, name)
            if path.is_symlink() or not (path.is_dir() or path.is_file()):
                found[path.relative_to(folder).as_posix()] = "odd"
            elif path.is_file():
                found[path.relative_to(folder).as_posix()] = path.read_bytes()
    return found


def check_property(registry, output, found):
    """What is called as published is what the newest signed run found or published, byte for byte."""
    for state in found.outputs:
        if not state.findings:
            assert found.newest is not None and found.newest.signed_by == registry.key
            genuine = registry.states[found.newest.run_id]
            assert tree(output / state.path) == tree(genuine / state.path), state.path
    if found.sound:
        assert {state.path for state in found.outputs} == {f"{model}/1" for model in MODELS}


def test_the_registry_is_sound(registry, output):
    found = verify(output, registry.key)
    assert found.sound and found.newest.run_id == "r3" and found.notes == ()
    check_property(registry, output, found)


# What an attacker does ------------------------------------------------------------------------------------------------


def forge_model(output, name):
    """Other weights, under a receipt that fits them."""
    place = output / name
    (place / WEIGHTS).write_bytes(b"evil")
    receipt = read_receipt(place)
    (place / RECEIPT).write_text(replace(receipt, files=list_files(place)).to_json())


def forge_run(output, name, run_id, signer=None, keep_signature=False):
    """A record that vouches for what lies there, and a latest.json that names it."""
    folder = output / RUNS / run_id
    old = parse_record((output / RUNS / "r3/run.json").read_bytes())
    receipts = {**old.receipts, name: sha256_of((output / name / RECEIPT).read_bytes())}
    outputs = {**old.outputs, name: read_receipt(output / name).sha256}
    claimed = old.signer if keep_signature else signer.public_key if signer else ""
    forged = replace(old, run_id=run_id, receipts=receipts, outputs=outputs, signer=claimed, report_files={})
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "run.json").write_bytes(forged.to_bytes())
    (output / "_h5ferry/latest.json").write_bytes(forged.latest())
    if signer is not None:
        (folder / "run.json.sig").write_bytes(signer.sign(forged.to_bytes()))
    elif keep_signature:
        (folder / "run.json.sig").write_bytes((output / RUNS / "r3/run.json.sig").read_bytes())


@contextmanager
def held(path, folder=False):
    """Holds a lock, as a run at work does."""
    descriptor = os.open(path, os.O_RDONLY | (os.O_DIRECTORY if folder else os.O_RDWR))
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(descriptor)


def name_run(output, name, run_id):
    place = output / name
    (place / RECEIPT).write_text(replace(read_receipt(place), run_id=run_id).to_json())


def lock_naming(output, run_id):
    lock = output / "_h5ferry/lock"
    lock.write_text(json.dumps({"pid": 1, "host": "h", "run_id": run_id, "since": "2026"}))
    return lock


@pytest.mark.parametrize("run_id", ["r1", "r3", "r9"])
@pytest.mark.parametrize("excuse", ["a locked folder", "a locked lock", "both", "a folder that cannot be opened"])
@pytest.mark.parametrize("what", ["tampered", "new"])
def test_no_run_at_work_excuses_a_forgery(registry, output, run_id, excuse, what):
    """F1: a receipt names a run that seems to be at work."""
    name = "good-1/1"
    if what == "new":
        name = "new/1"
        shutil.copytree(output / "good-1/1", output / name)
        (output / name / RECEIPT).write_text(replace(read_receipt(output / name), model="new").to_json())
    forge_model(output, name)
    name_run(output, name, run_id)
    folder = output / RUNS / run_id
    folder.mkdir(exist_ok=True)
    with ExitStack() as stack:
        if excuse in ("a locked folder", "both"):
            stack.enter_context(held(folder, folder=True))
        if excuse in ("a locked lock", "both"):
            stack.enter_context(held(lock_naming(output, run_id)))
        if excuse == "a folder that cannot be opened":
            stack.enter_context(unopenable(folder))
        found = verify(output, registry.key)
        check_property(registry, output, found)
        assert [state.findings != () for state in found.outputs if state.path == name] == [True]
        if run_id != "r9":  # A run that has a record is never at work, with or without a key.
            assert not verify(output).sound
    assert exit_status("verify", "--no-run-samples", "--public-key", registry.key_file, output) == 3


@contextmanager
def unopenable(folder):
    """No folder can be opened any more for the lock to be looked at: as root, no permission does that."""
    genuine = os.open

    def refuse(path, flags, *rest, **more):
        if os.fspath(path) == os.fspath(folder):
            raise OSError(5, "Input/output error")
        return genuine(path, flags, *rest, **more)

    os.open = refuse
    try:
        yield
    finally:
        os.open = genuine


FORGED_RUNS = {
    "unsigned": {},
    "with the signature of another record": {"keep_signature": True},
    "signed by somebody else": {"signer": "thief"},
}


@pytest.mark.parametrize("how", FORGED_RUNS)
@pytest.mark.parametrize("run_id", ["r3", "r4"])
def test_no_forged_run_vouches(registry, output, how, run_id):
    forge_model(output, "good-1/1")
    options = {name: registry.thief if value == "thief" else value for name, value in FORGED_RUNS[how].items()}
    forge_run(output, "good-1/1", run_id, **options)
    found = verify(output, registry.key)
    check_property(registry, output, found)
    assert {"good-1/1"} <= {state.path for state in found.outputs if state.findings}


def test_an_unvouched_output_is_found_and_not_looked_into(registry, output):
    """An output is either vouched for or it is not; what is not is neither hashed nor run."""
    shutil.copytree(output / "good-1", output / "new")
    (output / "new/1" / RECEIPT).write_text(replace(read_receipt(output / "new/1"), model="new").to_json())
    (output / "new/1" / WEIGHTS).unlink()
    os.mkfifo(output / "new/1" / WEIGHTS)
    found = verify(output, registry.key)
    (state,) = [state for state in found.outputs if state.path == "new/1"]
    assert [finding.kind.value for finding in state.findings] == ["unrecorded"]


@pytest.mark.parametrize("name", ["good-1", "a/good-2", "b/good-3"])
def test_an_older_genuine_version_is_no_newer_one(registry, output, name):
    """One model is taken back to what an earlier signed run published, receipt and all."""
    shutil.rmtree(output / name)
    shutil.copytree(registry.states["r1"] / name, output / name)
    found = verify(output, registry.key)
    assert found.sound == (tree(registry.states["r1"] / name) == tree(registry.states["r3"] / name))
    check_property(registry, output, found)


ROLLED_BACK = {
    "all of it": lambda output, old: (shutil.rmtree(output), shutil.copytree(old, output)),
    "the history": lambda output, old: (
        shutil.rmtree(output / "_h5ferry"),
        shutil.copytree(old / "_h5ferry", output / "_h5ferry"),
    ),
    "latest.json": lambda output, old: shutil.copy(old / "_h5ferry/latest.json", output / "_h5ferry/latest.json"),
    "the newest run removed": lambda output, old: shutil.rmtree(output / RUNS / "r3"),
}


@pytest.mark.parametrize("how", ROLLED_BACK)
@pytest.mark.parametrize("run_id", ["r1", "r2"])
def test_rollback(registry, output, how, run_id):
    """The newest signed record and its date are told, and compared with what is expected."""
    ROLLED_BACK[how](output, registry.states[run_id])
    found = verify(output, registry.key)
    check_property(registry, output, found)
    assert found.sound == (how == "all of it")
    if how == "all of it":
        assert found.newest.run_id == run_id
        for expected in (Freshness(run="r3"), Freshness(newer_than=datetime.now(UTC) + timedelta(seconds=30))):
            stale = verify(output, registry.key, fresh=expected)
            assert [finding.kind.value for finding in stale.findings] == ["stale"]
            assert run_id in stale.findings[0].message and found.newest.finished_at in stale.findings[0].message
        sound = Freshness(run_id, datetime.now(UTC) - timedelta(hours=1))
        assert verify(output, registry.key, fresh=sound).sound
        assert verify(output, registry.key, fresh=Freshness(found.newest.sha256)).sound


def test_dropping_the_oldest_run_and_its_models(registry, output):
    """The newest record knows what the runs before it published."""
    shutil.rmtree(output / RUNS / "r1")
    assert verify(output, registry.key).sound
    shutil.rmtree(output / "b")
    found = verify(output, registry.key)
    assert ("b/good-3/1", "missing") in {(finding.path, finding.kind.value) for finding in found.findings}


def test_an_empty_version_folder_is_found(registry, output):
    (output / "good-1/7").mkdir()
    (output / "good-1/1/8").mkdir()
    found = verify(output, registry.key)
    told = {(f.path, f.kind.value) for f in (*found.findings, *(f for state in found.outputs for f in state.findings))}
    assert told == {("good-1/7", "extra"), ("good-1/1/8", "extra")}


@pytest.mark.parametrize("where", ["the report beside its record", "the report alone"])
def test_a_report_that_its_record_does_not_know(registry, output, tmp_path, where):
    """An older run's report in a newer one's folder, or anywhere else."""
    folder = output / RUNS / "r3"
    old = registry.states["r1"] / RUNS / "r1/report.parquet"
    if where == "the report alone":
        folder = tmp_path / "report"
        folder.mkdir()
    shutil.copy(old, folder / "report.parquet")
    found = verify(folder, registry.key)
    assert not found.sound
    check_property(registry, output, replace(found, outputs=()))


def test_a_taken_over_receipt_is_a_finding_with_a_key(registry, output):
    """Of a record that an earlier version of this program signed."""
    path = output / RUNS / "r3/run.json"
    record = replace(parse_record(path.read_bytes()), taken_over=("good-1/1",))
    path.write_bytes(record.to_bytes())
    path.with_name("run.json.sig").write_bytes(registry.run.signer.sign(record.to_bytes()))
    (output / "_h5ferry/latest.json").write_bytes(record.latest())
    found = verify(output, registry.key)
    assert [(f.path, f.kind.value) for f in found.findings] == [(f"{RUNS}/r3/run.json", "unrecorded")]
    assert "good-1/1" in verify(output).notes[0] and verify(output).sound


# Anything, anywhere ---------------------------------------------------------------------------------------------------


def fifo(path):
    os.mkfifo(path)


def sparse(path):
    with path.open("wb") as stream:
        stream.truncate(1 << 40)


def bound_socket(path):
    """A socket, made where its name is short enough."""
    with socket.socket(socket.AF_UNIX) as server, chdir(path.parent):
        server.bind(path.name)


@contextmanager
def chdir(folder):
    before = os.open(".", os.O_RDONLY)
    os.chdir(folder)
    try:
        yield
    finally:
        os.fchdir(before)
        os.close(before)


PUT = {
    "nothing": lambda path: None,
    "a fifo": fifo,
    "a socket": bound_socket,
    "endless zeros": lambda path: path.symlink_to("/dev/zero"),
    "a link to itself": lambda path: path.symlink_to(path.name),
    "a terabyte of holes": sparse,
    "an empty file": lambda path: path.write_bytes(b""),
    "a folder": lambda path: path.mkdir(),
    "many brackets": lambda path: path.write_bytes(b"[" * (3 << 20)),
    "many values": lambda path: path.write_bytes(b"[" + b"{}," * (1 << 20) + b"{}]"),
}
EACH = [
    "_h5ferry/latest.json",
    "_h5ferry/lock",
    f"{RUNS}/r3/run.json",
    f"{RUNS}/r3/run.json.sig",
    f"{RUNS}/r2/report.parquet",
    f"{RUNS}/r2/report.csv",
    f"good-1/1/{RECEIPT}",
    "good-1/1/saved_model.pb",
    f"good-1/1/{WEIGHTS}",
    "good-1/1/assets.extra/samples.npz",
    "good-1/1",
    "good-1",
    RUNS,
    "_h5ferry",
    "more",
]


@pytest.mark.parametrize("what", PUT)
@pytest.mark.parametrize("place", EACH)
def test_whatever_lies_there_verify_ends(registry, output, place, what):
    """F9: nothing hangs, nothing is read without end, and nothing wrong passes."""
    path = output / place
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
    PUT[what](path)
    for key in ("", registry.key):
        found = verify(output, key)
        harmless = (what == "nothing" and place in ("more", "_h5ferry/lock")) or (
            what == "nothing" and key == "" and place == "_h5ferry"
        )
        assert found.sound == harmless
    check_property(registry, output, found)


@pytest.mark.parametrize("what", [what for what in PUT if what != "nothing"])
def test_a_report_may_be_anything(output, what):
    for name in ("report.parquet", "run.json", "run.json.sig"):
        path = output / RUNS / "r2" / name
        path.unlink()
        PUT[what](path)
        with suppress(ReportError):
            assert not verify(output / RUNS / "r2").sound


TYPES = [
    None,
    True,
    7,
    -1,
    1.5,
    1 << 70,
    "",
    "x",
    "../../..",
    "a\0b",
    "\x1b[31m",
    [],
    [1],
    {},
    {"a": 1},
    {"a": {"b": []}},
]


def fields_of(value, path=()):
    """The place of each value in a JSON document."""
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield from fields_of(inner, (*path, key))


def exchanged(document, path, value):
    if not path:
        return value
    copy = document.copy()
    copy[path[0]] = exchanged(copy[path[0]], path[1:], value)
    return copy


@pytest.mark.parametrize("place", [f"{RUNS}/r3/run.json", "_h5ferry/latest.json", f"good-1/1/{RECEIPT}", "lock"])
def test_hostile_types_are_findings(registry, output, place, capsys):
    """Each value of each document in turn is of each type: never a traceback, and never sound."""
    lock = lock_naming(output, "r9")
    path = lock if place == "lock" else output / place
    if place != "lock":
        lock.unlink()
    document = json.loads(path.read_bytes())
    with held(lock) if place == "lock" else nullcontext():
        for number, where in enumerate(fields_of(document)):
            value = TYPES[number % len(TYPES)]
            content = exchanged(document, where, value)
            text = json.dumps(content, indent=1, sort_keys=True) + "\n"
            path.write_text(text)
            found = verify(output, registry.key)
            assert place == "lock" or content == document or not found.sound, (where, value)
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("name", ["/etc/passwd", "../r2/report.csv", "..", ".", "", "a/b", "a\0b", "run.json"])
def test_a_record_names_no_file_outside_its_folder(registry, output, name):
    path = output / RUNS / "r3/run.json"
    record = parse_record(path.read_bytes())
    digest = next(iter(record.report_files.values()))
    forged = replace(record, report_files={**record.report_files, name: digest})
    with pytest.raises(RecordError, match="leads out"):
        parse_record(forged.to_bytes())
    for signer in (None, registry.thief):
        path.write_bytes(replace(forged, signer=signer.public_key if signer else "").to_bytes())
        assert not verify(output).sound


@pytest.mark.parametrize("run_id", ["../../../../etc", "..", "a/b", "", ".hidden", "a" * 200])
def test_a_record_names_no_run_outside_the_history(output, run_id):
    record = parse_record((output / RUNS / "r3/run.json").read_bytes())
    for forged in (replace(record, run_id=run_id), replace(record, previous=replace(record.previous, run_id=run_id))):
        with pytest.raises(RecordError):
            parse_record(forged.to_bytes())


# Everything at once ---------------------------------------------------------------------------------------------------

FILES = st.sampled_from(
    [
        *(f"{model}/1/{file}" for model in MODELS for file in (RECEIPT, WEIGHTS, "saved_model.pb", "more")),
        *(f"{RUNS}/{run}/{file}" for run in ("r1", "r2", "r3", "r4") for file in ("run.json", "run.json.sig")),
        *(f"{RUNS}/r3/{file}" for file in ("report.parquet", "report.csv", "more")),
        "_h5ferry/latest.json",
        "_h5ferry/lock",
        "new/1/saved_model.pb",
    ]
)
FOLDERS = st.sampled_from(
    ["good-1", "good-1/1", "a/good-2/1", "b", "new/1", RUNS, f"{RUNS}/r1", f"{RUNS}/r3", f"{RUNS}/r4", "_h5ferry"]
)
OUTPUTS = st.sampled_from([f"{model}/1" for model in MODELS])
RUN_IDS = st.sampled_from(["r1", "r2", "r3", "r4"])
ACTS = st.one_of(
    st.tuples(st.just("write"), FILES, st.binary(max_size=8)),
    st.tuples(st.just("flip"), FILES, st.integers(0, 1 << 16)),
    st.tuples(st.just("copy"), FILES, FILES),
    st.tuples(st.just("link"), FILES, FILES),
    st.tuples(st.just("remove"), st.one_of(FILES, FOLDERS), st.none()),
    st.tuples(st.just("move"), FOLDERS, FOLDERS),
    st.tuples(st.just("restore"), FOLDERS, st.sampled_from(["r1", "r2", "r3"])),
    st.tuples(st.just("forge"), OUTPUTS, st.none()),
    st.tuples(st.just("name run"), OUTPUTS, RUN_IDS),
    st.tuples(st.just("record"), OUTPUTS, RUN_IDS),
    st.tuples(st.just("hold"), FOLDERS, st.none()),
    st.tuples(st.just("hold lock"), RUN_IDS, st.none()),
)


def act_on(registry, output, act, first, second, stack):
    """One thing that whoever may write there can do; what cannot be done then is not done."""
    path = output / first
    match act:
        case "write":
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(second)
        case "flip":
            data = bytearray(path.read_bytes() or b"\0")
            data[second % len(data)] ^= 1
            path.write_bytes(data)
        case "copy":
            (output / second).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, output / second)
        case "link":
            (output / second).unlink(missing_ok=True)
            (output / second).symlink_to(path)
        case "remove":
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        case "move":
            path.rename(output / second)
        case "restore":
            shutil.rmtree(path, ignore_errors=True)
            shutil.copytree(registry.states[second] / first, path)
        case "forge":
            forge_model(output, first)
        case "name run":
            name_run(output, first, second)
        case "record":
            forge_run(output, first, second, signer=registry.thief)
        case "hold":
            path.mkdir(parents=True, exist_ok=True)
            stack.enter_context(held(path, folder=True))
        case "hold lock":
            stack.enter_context(held(lock_naming(output, first)))


@settings(deadline=None, max_examples=40, suppress_health_check=list(HealthCheck))
@given(acts=st.lists(ACTS, min_size=1, max_size=6))
def test_with_a_key_nothing_unsigned_is_called_as_published(registry, tmp_path_factory, acts):
    output = tmp_path_factory.mktemp("attacked") / "out"
    shutil.copytree(registry.output, output)
    with ExitStack() as stack:
        for act in acts:
            with suppress(OSError, ValueError, AttributeError, TypeError, IndexError, RecordError, shutil.Error):
                act_on(registry, output, *act, stack)
        try:
            found = verify(output, registry.key)
        except ReportError:
            return
        check_property(registry, output, found)
        verify(output)


def test_a_writer_at_work_is_no_way_in(registry, output):
    """Weights change to and fro while they are verified: what is called as published was so when it was hashed."""
    stop = threading.Event()
    path = output / "good-1/1" / WEIGHTS
    genuine = path.read_bytes()

    def write():
        while not stop.is_set():
            path.write_bytes(b"evil")
            path.write_bytes(genuine)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for _ in range(30):
            for state in verify(output, registry.key).outputs:
                assert {finding.path for finding in state.findings} <= {f"good-1/1/{WEIGHTS}"}
    finally:
        stop.set()
        writer.join()
    assert verify(output, registry.key).sound


# What a schedule asks for ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text, ago",
    [("26h", timedelta(hours=26)), ("7d", timedelta(days=7)), ("1.5h", timedelta(minutes=90)), ("2w", timedelta(14))],
)
def test_spans(text, ago):
    now = datetime(2026, 1, 31, 14, 25, tzinfo=UTC)
    assert parse_instant(text, now) == now - ago


@pytest.mark.parametrize("text", ["2026-01-31", "2026-01-31T00:00", "2026-01-31T01:00+01:00"])
def test_instants(text):
    assert parse_instant(text, datetime.now(UTC)) == datetime(2026, 1, 31, tzinfo=UTC)


@pytest.mark.parametrize("text", ["", "yesterday", "h", "26x", "-1h", "9" * 400 + "w", "2026-13-01"])
def test_no_instants(text):
    with pytest.raises(ValueError):
        parse_instant(text, datetime.now(UTC))


def test_schedule_on_the_command_line(registry, output, capsys):
    arguments = ["verify", "--no-run-samples", "--public-key", registry.key_file, output]
    assert exit_status(*arguments, "--expect-run", "r3", "--newer-than", "1h") == 0
    told = capsys.readouterr().out
    assert "Newest signed record: run r3, ended 2" in told and str(registry.output) in told
    assert exit_status(*arguments, "--expect-run", "r2") == 3
    assert exit_status(*arguments, "--newer-than", "2200-01-01") == 3
    assert "not after 2200-01-01" in capsys.readouterr().out
    assert exit_status(*arguments, "--newer-than", "soon") == 2
    assert exit_status("verify", "--no-run-samples", output / "good-1", "--expect-run", "r3") == 3


def test_a_record_from_the_future_proves_no_age(registry, output):
    path = output / RUNS / "r3/run.json"
    record = replace(parse_record(path.read_bytes()), finished_at="2999-01-01T00:00:00+00:00")
    path.write_bytes(record.to_bytes())
    path.with_name("run.json.sig").write_bytes(registry.run.signer.sign(record.to_bytes()))
    (output / "_h5ferry/latest.json").write_bytes(record.latest())
    found = verify(output, registry.key)
    assert found.sound and "still to come" in found.notes[0]
    assert not verify(output, registry.key, fresh=Freshness(newer_than=datetime.now(UTC))).sound
