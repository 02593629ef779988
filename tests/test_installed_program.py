"""The program as others get it: built, installed into an empty environment, and run by an ordinary user elsewhere.

The wheel is built from the source archive, and installed with all that it asks for. The checkout is on no path.
"""

import os
import re
import shutil
import struct
import subprocess
import sys
import sysconfig
import tarfile
import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.fixture_files import FOLDER

ROOT = Path(__file__).parents[1]
PACKAGES = ("h5ferry", "pipeline", "transforms")
NOBODY = 65534
#: What a checkout holds beside its files.
_LEFT_OUT = shutil.ignore_patterns(".*", "build", "dist", "out", "fixtures", "*.egg-info", "__pycache__")
_BUILD = "import sys; from setuptools import build_meta; getattr(build_meta, sys.argv[1])(sys.argv[2])"
#: A first process may still be started with the rights of root; those that it starts are not.
_STARTS_ITSELF = "import subprocess, sys; subprocess.run([sys.executable, '-c', ''], check=True)"
_SET_PRIVILEGES = ("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups")
#: Run as root, how to become an ordinary user. The second may read everything and write no more than the first: for an
#: interpreter in the home folder of root.
_ORDINARY_USERS = (
    (*_SET_PRIVILEGES, "--inh-caps=-all"),
    (*_SET_PRIVILEGES, "--inh-caps=-all,+dac_read_search", "--ambient-caps=-all,+dac_read_search"),
)


@dataclass(frozen=True)
class Archives:
    """The source archive, and the wheel that was built from it."""

    source: Path
    wheel: Path


def build(step: str, source: Path, folder: Path) -> None:
    """Calls a hook of the build backend in a source folder, as any installer does (PEP 517)."""
    subprocess.run([sys.executable, "-c", _BUILD, step, folder], cwd=source, check=True, stdout=subprocess.DEVNULL)


@pytest.fixture(scope="module")
def archives(tmp_path_factory: pytest.TempPathFactory) -> Archives:
    folder = tmp_path_factory.mktemp("build")
    build("build_sdist", shutil.copytree(ROOT, folder / "checkout", ignore=_LEFT_OUT), folder)
    (source,) = folder.glob("*.tar.gz")
    with tarfile.open(source) as archive:
        archive.extractall(folder, filter="data")
    build("build_wheel", folder / source.name.removesuffix(".tar.gz"), folder)
    (wheel,) = folder.glob("*.whl")
    return Archives(source, wheel)


def test_the_wheel_holds_every_file_of_the_program_and_nothing_else(archives: Archives) -> None:
    with zipfile.ZipFile(archives.wheel) as wheel:
        names = set(wheel.namelist())
    about = {name for name in names if ".dist-info/" in name}
    files = (path for package in PACKAGES for path in (ROOT / package).rglob("*") if path.is_file())
    assert names - about == {path.relative_to(ROOT).as_posix() for path in files if path.parent.name != "__pycache__"}
    assert {"h5ferry/py.typed", "pipeline/report/assets/report.css", "transforms/releases/facts.json"} <= names
    assert [name for name in about if name.endswith("/licenses/LICENSE")]


def test_the_wheel_tells_licence_python_and_command(archives: Archives) -> None:
    with zipfile.ZipFile(archives.wheel) as wheel:
        told = {
            Path(name).name: wheel.read(name).decode()
            for name in wheel.namelist()
            if name.endswith(("/METADATA", "/entry_points.txt"))
        }
    assert {"License-Expression: Apache-2.0", "Requires-Python: <3.14,>=3.11"} <= set(told["METADATA"].splitlines())
    assert "h5ferry = pipeline.__main__:main" in told["entry_points.txt"].splitlines()


def test_the_source_archive_holds_no_tests(archives: Archives) -> None:
    with tarfile.open(archives.source) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {"pyproject.toml", "README.md", "LICENSE"} <= names
    assert not [name for name in names if name.startswith(("tests", "scripts", "manifests", "docs"))]


