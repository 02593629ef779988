"""docs/python_api.md: its examples run, one after the other, as a script of a user's would."""

from __future__ import annotations

import inspect
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import get_type_hints

import h5ferry
from tests.fixture_files import FOLDER

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/python_api.md").read_text("utf-8")
BLOCKS = re.findall(r"^```python\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)


def test_the_examples_run(tmp_path: Path) -> None:
    (tmp_path / "registry").mkdir()
    shutil.copy(FOLDER / "keras-2.2.4/stateful.h5", tmp_path / "registry/tagger.h5")
    (tmp_path / "script.py").write_text("\n".join(BLOCKS))
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "script.py"]
    run = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    lines = run.stdout.splitlines()
    assert lines[0].startswith("migrated reference ")
    assert "tagger migrated reference" in lines
    for place in ("models/tagger/1", "models/tagger/2", "migrated/tagger/1"):
        assert (tmp_path / place / "assets.extra/h5ferry.json").exists()
    assert (tmp_path / "migrated/_h5ferry/runs/first/manifest.jsonl").exists()


def test_the_page_lists_every_option_and_every_public_name() -> None:
    options = set(re.findall(r"^\| `(\w+)` \|", PAGE.partition("## Options")[2], re.MULTILINE))
    assert options == set(get_type_hints(h5ferry.MigrateOptions))
    functions = [name for name in h5ferry.__all__ if inspect.isfunction(getattr(h5ferry, name))]
    assert [name for name in (*functions, "MigrateModels") if f"h5ferry.{name}" not in PAGE] == []
