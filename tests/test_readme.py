"""The README says what the code says."""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent


def test_the_tables_are_current() -> None:
    check = [sys.executable, "scripts/readme_tables.py", "--check"]
    assert subprocess.run(check, cwd=ROOT).returncode == 0, "run scripts/readme_tables.py"


def test_every_file_it_names_exists() -> None:
    text = (ROOT / "README.md").read_text("utf-8") + (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    linked = {target for target in re.findall(r"\]\(([^)#]+)\)", text) if "://" not in target}
    assert not {target for target in linked if not (ROOT / target).exists()}
