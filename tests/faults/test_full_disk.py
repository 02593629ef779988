"""A disk that is full, failing or read-only, at every write: the run ends early, accounts for each row, and what was
published is valid; a rerun with room ends with the same output."""

import errno
import os
import shutil
import subprocess

import pytest

from pipeline.audit.verify import VerifyRequest, verify
from tests.faults.programs import FAKES, Program, Refuse, outcomes, published, registry_of, run

MODELS = [f"m{number}/model-{number}" for number in range(4)]
FULL = "output_error"

#: Each write of a run's models, and how many models then remain: all but those that a passing fault hits.
WRITES = [
    Refuse("pipeline.publication.local:make_locked_folder", errno.ENOSPC, 2),
    Refuse("pipeline.publication.local:write_receipt", errno.ENOSPC, 2),
    Refuse("pipeline.publication.local:write_receipt", errno.EIO, 2, calls=1),
    Refuse("pipeline.publication.local:_make_durable", errno.EIO, 1, calls=2),
    Refuse("pipeline.publication.local:_make_durable", errno.EDQUOT, 3, calls=1),
    Refuse("pipeline.publication.local:_rename_new", errno.EROFS, 1, calls=1),
    Refuse("pipeline.publication.local:_rename_new", errno.EACCES, 2, calls=1),
]
SHORT_WRITES = WRITES[2:3]
#: Each write of a run's end. The models are there; the program says 1.
ENDS = [
    Refuse("pipeline.report.table:write_file", errno.ENOSPC, 1),
    Refuse("pipeline.report.table:write_file", errno.EIO, 3),
    Refuse("pipeline.run.finish:write_record", errno.ENOSPC, 1),
    Refuse("pipeline.run.finish:write_latest", errno.EROFS, 1),
    Refuse("pipeline.storage.durable_file:_replace", errno.ENOSPC, 1),
]
SHORT_ENDS = ENDS[:1]


def arguments(folder, *more):
    manifest = folder / "registry/manifest.csv"
    return "migrate", manifest, "--output", folder / "out", "--report", folder / "report", *FAKES, "--quiet", *more


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole")
    registry_of(folder / "registry", MODELS)
    assert run(folder / "scratch", *arguments(folder)) == 0
    return folder


@pytest.fixture
def folder(whole, tmp_path):
    shutil.copytree(whole / "registry", tmp_path / "registry")
    return tmp_path


def completes(folder, whole):
    program = Program(folder / "scratch", *arguments(folder))
    assert program.ended() == 0, program.printed
    assert published(folder / "out") == published(whole / "out")
    assert verify(VerifyRequest(folder / "out", run_samples=False)).sound


def valid(folder):
    """Whatever is published is whole."""
    found = verify(VerifyRequest(folder / "out", run_samples=False))
    assert all(finding.kind == "unrecorded" for state in found.outputs for finding in state.findings), found.outputs


def check_write(folder, whole, fault):
    program = Program(folder / "scratch", *arguments(folder, "--direct_num_workers=1"), fault=fault)
    assert program.ended() == 3, program.printed
    told = outcomes(folder / "report")
    failed = {model for model, outcome in told.items() if outcome == FULL}
    assert set(told) == set(MODELS) and set(told.values()) <= {FULL, "migrated"} and failed
    assert {model for model in MODELS if (folder / "out" / model / "1").exists()} == set(MODELS) - failed
    assert not [path for path in published(folder / "out") if "/." in path]
    valid(folder)
    completes(folder, whole)


@pytest.mark.parametrize("fault", SHORT_WRITES, ids=str)
def test_a_refused_write_costs_its_rows(folder, whole, fault):
    check_write(folder, whole, fault)


@pytest.mark.soak
@pytest.mark.parametrize("fault", WRITES, ids=str)
def test_each_refused_write_costs_its_rows(folder, whole, fault):
    check_write(folder, whole, fault)


def check_end(folder, whole, fault):
    program = Program(folder / "scratch", *arguments(folder), fault=fault)
    assert program.ended() == 1, program.printed
    assert os.strerror(fault.number) in program.printed and "Traceback" not in program.printed, program.printed
    assert program.orphans() == []
    assert published(folder / "out") == published(whole / "out")
    valid(folder)
    completes(folder, whole)


@pytest.mark.parametrize("fault", SHORT_ENDS, ids=str)
def test_an_end_that_cannot_be_written(folder, whole, fault):
    check_end(folder, whole, fault)


