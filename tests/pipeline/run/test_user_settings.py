"""Whatever the user's environment says, one model gives one artefact, byte for byte."""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
FIXTURES = ROOT / "tests/fixtures/keras-2.2.4"
KERAS_JSON = {
    "floatx": "float16",
    "epsilon": 0.01,
    "image_data_format": "channels_first",
    "image_dim_ordering": "th",
    "backend": "theano",
}
#: Modules that the program and its children import, as one finds them in a project of another time.
SHADOWS = ("numpy", "yaml", "h5py", "typer", "msgspec", "tensorflow", "sitecustomize")


def settings(folder: Path) -> dict[str, dict[str, str]]:
    """Each setting by name: the variables that make it."""
    for name in (".keras", "keras_home"):
        (folder / name).mkdir()
        (folder / name / "keras.json").write_text(json.dumps(KERAS_JSON))
    (folder / "modules").mkdir()
    for name in SHADOWS:
        broken = "" if name == "sitecustomize" else "raise ImportError('another project')\n"
        (folder / "modules" / f"{name}.py").write_text(f"import os\nos.environ['OMP_NUM_THREADS'] = '1'\n{broken}")
    return {
        "keras.json": {"HOME": str(folder)},
        "keras_home": {"KERAS_HOME": str(folder / "keras_home")},
        "keras": {"KERAS_BACKEND": "jax", "TF_USE_LEGACY_KERAS": "0"},
        "tensorflow": {
            "TF_XLA_FLAGS": "--tf_xla_auto_jit=2 --tf_xla_cpu_global_jit",
            "TF_ENABLE_ONEDNN_OPTS": "1",
            "TF_FUNCTION_JIT_COMPILE_DEFAULT": "1",
            "NVIDIA_TF32_OVERRIDE": "1",
        },
        "modules": {"PYTHONPATH": str(folder / "modules")},
        "hashes": {"PYTHONHASHSEED": "7"},
        "optimize": {"PYTHONOPTIMIZE": "2"},
        "warnings": {"PYTHONWARNINGS": "error"},
        "ascii": {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    }


def artefact(folder: Path, variables: dict[str, str]) -> dict[str, str]:
    """SHA-256 of each published file by its path; the receipt, which names the run, aside."""
    folder.mkdir()
    manifest = folder / "manifést.csv"
    source = FIXTURES / "channels_first"
    manifest.write_text(f"model,source,samples\nimage/m,{source}.h5,{source}.npz\n", encoding="utf-8")
    output = folder / "öut"
    done = subprocess.run(
        [sys.executable, "-m", "pipeline", "migrate", manifest, "--output", output, "--run-id", "r"],
        cwd=ROOT,
        env=os.environ | variables,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode(errors="replace")
    place = output / "image/m/1"
    files = sorted(path for path in place.rglob("*") if path.is_file() and path.name != "h5ferry.json")
    assert files
    return {str(path.relative_to(place)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return artefact(tmp_path_factory.mktemp("undisturbed") / "run", {})


def test_all_settings_together(tmp_path: Path, undisturbed: dict[str, str]) -> None:
    together = {name: value for each in settings(tmp_path).values() for name, value in each.items()}
    assert artefact(tmp_path / "run", together) == undisturbed


@pytest.mark.soak
@pytest.mark.parametrize(
    "name", ["keras.json", "keras_home", "keras", "tensorflow", "modules", "hashes", "optimize", "warnings", "ascii"]
)
def test_each_setting_alone(tmp_path: Path, name: str, undisturbed: dict[str, str]) -> None:
    assert artefact(tmp_path / "run", settings(tmp_path)[name]) == undisturbed
