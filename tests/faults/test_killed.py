"""SIGKILL at each step of a run, then the same run again: the output is that of a run that nobody killed.

Compared are all files and folders, byte for byte, and the reports. Left out is what names the run or the time: in a
receipt `run_id`, `attempt`, and `seal`, the digest over them; the folder _h5ferry/ (records, `latest.json`), which
`verify` must find sound; in the report `run_id`, `seconds`, `finished_at`, the digest of the receipt, and `status` and
`message` where the killed run had published the model already.
"""

import shutil

import pytest

from pipeline.audit.findings import Kind
from pipeline.audit.verify import VerifyRequest, verify
from tests.faults.programs import FAKES, Kill, Program, outcomes, published, registry_of, report_of, run

#: One is there in an older version, one is refused.
MODELS = ["replaced-1", "text/new-1", "refuse-1", "new-2"]

STEPS = [
    Kill("pipeline.history.chain:make_locked_folder", after=True),
    Kill("pipeline.run.migrate:sweep_leftovers"),
    Kill("pipeline.run.migrate:run_graph"),
    Kill("pipeline.graph:inspect_row", 2),
    Kill("pipeline.graph:inspect_row", 4, after=True),
    Kill("pipeline.publication.local:make_locked_folder"),
    Kill("pipeline.publication.local:make_locked_folder", after=True),
    Kill("pipeline.steps.convert:_ConfinedSteps.stage"),
    Kill("pipeline.steps.convert:_ConfinedSteps.stage", after=True),
    Kill("pipeline.steps.convert:_ConfinedSteps.verify", 2),
    Kill("pipeline.steps.convert:_ConfinedSteps.verify", after=True),
    Kill("pipeline.steps.convert:_ConfinedSteps.finish"),
    Kill("pipeline.steps.convert:_ConfinedSteps.verified_files"),
    Kill("pipeline.publication.local:write_receipt"),
    Kill("pipeline.publication.local:write_receipt", after=True),
    Kill("pipeline.publication.local:_make_durable"),
    Kill("pipeline.publication.local:_make_durable", 2, after=True),
    Kill("pipeline.publication.local:_rename_new", 1),
    Kill("pipeline.publication.local:_rename_new", 1, after=True),
    Kill("pipeline.publication.local:_rename_new", 2, after=True),
    Kill("pipeline.publication.local:_rename_new", 3, after=True),
    Kill("pipeline.publication.local:exchange"),
    Kill("pipeline.publication.local:exchange", after=True),
    Kill("pipeline.publication.local:write_through", 2),
    Kill("pipeline.steps.convert:published_row", 2),
    Kill("pipeline.graph:count_status", 3),
    Kill("pipeline.run.graph_run:gather"),
    Kill("pipeline.run.graph_run:gather", after=True),
    Kill("pipeline.run.migrate:finish_run"),
    Kill("pipeline.run.finish:write_report"),
    *(Kill("pipeline.report.table:write_file", call, after=after) for call in (1, 2, 3) for after in (False, True)),
    Kill("pipeline.storage.durable_file:_replace", 1),
    Kill("pipeline.storage.durable_file:_replace", 3),
    Kill("pipeline.storage.durable_file:_replace", 4),
    Kill("pipeline.run.finish:write_record"),
    Kill("pipeline.run.finish:write_record", after=True),
    Kill("pipeline.run.finish:write_latest"),
    Kill("pipeline.run.finish:write_latest", after=True),
]
SHORT = [
    Kill("pipeline.publication.local:write_receipt", after=True),
    Kill("pipeline.publication.local:exchange", after=True),
    Kill("pipeline.report.table:write_file", 2),
]


def arguments(folder, output):
    return "migrate", folder / "registry/manifest.csv", "--output", output, *FAKES, "--direct_num_workers=2", "--quiet"


@pytest.fixture(scope="module")
def registry(tmp_path_factory):
    """A registry, its output before the run, and after a run that nobody killed."""
    folder = tmp_path_factory.mktemp("killed")
    registry_of(folder / "registry", MODELS[:1])
    assert run(folder / "scratch", *arguments(folder, folder / "before"), "--run-id", "r0") == 0
    registry_of(folder / "registry", MODELS, word="gru")
    shutil.copytree(folder / "before", folder / "whole")
    assert run(folder / "scratch", *arguments(folder, folder / "whole"), "--run-id", "r1") == 3
    return folder


def compared(report):
    """The report without what depends on which run published a model: its status, and why it was published anew."""
    published_rows = report["status"].isin(["migrated", "unchanged"])
    return report.assign(message=report["message"].mask(published_rows, "")).drop(columns=["status", "output"])


def check(registry, tmp_path, step):
    output = tmp_path / "out"
    shutil.copytree(registry / "before", output)
    program = Program(tmp_path / "scratch", *arguments(registry, output), "--run-id", "r1", fault=step)
    assert program.ended() == -9, program.printed
    assert program.orphans() == []
    half = verify(VerifyRequest(output, run_samples=False))
    of_its_end = [finding for finding in half.findings if "killed at its very end" not in finding.message]
    assert {finding.kind for finding in of_its_end} <= {Kind.LEFTOVER}, half.findings
    for finding in (finding for state in half.outputs for finding in state.findings):
        # What is published is whole, old or new, if not yet in the record of any run.
        assert finding.kind is Kind.UNRECORDED or finding.message.endswith("run r0 recorded, and names run r1"), finding
    again = Program(tmp_path / "scratch", *arguments(registry, output), "--run-id", "r2")
    assert again.ended() == 3, again.printed
    assert published(output) == published(registry / "whole")
    found = verify(VerifyRequest(output, run_samples=False))
    assert found.sound or {finding.path for finding in found.findings} == {"_h5ferry/runs/r1"}, found.findings
    reports = [
        compared(report_of(folder / "_h5ferry/runs" / name))
        for folder, name in ((registry / "whole", "r1"), (output, "r2"))
    ]
    assert reports[0].equals(reports[1])
    statuses = outcomes(output / "_h5ferry/runs/r2")
    assert {model: told.replace("unchanged", "migrated") for model, told in statuses.items()} == {
        model: "unsupported_layer" if model == "refuse-1" else "migrated" for model in MODELS
    }


@pytest.mark.parametrize("step", SHORT, ids=str)
def test_killed_and_run_again(registry, tmp_path, step):
    check(registry, tmp_path, step)


@pytest.mark.soak
@pytest.mark.parametrize("step", STEPS, ids=str)
def test_killed_at_each_step_and_run_again(registry, tmp_path, step):
    check(registry, tmp_path, step)
