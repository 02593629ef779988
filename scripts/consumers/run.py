"""Publishes twenty fixtures, has other runtimes load them, and compares their answers with those of the legacy runtime.

python scripts/consumers/run.py                               everything; writes the tables of docs/consumers.md
python scripts/consumers/run.py --only "TensorFlow 1.15"      consumers whose title holds this; prints, writes nothing

Each consumer gets an environment of its own below --environments, made where it is missing. Every model is asked at
two batch sizes, and two lengths where its time axis is free. What cannot be made here is left out, and says why.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(HERE.parent))
from make_fixtures import LegacyRuntime, ensure_environment, read_runtimes  # noqa: E402

FIXTURES = ROOT / "tests" / "fixtures"
NAMES = """
keras-1.2.2/theano_bidirectional keras-2.2.4/bi_cudnn_merges keras-2.2.4/channels_first keras-2.2.4/conv3d
keras-2.2.4/conv_lstm keras-2.2.4/cudnn_gru keras-2.2.4/cudnn_nested keras-2.2.4/emb_cudnn_lstm
keras-2.2.4/masked_bi_sequences keras-2.2.4/masked_initial_state keras-2.2.4/multi_io keras-2.2.4/stacked_cells
keras-2.2.4/stateful keras-2.3.1/cudnn_seq2seq keras-2.3.1/cudnn_td_nested keras-2.3.1/hierarchy
tfkeras-2.3.4/masked_attention tfkeras-2.15.1/lambda_masked tfkeras-2.15.1/multi_head tfkeras-2.15.1/rare_layers
""".split()
TFJS = "@tensorflow/tfjs@4.22.0"
#: A consumer that has not answered all twenty by then has stopped.
TIMEOUT = 1800.0


@dataclass(frozen=True)
class Consumer:
    """A runtime that loads SavedModels: how it is called, where it lives, and the script that asks it."""

    title: str
    environment: str
    runner: str


@dataclass(frozen=True)
class Found:
    """What a consumer made of one model: the largest error and share of the tolerance, or what went wrong."""

    name: str
    error: float = float("nan")
    share: float = float("nan")
    problem: str = ""

    @property
    def equal(self) -> bool:
        return not self.problem and self.share <= 1


def published(work: Path) -> Path:
    """The output of one run over the twenty fixtures, with the legacy outputs as samples."""
    work.mkdir(parents=True, exist_ok=True)
    manifest = work / "manifest.jsonl"
    entries = [
        {"model": name, "source": f"{FIXTURES / name}.h5", "samples": f"{FIXTURES / name}.npz"} for name in NAMES
    ]
    manifest.write_text("".join(f"{json.dumps(entry)}\n" for entry in entries), "utf-8")
    command = [sys.executable, "-m", "pipeline", "migrate", str(manifest), "--output", str(work / "published")]
    subprocess.run(command, check=True, cwd=ROOT)
    return work / "published"


def cases(output: Path) -> list[dict[str, Any]]:
    """What runners read: see runners/answers.py."""
    found = []
    for name in NAMES:
        folder = output / name / "1"
        signature = json.loads((folder / "assets.extra" / "h5ferry.json").read_text("utf-8"))["signature"]
        with np.load(f"{FIXTURES / name}.npz") as held:
            batches = [
                {
                    kind: {each["name"]: _plain(held[f"{prefix}{each['array']}"], each) for each in signature[kind]}
                    for kind in ("inputs", "outputs")
                }
                for prefix in ("", "alt_")
            ]
        found.append({"name": name, "folder": str(folder), "batches": batches})
    return found


def _plain(array: Any, entry: Mapping[str, Any]) -> dict[str, Any]:
    values = array.astype(entry["dtype"])
    return {"dtype": entry["dtype"], "shape": list(values.shape), "values": values.ravel().tolist()}


def ask(consumer: Consumer, interpreter: Path, case_file: Path, modules: Path) -> list[Found]:
    """The consumer's answers for all cases. One that it does not get to has the problem that stopped it."""
    runner = HERE / "runners" / consumer.runner
    command = [str(interpreter), "-W", "ignore", str(runner), str(case_file)]
    if runner.suffix == ".mjs":
        converter = interpreter.parent / "tensorflowjs_converter"
        command = ["node", str(runner), str(case_file), str(converter), str(modules)]
    if runner.suffix == ".xml":
        command = [*maven(runner, modules), "exec:java", f"-Dexec.args={case_file}"]
    log = case_file.with_name(f"{consumer.title}.log")
    with log.open("w", encoding="utf-8") as errors:
        try:
            done = subprocess.run(command, stdout=subprocess.PIPE, stderr=errors, text=True, timeout=TIMEOUT)
            said, end = done.stdout, f"the process ended with status {done.returncode}; see {log.name}"
        except subprocess.TimeoutExpired as stopped:
            said, end = (stopped.stdout or b"").decode(), "it took too long"
    told = {each["name"]: Found(**each) for each in map(json.loads, _results(said))}
    return [told.get(name, Found(name, problem=end)) for name in NAMES]


