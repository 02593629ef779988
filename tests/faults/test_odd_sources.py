"""Sources that change while they are read, that are no files, or whose names are hostile: one typed row each.

The real reading child looks at them; what converts is a stand-in that reads the text in their user block.
"""

import json
import os

import pytest

from tests.faults.programs import Meddle, Program, outcomes, published
from tests.pipeline.fakes import CONVERTER, VERIFIER
from tests.transforms.hostile_models import write_model

STAND_INS = ("--converter", CONVERTER, "--verifier", VERIFIER)
TWINS = "caf\u00e9.h5", "cafe\u0301.h5"
NAMES = [
    "with space.h5",
    "new\nline.h5",
    "tab\tand\rreturn.h5",
    "'single' \"double\".h5",
    "$(touch marker).h5",
    "`touch marker`;touch marker&.h5",
    "..h5",
    "-rf.h5",
    "<script>alert(1)</script>.h5".replace("/", "\u2215"),
    "=HYPERLINK(1).h5",
    "%s%n{0}.h5",
    "*?[a].h5",
    "\u202egnp.h5",
    "\x1b[31mred.h5",
    *TWINS,
    "Case.h5",
    "case.h5",
    "n" * 252 + ".h5",
]
ODD = {
    "loop": "source_missing",
    "dangling": "source_missing",
    "fifo": "unsafe_storage",
    "folder": "unsafe_storage",
    "device": "unsafe_storage",
    "closed": "source_missing",
    "below-a-file": "source_missing",
    "too-long": "source_missing",
    "sparse": "over_budget",
    "empty": "not_hdf5",
    "linked": "migrated",
}
MODELS = {
    "case/Model": "migrated",
    "case/model": "migrated",
    "_h5ferry/x": "invalid_row",
    "../up": "invalid_row",
    "a/../b": "invalid_row",
    "/root": "invalid_row",
    "new\nline": "invalid_row",
    "$(id)": "invalid_row",
    "caf\u00e9": "invalid_row",
    "p" * 256: "invalid_row",
    "a" + "/b" * 3000: "output_error",
}


def write_source(path, word="lstm"):
    """A model whose user block is a text for the stand-ins."""
    write_model(path, userblock_size=512)
    with path.open("r+b") as stream:
        stream.write(f"{word} {len(path.name)}\n".encode())
    return path


def write_manifest(folder, rows):
    path = folder / "manifest.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def migrated(tmp_path, manifest, **options):
    program = Program(
        tmp_path / "scratch",
        "migrate",
        manifest,
        "--output",
        tmp_path / "out",
        "--report",
        tmp_path / "report",
        "--direct_num_workers=1",
        "--timeout=8",
        *STAND_INS,
        **options,
    )
    status = program.ended()
    assert "Traceback" not in program.printed and program.orphans() == [], program.printed
    return status, outcomes(tmp_path / "report"), program.printed


def test_hostile_names(tmp_path):
    for index, name in enumerate(NAMES):
        write_source(tmp_path / name, word=f"word{index}")
    rows = [{"model": f"m{index}", "source": name} for index, name in enumerate(NAMES)]
    source = str(write_source(tmp_path / "plain.h5"))
    rows += [{"model": model, "source": source} for model in MODELS]
    rows += [
        {"model": "half", "source": "\ud800.h5"},
        {"model": "nul", "source": "a\0b.h5"},
        {"model": "late", "source": source, "version": 10**30},
    ]
    status, told, printed = migrated(tmp_path, write_manifest(tmp_path, rows))
    assert status == 3
    assert [told[f"m{index}"] for index in range(len(NAMES))] == ["migrated"] * len(NAMES)
    assert {model: told[model] for model in MODELS if model in told} == {
        model: expected for model, expected in MODELS.items() if model in told
    }
    assert list(told.values()).count("invalid_row") == list(MODELS.values()).count("invalid_row") + 3
    assert "\x1b[31mred" not in printed and "\u202e" not in printed
    html = (tmp_path / "report/report.html").read_text()
    assert "<script>alert" not in html
    assert not list(tmp_path.rglob("marker"))
    datas = {(tmp_path / f"out/m{index}/1/variables/variables.data-00000-of-00001").read_bytes() for index in range(19)}
    assert len(datas) == len(NAMES) == 19


def test_what_is_no_readable_file(tmp_path):
    good = write_source(tmp_path / "good.h5")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    (tmp_path / "dangling").symlink_to("nowhere")
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "folder").mkdir()
    write_source(tmp_path / "closed").chmod(0)
    with (tmp_path / "sparse").open("wb") as stream:
        os.truncate(stream.fileno(), 1 << 41)
    (tmp_path / "empty").touch()
    (tmp_path / "linked").symlink_to(good)
    paths = {"device": "/dev/zero", "below-a-file": "good.h5/x", "too-long": "n" * 300}
    rows = [{"model": name, "source": paths.get(name, name)} for name in ODD]
    manifest = write_manifest(tmp_path, [*rows, {"model": "good", "source": "good.h5"}])
    status, told, _ = migrated(tmp_path, manifest, permitted=False)
    assert (status, told) == (3, {**ODD, "good": "migrated"})


CHANGES = ("truncate", "append", "overwrite", "replace", "remove", "fifo", "loop")
#: Once it is hashed, before it is read; once it is read, before it is converted; as it is converted.
MOMENTS = ("pipeline.steps.inspect:_inspected", "pipeline.graph:convert_model", "pipeline.steps.convert:_request")
SHORT = [(MOMENTS[0], "truncate"), (MOMENTS[1], "replace"), (MOMENTS[2], "overwrite")]


def check_change(tmp_path, moment, how):
    for name in ("a.h5", "b.h5", "c.h5"):
        write_source(tmp_path / name)
    manifest = write_manifest(tmp_path, [{"model": name[0], "source": name} for name in ("a.h5", "b.h5", "c.h5")])
    status, told, printed = migrated(tmp_path, manifest, fault=Meddle(moment, tmp_path / "b.h5", how))
    assert status == 3 and (told.pop("a"), told.pop("c")) == ("migrated", "migrated"), printed
    of_stand_in = ("output_error", "timeout")  # which opens the source without a look at what it is
    assert told["b"] in ("source_missing", "digest_mismatch", "corrupt_h5", "unsafe_storage", *of_stand_in), told
    if how in ("overwrite", "replace", "append"):
        assert told["b"] in ("source_missing", "digest_mismatch"), told
    assert not [path for path in published(tmp_path / "out") if path.startswith("b") or "/." in path]


@pytest.mark.parametrize("moment, how", SHORT)
def test_changed_while_it_is_read(tmp_path, moment, how):
    check_change(tmp_path, moment, how)


@pytest.mark.soak
@pytest.mark.parametrize("how", CHANGES)
@pytest.mark.parametrize("moment", MOMENTS)
def test_changed_at_each_moment(tmp_path, moment, how):
    check_change(tmp_path, moment, how)
