"""`h5ferry register`: published models become versions of registered models in MLflow.

A version is known by the digest of its receipt, in a tag: what is there already is left alone, so that a second run
changes nothing. One process writes at a time, since it holds the lock of the output.
"""

from __future__ import annotations

import tempfile
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

from pipeline.publication.receipt import list_files
from pipeline.registries.mlflow.names import registered_name
from pipeline.registries.mlflow.packaging import SAVED_MODEL, write_package
from pipeline.registries.mlflow.server import client_for, versions_of
from pipeline.registries.mlflow.versions import Location, MlflowError, parse_location
from pipeline.registries.published import PublishedModel, RegistryError
from transforms.errors import MigrationError

ALIAS = "migrated"
EXPERIMENT = "h5ferry"
_PREFIX = "h5ferry."
RECEIPT_TAG, MODEL_TAG, VERSION_TAG = f"{_PREFIX}receipt_sha256", f"{_PREFIX}model", f"{_PREFIX}version"
_ARTIFACTS = "model"
#: The distribution that every installation of MLflow 3 has.
_CLIENT = "mlflow-skinny"
#: Code of MLflow's exception.
_NO_SUCH_MODEL = "RESOURCE_DOES_NOT_EXIST"


@dataclass(frozen=True)
class Registration:
    """What became of one published model.

    Attributes:
        model, version: in the output.
        name, number: of the registered version.
        added: whether it was not there before.
    """

    model: str
    version: int
    name: str
    number: int
    added: bool


def target_names(models: Iterable[str]) -> dict[str, str]:
    """The registered name of each model: that of the registry it came from, if it came from one.

    MLflow refuses "/" and ":"; "." replaces them.

    Raises:
        RegistryError: two models would share a name.
    """
    names: dict[str, str] = {}
    owners: dict[str, str] = {}
    for model in models:
        name = registered_name(model).replace("/", ".").replace(":", ".")
        if owners.setdefault(name, model) != model:
            raise RegistryError(f"{owners[name]} and {model} would both be registered as {name!r}: rename one.")
        names[model] = name
    return names


def tags_of(published: PublishedModel) -> dict[str, str]:
    """The tags of a registered version."""
    receipt, outcome = published.receipt, published.receipt.outcome
    values = {
        "receipt_sha256": published.receipt_sha256,
        "model": receipt.model,
        "version": receipt.version,
        "evidence": outcome.evidence,
        "max_abs_error": outcome.max_abs_error,
        "source_sha256": receipt.key.source_sha256,
        "output_sha256": receipt.sha256,
        "keras_version": outcome.keras_version,
        "run_id": receipt.run_id,
        "h5ferry_version": receipt.h5ferry_version,
    }
    return {f"{_PREFIX}{name}": str(value) for name, value in values.items()}


def open_target(text: str) -> tuple[Any, Location]:
    """MLflow's client for a registry that is written to, and the registry's place.

    Raises:
        MlflowError: it is no server, or the client is missing. MLflow 3 registers nothing in a folder, and migrates a
            database of an older release as soon as it opens it.
    """
    location = parse_location(text)
    if location.folder is not None or location.database is not None:
        raise MlflowError(f"{text}: models are registered by a server: start `mlflow server`, and give its URL.")
    return client_for(location.uri), location


def register_models(published: Sequence[PublishedModel], text: str) -> Iterator[Registration]:
    """Registers published models, each as it is asked for, in their order.

    Args:
        published: sorted by name and version.
        text: `mlflow:URI`.

    Raises:
        RegistryError: a model is not what its receipt says, or two would share a name.
        MlflowError: the registry cannot be written.
    """
    names = target_names(each.model for each in published)
    client, _ = open_target(text)
    by_name: dict[str, list[PublishedModel]] = defaultdict(list)
    for each in published:
        by_name[names[each.model]].append(each)
    for name, models in by_name.items():
        try:
            yield from _register(client, name, models)
        except (RegistryError, MlflowError):
            raise
        except Exception as error:  # MLflow and its stores raise many kinds.
            raise MlflowError(f"{name!r} cannot be registered in {text}: {error}") from error


def _register(client: Any, name: str, models: Sequence[PublishedModel]) -> Iterator[Registration]:
    """Registers the versions of one model, and gives the newest of them the alias."""
    known = registered_receipts(client, name)
    if known is None:
        client.create_registered_model(name)
    numbers = dict(known or {})
    for each in models:
        added = each.receipt_sha256 not in numbers
        if added:
            numbers[each.receipt_sha256] = _add(client, name, each)
        yield Registration(each.model, each.version, name, numbers[each.receipt_sha256], added)
    newest = str(numbers[models[-1].receipt_sha256])
    aliases = client.get_registered_model(name).aliases or {}
    if str(aliases.get(ALIAS, "")) != newest:
        client.set_registered_model_alias(name, ALIAS, newest)


def registered_receipts(client: Any, name: str) -> dict[str, int] | None:
    """Digest of a receipt -> the version that was registered with it; None if there is no such model."""
    try:
        client.get_registered_model(name)
    except Exception as error:
        if getattr(error, "error_code", "") == _NO_SUCH_MODEL:
            return None
        raise
    found: dict[str, int] = {}
    for version in versions_of(client, name):
        digest = (version.tags or {}).get(RECEIPT_TAG)
        if digest and version.status == "READY":
            found[digest] = max(int(version.version), found.get(digest, 0))
    return found


def _add(client: Any, name: str, published: PublishedModel) -> int:
    """Uploads a model in a run of its own, and makes it a version; returns its number."""
    _require_intact(published)
    tags = tags_of(published)
    run = _finished_run(client, tags[RECEIPT_TAG]) or _uploaded(client, published, tags)
    source = f"{run.info.artifact_uri}/{_ARTIFACTS}"
    return int(
        client.create_model_version(name, source, run_id=run.info.run_id, tags=tags, await_creation_for=0).version
    )


def _require_intact(published: PublishedModel) -> None:
    try:
        intact = list_files(published.folder) == tuple(sorted(published.receipt.files, key=lambda file: file.path))
    except (MigrationError, OSError):
        intact = False
    if not intact:
        raise RegistryError(
            f"The files of {published.model}/{published.version} are not those of its receipt: run `h5ferry verify`."
        )


def _experiment(client: Any) -> str:
    found = client.get_experiment_by_name(EXPERIMENT)
    return str(client.create_experiment(EXPERIMENT) if found is None else found.experiment_id)


def _finished_run(client: Any, digest: str) -> Any:
    """A run that uploaded this model and ended before the version was made; None if there is none."""
    query = f"tags.`{RECEIPT_TAG}` = '{digest}' and attributes.status = 'FINISHED'"
    return next(iter(client.search_runs([_experiment(client)], query, max_results=1)), None)


def _uploaded(client: Any, published: PublishedModel, tags: dict[str, str]) -> Any:
    name = f"{published.model}/{published.version}"
    run = client.create_run(_experiment(client), tags=tags, run_name=name)
    try:
        client.log_artifacts(run.info.run_id, str(published.folder), f"{_ARTIFACTS}/{SAVED_MODEL}")
        with tempfile.TemporaryDirectory(prefix="h5ferry-mlflow-") as folder:
            created = datetime.now(UTC).isoformat(sep=" ", timespec="microseconds").removesuffix("+00:00")
            write_package(published, Path(folder), run.info.run_id, metadata.version(_CLIENT), created)
            client.log_artifacts(run.info.run_id, folder, _ARTIFACTS)
    except BaseException:
        client.set_terminated(run.info.run_id, "FAILED")
        raise
    client.set_terminated(run.info.run_id, "FINISHED")
    return run