def _results(said: str) -> Iterator[str]:
    for line in said.splitlines():
        _, mark, result = line.partition("RESULT ")  # Maven begins with codes of the terminal
        if mark:
            yield result


def environments(path: Path) -> dict[str, LegacyRuntime]:
    """The environments by name: those of the fixtures, and those of the consumers."""
    tables = tomllib.loads(path.read_text("utf-8"))["environments"]
    known = {runtime.environment: runtime for runtime in read_runtimes(HERE.parent / "legacy_fixtures/runtimes.toml")}
    return known | {
        name: LegacyRuntime(name, table["python"], tuple(table["requirements"]), name) for name, table in tables.items()
    }


def node_modules(folder: Path) -> Path:
    """The folder in which TensorFlow.js is installed. Raises FileNotFoundError where there is no npm."""
    if shutil.which("npm") is None or shutil.which("node") is None:
        raise FileNotFoundError("no Node.js: install node and npm")
    if not (folder / "node_modules" / "@tensorflow" / "tfjs").is_dir():
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "package.json").write_text('{"private": true}\n', "utf-8")
        subprocess.run(["npm", "install", "--silent", "--no-audit", "--no-fund", TFJS], cwd=folder, check=True)
    return folder


def maven(project: Path, folder: Path) -> list[str]:
    """Maven's command for a project built in a folder. Raises FileNotFoundError where there is no Maven or compiler."""
    if shutil.which("mvn") is None or shutil.which("javac") is None:
        raise FileNotFoundError("no Java: install maven and a JDK (openjdk-17-jdk-headless)")
    return ["mvn", "--quiet", "--batch-mode", f"--file={project}", f"-Dout={folder}", "compile"]


def installed(consumer: Consumer, folder: Path) -> Path:
    """The folder of what a consumer needs that is not Python, which is installed or built where it is missing."""
    if consumer.runner.endswith(".mjs"):
        return node_modules(folder / "tfjs")
    if consumer.runner.endswith(".xml"):
        target = folder / "tensorflow-java"
        subprocess.run(maven(HERE / "runners" / consumer.runner, target), check=True)
        return target
    return folder


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--environments", type=Path, default=ROOT / ".legacy")
    parser.add_argument("--work", type=Path, default=ROOT / "out" / "consumers")
    parser.add_argument("--only", default="", help="consumers whose title holds this")
    options = parser.parse_args(arguments)
    work, folder = options.work.resolve(), options.environments.resolve()
    tables = tomllib.loads((HERE / "consumers.toml").read_text("utf-8"))
    consumers = [Consumer(**each) for each in tables["consumers"] if options.only in each["title"]]
    case_file = work / "cases.json"
    output = published(work)
    case_file.write_text(json.dumps(cases(output)), "utf-8")
    known = environments(HERE / "consumers.toml")
    results: dict[str, list[Found] | str] = {}
    for consumer in consumers:
        try:
            modules = installed(consumer, folder)
            name = consumer.environment
            interpreter = ensure_environment(known[name], folder) if name else Path(sys.executable)
        except (FileNotFoundError, subprocess.CalledProcessError) as error:
            results[consumer.title] = " ".join(str(error).split())
        else:
            results[consumer.title] = ask(consumer, interpreter, case_file, modules)
        print(f"{consumer.title}: {_summary(results[consumer.title])}", flush=True)
    if not options.only:
        from table import write_tables

        write_tables(ROOT / "docs" / "consumers.md", NAMES, results)
    return 0


def _summary(found: list[Found] | str) -> str:
    if isinstance(found, str):
        return f"not tried: {found}"
    wrong = [f"\n    {each.name}: {each.problem or f'error {each.error:.2g}'}" for each in found if not each.equal]
    return f"{len(found) - len(wrong)} of {len(found)} equal" + "".join(wrong)


if __name__ == "__main__":
    sys.exit(main())