@pytest.fixture(scope="module")
def place() -> Iterator[Path]:
    """A folder that everybody may enter."""
    with tempfile.TemporaryDirectory(prefix="h5ferry-installed-") as folder:
        os.chmod(folder, 0o755)
        yield Path(folder)


@pytest.fixture(scope="module")
def environment(archives: Archives, place: Path) -> Path:
    """An environment that holds the wheel and, at the versions of the lock, what the wheel asks for."""
    environment = place / "environment"
    uv = shutil.which("uv", path=os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", ""))))
    assert uv is not None, "uv is part of requirements.lock"
    subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, environment], check=True)
    locked = ["--python", environment / "bin/python", "--constraint", ROOT / "requirements.lock", archives.wheel]
    install = [uv, "pip", "install", "--quiet", *locked]
    if subprocess.run([*install, "--offline"], capture_output=True, check=False).returncode:
        subprocess.run(install, check=True)
    lend_bytecode(Path(sysconfig.get_path("purelib")), packages_of(environment))
    return environment


def packages_of(environment: Path) -> Path:
    return Path(sysconfig.get_path("purelib", vars={"base": str(environment), "platbase": str(environment)}))


def lend_bytecode(ours: Path, theirs: Path) -> None:
    """Copies bytecode of equal sources, for compiling TensorFlow anew takes half a minute. Other people's tests stay.

    Bytes 8 to 16 of a .pyc file are the time and the size of its source (PEP 552).
    """
    for compiled in ours.rglob(f"__pycache__/*.{sys.implementation.cache_tag}.pyc"):
        source = theirs / compiled.relative_to(ours).parents[1] / f"{compiled.name.partition('.')[0]}.py"
        if "tests" in source.relative_to(theirs).parts or not source.is_file():
            continue
        content = compiled.read_bytes()
        if content[12:16] == struct.pack("<I", source.stat().st_size):
            target = theirs / compiled.relative_to(ours)
            target.parent.mkdir(exist_ok=True)
            target.write_bytes(content[:8] + struct.pack("<I", int(source.stat().st_mtime)) + content[12:])


def ordinary_user(environment: Path) -> Sequence[str]:
    """What to put before a command so that an ordinary user runs it; nothing where this is one, or none can be had."""
    if os.getuid():
        return ()
    for prefix in _ORDINARY_USERS if shutil.which(_SET_PRIVILEGES[0]) else ():
        tried = [*prefix, environment / "bin/python", "-c", _STARTS_ITSELF]
        if subprocess.run(tried, cwd="/", capture_output=True, check=False).returncode == 0:
            return prefix
    return ()


def test_an_ordinary_user_with_a_home_that_cannot_be_written(environment: Path, place: Path) -> None:
    folder = place / "work"
    folder.mkdir()
    for name in ("stateful.h5", "stateful.npz"):
        shutil.copy(FOLDER / "keras-2.2.4" / name, folder)
    (folder / "manifest.csv").write_text("model,source,samples\nsignal/stateful,stateful.h5,stateful.npz\n")
    user = ordinary_user(environment)
    if user:
        for path in (folder, *folder.iterdir()):
            os.chown(path, NOBODY, NOBODY)
    home = place / "home" if user or os.getuid() else Path("/dev/null/home")  # where nobody, not even root, can write
    (place / "home").mkdir(mode=0o555)
    kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    variables = {**kept, "HOME": str(home), "PYTHONDONTWRITEBYTECODE": "1"}

    def said(*arguments: str) -> str:
        command = [*user, environment / "bin/h5ferry", *arguments]
        done = subprocess.run(command, cwd=folder, env=variables, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{arguments}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    assert "lstm_1" in said("inspect", "stateful.h5")
    migrated = said("migrate", "manifest.csv", "--output", "models", "--run-id", "first")
    assert re.search(r"migrated +1\b", migrated) and "golden evidence" in migrated
    assert "1 of 1 outputs are as published" in said("verify", "models")
    said("report", "models/_h5ferry/runs/first", "-o", "report.html")
    assert (folder / "report.html").stat().st_size > 100_000
    assert list((place / "home").iterdir()) == []
