"""The recipes for schedulers: their own syntax, and every command in them against the program's parser."""

import configparser
import re
import shlex
import shutil
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path
from types import ModuleType

import jinja2
import pytest
import typer
import yaml
from croniter import croniter

from pipeline.cli.app import app

RECIPES = Path(__file__).parents[2] / "scripts/recipes"
PROGRAM = "/srv/h5ferry/.venv/bin/h5ferry"
CRON_LINE = re.compile(r"((?:\S+\s+){5})(\S+)\s+(.*)")


def commands_in(text):
    """The program's command lines in a shell command, without redirections."""
    words = shlex.split(text, comments=False)
    for start, word in enumerate(words):
        if word == PROGRAM or (word == "h5ferry" and start == 0):
            end = next((n for n in range(start, len(words)) if words[n] in ("||", ";", ">", "&&")), len(words))
            yield words[start + 1 : end]


def assert_parses(arguments, tmp_path):
    """The command line is one that the program takes; it is not run."""
    name, *rest = arguments
    rest = [str(tmp_path) if name == "verify" and word == "/srv/models" else word for word in rest]
    command = typer.main.get_command(app).commands[name]
    command.make_context(name, rest)


def cron_lines():
    lines = (RECIPES / "h5ferry.cron").read_text().splitlines()
    return [line for line in lines if line and not line.startswith("#") and "=" not in line.split()[0]]


def test_every_recipe_is_tested():
    assert sorted(path.name for path in RECIPES.iterdir() if path.name != "__pycache__") == [
        "cronjob.yaml",
        "h5ferry.cron",
        "h5ferry.service",
        "h5ferry.timer",
        "h5ferry_dag.py",
    ]


def test_a_wrong_option_would_be_found(tmp_path):
    with pytest.raises(Exception, match="No such option"):
        assert_parses(["migrate", "m.csv", "--output", "o", "--mertics-file", "x"], tmp_path)


def test_cron(tmp_path):
    found = []
    for line in cron_lines():
        schedule, user, command = CRON_LINE.fullmatch(line).groups()
        assert croniter.is_valid(schedule.strip()) and user == "h5ferry"
        assert not re.search(r"(?<!\\)%", command), "cron takes % for the end of the line"
        assert subprocess.run(["/bin/sh", "-n", "-c", command]).returncode == 0
        for arguments in commands_in(command):
            assert_parses(arguments, tmp_path)
            found.append(arguments[0])
    assert found == ["migrate", "verify"]


def unit(name):
    parser = configparser.ConfigParser(strict=False, interpolation=None, delimiters="=", comment_prefixes="#")
    parser.optionxform = str
    parser.read_string((RECIPES / name).read_text().replace("\\\n", " "))
    return parser


def test_systemd(tmp_path):
    service, timer = unit("h5ferry.service"), unit("h5ferry.timer")
    assert service["Service"]["Type"] == "oneshot" and service["Service"]["SuccessExitStatus"] == "3"
    assert timer["Timer"]["OnCalendar"] and timer["Install"]["WantedBy"] == "timers.target"
    (arguments,) = commands_in(service["Service"]["ExecStart"])
    assert_parses(arguments, tmp_path)
    writes = service["Service"]["ReadWritePaths"].split()
    for option in ("--output", "--metrics-file"):
        path = arguments[arguments.index(option) + 1]
        assert any(path.startswith(writable) for writable in writes), f"{option} is not writable"


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed")
def test_systemd_takes_the_units(tmp_path):
    for name in ("h5ferry.service", "h5ferry.timer"):
        text = (RECIPES / name).read_text().replace(PROGRAM, sys.executable)
        (tmp_path / name).write_text(re.sub("^Documentation=.*\n", "", text, flags=re.MULTILINE))
    command = ["systemd-analyze", "verify", "--man=no", tmp_path / "h5ferry.service", tmp_path / "h5ferry.timer"]
    result = subprocess.run(command, capture_output=True, text=True)
    told = [line for line in result.stderr.splitlines() if "h5ferry" in line]
    assert (result.returncode, told) == (0, [])


class Operator:
    """Takes what Airflow's BashOperator takes; anything else is a TypeError, as it is there."""

    def __init__(self, *, task_id, bash_command, execution_timeout=None, retries=None):
        self.task_id, self.bash_command, self.downstream = task_id, bash_command, []
        assert execution_timeout is None or isinstance(execution_timeout, timedelta)

    def __rshift__(self, other):
        self.downstream.append(other.task_id)
        return other


