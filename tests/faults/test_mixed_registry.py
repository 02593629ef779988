"""The real program on genuine files: byte for byte the same whatever the order, the workers and the neighbours.

Two runs of the same good files: one worker, in order, alone; and two workers, in the reverse order, with hostile files
among them. Compared are all files of the outputs, of receipts all but `run_id`, `attempt` and
`seal`, the digest over them; and the reports' rows but
for `run_id`, `seconds`, `finished_at` (times and the run), `output` (the folder), and `line`, `manifest_row`,
`template_reused` (which follow from the order of the manifest).
"""

import csv
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pytest

from tests.faults.programs import Program, published, report_of
from tests.fixture_files import MIGRATABLE, fixture_file
from tests.transforms.admission.test_hostile_configs import CONFIGS
from tests.transforms.hostile_models import endless_names, one_place_for_two, write_model
from tests.transforms.source.hdf5.test_hostile_files import FILES

OF_THE_ORDER = ["line", "manifest_row", "template_reused", "output"]
GOOD = [
    "keras-2.2.4/emb_cudnn_lstm",
    "keras-2.3.1/conv2d",
    "keras-1.2.2/theano_full_1d",
    "tfkeras-2.15.1/gru_reset_after",
]
HOSTILE_FILES = ["soft link", "external storage", "virtual, of itself", "partly written", "huge chunks", "NaN"]
HOSTILE_CONFIGS = ["bytecode", "units 0", "an unknown class", "another SavedModel", "copies beyond measure"]
LIMIT = 3600


@dataclass(frozen=True)
class Mixed:
    """Both runs: exit statuses, outputs and reports; and why each hostile file is to be refused."""

    folder: Path
    statuses: tuple[int, int]
    good: list[str]
    reasons: dict[str, str]

    def report(self, run):
        return report_of(self.folder / f"{run}-report")


def hostile(folder, files, configs):
    """Writes hostile files. Returns the reason for each path."""
    folder.mkdir()
    reasons = {}
    for index, (edit, reason) in enumerate(FILES[name] for name in files):
        reasons[write_model(folder / f"file{index}.h5", edit=edit)] = reason.value
    for index, (config, reason) in enumerate(CONFIGS[name] for name in configs):
        reasons[write_model(folder / f"config{index}.h5", config)] = reason.value
    reasons[one_place_for_two(folder / "shared.h5")] = "unsafe_storage"
    if len(files) == len(FILES):
        reasons[endless_names(folder / "endless.h5")] = "over_budget"
    return reasons


def write_manifest(path, rows):
    with path.open("w", newline="") as stream:
        csv.writer(stream).writerows([("model", "source", "samples"), *rows])
    return path


def mixed(folder, names, copies, files, configs):
    fixtures = [fixture_file(name) for name in names]
    good = [(f"good/{each.name}-{copy}", each.source, each.samples) for copy in range(copies) for each in fixtures]
    reasons = hostile(folder / "hostile", files, configs)
    bad = [(f"bad/{path.stem}", path, "") for path in reasons]
    rows, step = good[::-1], max(1, len(good) // len(bad))
    for index, row in enumerate(bad):
        rows.insert(min(len(rows), index * (step + 1)), row)
    manifests = write_manifest(folder / "alone.csv", good), write_manifest(folder / "mixed.csv", rows)
    statuses = []
    for manifest, workers in zip(manifests, (1, 2), strict=True):
        name = manifest.stem
        program = Program(
            folder / f"{name}-scratch",
            "migrate",
            manifest,
            "--output",
            folder / name,
            "--report",
            folder / f"{name}-report",
            f"--direct_num_workers={workers}",
            "--quiet",
        )
        statuses.append(program.ended(LIMIT))
        assert program.orphans() == [] and "Traceback" not in program.printed, program.printed
    expected = {f"bad/{path.stem}": reason for path, reason in reasons.items()}
    return Mixed(folder, tuple(statuses), [row[0] for row in good], expected)


SOME = GOOD, 2, HOSTILE_FILES, HOSTILE_CONFIGS
#: Ten good ones for each hostile one.
ALL = [each.name for each in MIGRATABLE], 10 * (len(FILES) + len(CONFIGS)) // len(MIGRATABLE) + 1, [*FILES], [*CONFIGS]


@pytest.fixture(scope="module", params=[SOME, pytest.param(ALL, marks=pytest.mark.soak)], ids=["some", "all"])
def runs(request, tmp_path_factory):
    return mixed(tmp_path_factory.mktemp("mixed"), *request.param)


def test_the_outputs_are_the_same_byte_for_byte(runs):
    alone, among = published(runs.folder / "alone"), published(runs.folder / "mixed")
    assert alone.keys() == among.keys()
    assert [path for path in alone if alone[path] != among[path]] == []
    assert sum(path.endswith("saved_model.pb") for path in alone) == len(runs.good)


def test_good_ones_answer_as_their_writers_did(runs):
    for run in ("alone", "mixed"):
        rows = runs.report(run).loc[runs.good]
        assert set(rows["status"]) == {"migrated"} and set(rows["evidence"]) == {"golden"}
        assert rows["max_abs_error"].max() < 1e-4


def test_hostile_ones_are_refused_each_for_its_reason(runs):
    assert runs.statuses == (0, 3)
    rows = runs.report("mixed").loc[list(runs.reasons)]
    assert set(rows["status"]) == {"refused"}
    assert dict(rows["reason"]) == runs.reasons


def test_the_reports_are_the_same(runs):
    alone, among = (runs.report(run).loc[runs.good].drop(columns=OF_THE_ORDER) for run in ("alone", "mixed"))
    pd.testing.assert_frame_equal(alone, among, check_exact=True)