@pytest.mark.soak
@pytest.mark.parametrize("fault", ENDS, ids=str)
def test_each_end_that_cannot_be_written(folder, whole, fault):
    check_end(folder, whole, fault)


@pytest.fixture
def small_disk(tmp_path):
    """Mounts a tmpfs of so many bytes at a folder."""
    mounted = []

    def mount(at, size, *options):
        at.mkdir()
        words = ["mount", "-t", "tmpfs", "-o", ",".join([f"size={size}", *options]), "tmpfs", str(at)]
        if subprocess.run(words, capture_output=True).returncode != 0:
            pytest.skip("no file system can be mounted here; the injected faults stand for it")
        mounted.append(at)

    yield mount
    for at in mounted:
        subprocess.run(["umount", "-l", str(at)], check=True)


def check_full(folder, whole, small_disk, size, report):
    """Each source is 300 kB, so that some models fit."""
    for path in (folder / "registry").glob("*.h5"):
        path.write_text(f"lstm {path.name} " + "x" * 300_000)
    small_disk(folder / "out", size)
    if report:
        chosen = arguments(folder)
    else:
        chosen = tuple(
            word for word in arguments(folder, "--run-id", "r1") if word not in ("--report", folder / "report")
        )
    program = Program(folder / "scratch", *chosen, "--direct_num_workers=1")
    status = program.ended()
    at = folder / ("report" if report else "out/_h5ferry/runs/r1")
    assert status == 1 and "full" in program.printed, program.printed
    assert "Traceback" not in program.printed, program.printed
    assert program.orphans() == []
    told = outcomes(at)
    assert set(told) == set(MODELS) and FULL in told.values(), told
    there = {model for model in MODELS if (folder / "out" / model / "1").exists()}
    assert there == {model for model, outcome in told.items() if outcome == "migrated"}
    assert not [path for path in published(folder / "out") if "/." in path]
    valid(folder)
    subprocess.run(["mount", "-o", "remount,size=64m", str(folder / "out")], check=True)
    assert run(folder / "scratch", *arguments(folder)) == 0
    other = folder / "other"
    assert run(folder / "scratch", *arguments(folder, "--output", other)) == 0
    assert published(folder / "out") == published(other)
    assert verify(VerifyRequest(folder / "out", run_samples=False)).sound


def test_full_disk(folder, whole, small_disk):
    check_full(folder, whole, small_disk, "1m", report=True)


@pytest.mark.soak
@pytest.mark.parametrize("size", ["1300k", "1500k", "1700k", "1900k", "2100k"])
def test_full_disk_holds_the_report_too(folder, whole, small_disk, size):
    check_full(folder, whole, small_disk, size, report=False)


@pytest.mark.soak
@pytest.mark.parametrize("size", ["100k", "400k", "700k", "1000k", "1200k"])
def test_full_disk_at_other_moments(folder, whole, small_disk, size):
    check_full(folder, whole, small_disk, size, report=True)


def test_full_report_folder(folder, whole, small_disk):
    """There is no room for a report: the run does not begin."""
    small_disk(folder / "report", "100k")
    program = Program(folder / "scratch", *arguments(folder))
    assert program.ended() == 1
    assert "No space left" in program.printed and "Traceback" not in program.printed, program.printed
    assert published(folder / "out") == {}


@pytest.mark.soak
def test_read_only_disk(folder, whole, small_disk):
    small_disk(folder / "out", "1m", "ro")
    program = Program(folder / "scratch", *arguments(folder))
    status = program.ended()
    assert status in (1, 3) and "Traceback" not in program.printed, program.printed
    assert set(outcomes(folder / "report").values()) == {FULL}
    subprocess.run(["mount", "-o", "remount,rw,size=64m", str(folder / "out")], check=True)
    completes(folder, whole)


def test_output_that_is_a_file(folder, whole):
    (folder / "out").write_text("mine")
    program = Program(folder / "scratch", *arguments(folder))
    assert program.ended() in (1, 3) and "Traceback" not in program.printed, program.printed
    assert (folder / "out").read_text() == "mine"


def test_output_that_is_not_permitted(folder, whole):
    (folder / "out").mkdir(mode=0o555)
    program = Program(folder / "scratch", *arguments(folder), permitted=False)
    assert program.ended() == 3, program.printed
    assert set(outcomes(folder / "report").values()) == {FULL}
    assert "Permission denied" in program.printed and "Traceback" not in program.printed, program.printed
    completes(folder, whole)