class Dag:
    def __init__(self, *, dag_id, description, schedule, start_date, catchup, max_active_runs, default_args, tags):
        assert dag_id == "h5ferry" and isinstance(start_date, datetime) and not catchup and max_active_runs == 1
        self.schedule = schedule

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass


def test_airflow(tmp_path, monkeypatch):
    """The file is run with stand-ins that take no other arguments than Airflow 3 does."""
    for name in ("airflow", "airflow.providers", "airflow.providers.standard", "airflow.providers.standard.operators"):
        monkeypatch.setitem(sys.modules, name, ModuleType(name))
    bash, sdk = ModuleType("airflow.providers.standard.operators.bash"), ModuleType("airflow.sdk")
    bash.BashOperator, sdk.DAG = Operator, Dag
    monkeypatch.setitem(sys.modules, bash.__name__, bash)
    monkeypatch.setitem(sys.modules, sdk.__name__, sdk)
    path = RECIPES / "h5ferry_dag.py"
    names = {"__name__": "h5ferry_dag"}
    exec(compile(path.read_text(), path, "exec"), names)
    assert croniter.is_valid(names["dag"].schedule)
    assert names["migrate"].downstream == ["verify"]
    for task in ("migrate", "verify"):
        run_id = "scheduled__2026-01-31T02:15:00+00:00"
        command = jinja2.Template(names[task].bash_command, undefined=jinja2.StrictUndefined).render(run_id=run_id)
        assert task == "verify" or "--run-id scheduled__2026-01-31T021500_0000 " in command
        assert subprocess.run(["/bin/sh", "-n", "-c", command]).returncode == 0
        (arguments,) = commands_in(command)
        assert arguments[0] == task
        assert_parses(arguments, tmp_path)


#: Fields that Kubernetes asks for, or that keep two runs apart: path -> what must be true of the value.
ESSENTIAL = {
    "apiVersion": lambda value: value == "batch/v1",
    "kind": lambda value: value == "CronJob",
    "metadata.name": lambda value: re.fullmatch(r"[a-z0-9]([-a-z0-9]{0,50}[a-z0-9])?", value),
    "spec.schedule": croniter.is_valid,
    "spec.concurrencyPolicy": lambda value: value == "Forbid",
    "spec.startingDeadlineSeconds": lambda value: isinstance(value, int) and value >= 10,
    "spec.jobTemplate.spec.backoffLimit": lambda value: isinstance(value, int),
    "spec.jobTemplate.spec.template.spec.restartPolicy": lambda value: value in ("Never", "OnFailure"),
    "spec.jobTemplate.spec.template.spec.securityContext.runAsNonRoot": lambda value: value is True,
    "spec.jobTemplate.spec.template.spec.containers": lambda value: len(value) == 1,
    "spec.jobTemplate.spec.template.spec.volumes": lambda value: all(len(volume) == 2 for volume in value),
}
POD_FIELDS = {"restartPolicy", "automountServiceAccountToken", "securityContext", "containers", "volumes"}
CONTAINER_FIELDS = {"name", "image", "command", "args", "env", "resources", "securityContext", "volumeMounts"}
JOB_FIELDS = {"backoffLimit", "activeDeadlineSeconds", "template"}
CRON_JOB_FIELDS = {
    "schedule",
    "concurrencyPolicy",
    "startingDeadlineSeconds",
    "successfulJobsHistoryLimit",
    "failedJobsHistoryLimit",
    "jobTemplate",
}


def test_kubernetes(tmp_path):
    (document,) = yaml.safe_load_all((RECIPES / "cronjob.yaml").read_text())
    for path, holds in ESSENTIAL.items():
        value = document
        for part in path.split("."):
            value = value[part]
        assert holds(value), path
    job = document["spec"]["jobTemplate"]["spec"]
    pod = job["template"]["spec"]
    (container,) = pod["containers"]
    assert set(document) == {"apiVersion", "kind", "metadata", "spec"} and set(document["spec"]) == CRON_JOB_FIELDS
    assert (set(job), set(pod), set(container)) == (JOB_FIELDS, POD_FIELDS, CONTAINER_FIELDS)
    assert {mount["name"] for mount in container["volumeMounts"]} == {volume["name"] for volume in pod["volumes"]}
    assert container["command"] == ["/bin/sh", "-c"] and len(container["args"]) == 1
    assert subprocess.run(["/bin/sh", "-n", "-c", container["args"][0]]).returncode == 0
    (arguments,) = commands_in(container["args"][0])
    assert_parses(arguments, tmp_path)
    mounts = [mount["mountPath"] for mount in container["volumeMounts"] if not mount.get("readOnly")]
    assert arguments[arguments.index("--output") + 1] in mounts
