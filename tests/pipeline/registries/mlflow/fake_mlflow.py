"""MLflow's client and its artifact store, in memory and in a folder: what `register` and `verify` ask of them."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any


class NoSuchModelError(Exception):
    error_code = "RESOURCE_DOES_NOT_EXIST"


class Page(list[Any]):
    token = None


class FakeClient:
    """Counts what is written; fails at the upload of the run that `failing` names."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.models: dict[str, dict[str, str]] = {}
        self.versions: list[Any] = []
        self.runs: list[Any] = []
        self.writes = 0
        self.failing = ""

    def get_registered_model(self, name: str) -> Any:
        if name not in self.models:
            raise NoSuchModelError(name)
        return SimpleNamespace(name=name, aliases=self.models[name])

    def create_registered_model(self, name: str) -> None:
        assert not re.search("[/:]", name)
        self.writes += 1
        self.models[name] = {}

    def set_registered_model_alias(self, name: str, alias: str, version: str) -> None:
        self.writes += 1
        self.models[name][alias] = version

    def search_model_versions(self, max_results: int, filter_string: str, page_token: str | None) -> Page:
        found = [each for each in self.versions if filter_string[6:-1] == each.name]
        index = int(page_token or 0)
        page = Page(found[index : index + 1])
        page.token = str(index + 1) if index + 1 < len(found) else None  # type: ignore[assignment]
        return page

    def create_model_version(self, name: str, source: str, **given: Any) -> Any:
        self.writes += 1
        number = str(1 + sum(each.name == name for each in self.versions))
        self.versions.append(SimpleNamespace(name=name, version=number, source=source, status="READY", **given))
        return self.versions[-1]

    def get_model_version_download_uri(self, name: str, version: str) -> str:
        found = (each.source for each in self.versions if (each.name, each.version) == (name, version))
        return str(next(found))

    def get_experiment_by_name(self, name: str) -> Any:
        return SimpleNamespace(experiment_id="1")

    def search_runs(self, experiments: list[str], query: str, max_results: int) -> list[Any]:
        digest = query.split("'")[1]
        return [run for run in self.runs if run.status == "FINISHED" and run.tags["h5ferry.receipt_sha256"] == digest]

    def create_run(self, experiment: str, tags: dict[str, str], run_name: str) -> Any:
        self.writes += 1
        run_id = str(len(self.runs))
        info = SimpleNamespace(run_id=run_id, artifact_uri=str(self.folder / run_id))
        self.runs.append(SimpleNamespace(info=info, tags=tags, name=run_name, status="RUNNING"))
        return self.runs[-1]

    def log_artifacts(self, run_id: str, local: str, path: str) -> None:
        if self.runs[int(run_id)].name == self.failing:
            raise OSError("connection lost")
        shutil.copytree(local, self.folder / run_id / path, dirs_exist_ok=True)

    def set_terminated(self, run_id: str, status: str) -> None:
        self.runs[int(run_id)].status = status


class FakeStore:
    """An artifact repository over a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def list_artifacts(self, path: str | None) -> list[Any]:
        return [
            SimpleNamespace(
                path=each.relative_to(self.folder).as_posix(), is_dir=each.is_dir(), file_size=each.stat().st_size
            )
            for each in sorted((self.folder / (path or "")).iterdir())
        ]

    def download_artifacts(self, path: str, target: str) -> None:
        shutil.copyfile(self.folder / path, Path(target, path))
