"""The program as others get it: built, installed into an empty environment, and run by an ordinary user elsewhere.

The wheel is installed without its dependencies: a path file leads to those of this environment, so that nothing is
fetched. The checkout is on no path.
"""

import os
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fixture_files import FOLDER

ROOT = Path(__file__).parents[1]
NOBODY = 65534
#: Folders of the checkout that hold what is built and tested, and nothing that belongs into the archives.
_LEFT_OUT = shutil.ignore_patterns(".*", "build", "dist", "out", "fixtures", "*.egg-info", "__pycache__")


@pytest.fixture(scope="module")
def archives(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The wheel and the source archive, built from a copy of the checkout."""
    folder = tmp_path_factory.mktemp("build")
    source = shutil.copytree(ROOT, folder / "source", ignore=_LEFT_OUT)
    code = "import sys; from setuptools import build_meta as b; b.build_wheel(sys.argv[1]); b.build_sdist(sys.argv[1])"
    subprocess.run([sys.executable, "-c", code, folder], cwd=source, check=True, stdout=subprocess.DEVNULL)
    (wheel,), (archive,) = folder.glob("*.whl"), folder.glob("*.tar.gz")
    return {"wheel": wheel, "sdist": archive}


def test_the_wheel_holds_the_program_its_assets_and_the_licence(archives: dict[str, Path]) -> None:
    with zipfile.ZipFile(archives["wheel"]) as wheel:
        names = wheel.namelist()
        metadata = wheel.read(next(name for name in names if name.endswith("/METADATA"))).decode()
    assert {name.partition("/")[0] for name in names} == {
        "h5ferry",
        "pipeline",
        "transforms",
        names[-1].partition("/")[0],
    }
    committed = {path.relative_to(ROOT).as_posix() for path in (ROOT / "pipeline/report/assets").rglob("*.*")}
    modules = {
        path.relative_to(ROOT).as_posix()
        for package in ("h5ferry", "pipeline", "transforms")
        for path in (ROOT / package).rglob("*.py")
    }
    assert committed | modules | {"h5ferry/py.typed"} <= set(names)
    assert any(name.endswith("/licenses/LICENSE") for name in names)
    for line in ("License-Expression: Apache-2.0", "Requires-Python: <3.14,>=3.11"):
        assert line in metadata.splitlines()


def test_the_source_archive_can_be_built_from_and_holds_no_tests(archives: dict[str, Path]) -> None:
    with tarfile.open(archives["sdist"]) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {"pyproject.toml", "README.md", "LICENSE", "pipeline/report/assets/report.css"} <= names
    assert not [name for name in names if name.startswith(("tests", "scripts", "manifests"))]


@pytest.fixture(scope="module")
def installed(archives: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The `h5ferry` of an environment that holds nothing else of its own."""
    environment = tmp_path_factory.mktemp("installed") / "environment"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", environment], check=True)
    packages = Path(sysconfig.get_path("purelib", vars={"base": str(environment), "platbase": str(environment)}))
    with zipfile.ZipFile(archives["wheel"]) as wheel:
        wheel.extractall(packages)
    (packages / "dependencies.pth").write_text(f"{sysconfig.get_path('purelib')}\n")
    program = environment / "bin/h5ferry"
    start = "import sys; from pipeline.__main__ import main; sys.exit(main())"
    program.write_text(f"#!{environment}/bin/python\n{start}\n")
    program.chmod(0o755)
    return program


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[Path]:
    """A working folder of an ordinary user, with a registry of one model beside it."""
    for name in ("stateful.h5", "stateful.npz"):
        shutil.copy(FOLDER / "keras-2.2.4" / name, tmp_path)
    (tmp_path / "manifest.csv").write_text("model,source,samples\nsignal/stateful,stateful.h5,stateful.npz\n")
    home = tmp_path / "home"
    home.mkdir()
    if os.getuid() == 0:
        for path in (tmp_path, *tmp_path.iterdir()):
            os.chown(path, NOBODY, NOBODY)
    os.chmod(home, 0o555)
    yield tmp_path
    os.chmod(home, 0o755)


def test_an_ordinary_user_with_a_home_that_cannot_be_written(installed: Path, elsewhere: Path) -> None:
    user = _user() if _reaches(installed, elsewhere) else {}
    home = elsewhere / "home" if user or os.getuid() else Path("/dev/null/home")  # nobody can write that one
    kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    environment = {**kept, "HOME": str(home), "PYTHONDONTWRITEBYTECODE": "1"}

    def said(*command: str) -> str:
        done = subprocess.run(
            [installed, *command], cwd=elsewhere, env=environment, capture_output=True, text=True, **user
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    assert "stateful" in said("inspect", "stateful.h5")
    assert "migrated" in said("migrate", "manifest.csv", "--output", "models", "--run-id", "first")
    assert "1 of 1 outputs" in said("verify", "models")
    said("report", "models/_h5ferry/runs/first", "-o", "report.html")
    assert (elsewhere / "report.html").stat().st_size > 100_000
    assert list((elsewhere / "home").iterdir()) == []


def _user() -> dict[str, int]:
    return {"user": NOBODY, "group": NOBODY, "extra_groups": []} if os.getuid() == 0 else {}


def _reaches(installed: Path, elsewhere: Path) -> bool:
    """Whether the ordinary user may enter the folders of the interpreter, the environment and the tests.

    An interpreter that lies in the home folder of root is out of reach: then root runs the program.
    """
    for path in (installed, elsewhere):
        for parent in path.parents:
            if parent.stat().st_uid == 0 and "pytest" in parent.name:
                parent.chmod(parent.stat().st_mode | 0o011 | 0o044)
    try:
        done = subprocess.run([installed, "--version"], capture_output=True, check=False, cwd=elsewhere, **_user())
    except PermissionError:
        return False
    return done.returncode == 0
