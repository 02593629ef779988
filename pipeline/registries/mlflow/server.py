"""Asks an MLflow server, by the client of the package `mlflow-skinny` or `mlflow`."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pipeline.registries.mlflow.versions import MlflowError, RegisteredVersion, in_order

_PAGE = 200
_SEARCH = "/api/2.0/mlflow/registered-models/search"
_PROMPT = "mlflow.prompt.is_prompt"
#: Unless the operator set these: a server that does not answer is told of within a minute or two, and no line is
#: printed for each run.
_DEFAULTS = {
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "30",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
}


def client_for(uri: str) -> Any:
    """MLflow's client.

    Raises:
        MlflowError: the package is missing.
    """
    for name, value in _DEFAULTS.items():
        os.environ.setdefault(name, value)
    try:
        from mlflow.tracking import MlflowClient
    except ImportError as error:
        raise MlflowError(f"{uri} needs the package mlflow-skinny: pip install 'h5ferry[mlflow]' ({error}).") from error
    logging.getLogger("mlflow").setLevel(logging.WARNING)
    return MlflowClient(tracking_uri=uri, registry_uri=uri)


def read_server(uri: str) -> list[RegisteredVersion]:
    """The versions of all registered models, by name and version.

    Raises:
        MlflowError: the server cannot be asked.
    """
    client = client_for(uri)
    try:
        return in_order(_versions(client, registered_models(uri)))
    except Exception as error:  # MLflow's own class cannot be named where the package is missing.
        raise MlflowError(f"The MLflow server {uri} cannot be asked: {error}") from error


def registered_models(uri: str) -> Iterator[Mapping[str, Any]]:
    """The registered models as the REST API tells them, without prompts.

    MLflow's own client asks for what is "not a prompt", which servers of MLflow 1 and 2 answer with nothing.
    """
    from mlflow.utils.credentials import get_default_host_creds
    from mlflow.utils.rest_utils import http_request

    token = ""
    while True:
        asked = {"max_results": _PAGE, **({"page_token": token} if token else {})}
        answer = http_request(get_default_host_creds(uri), _SEARCH, "GET", params=asked)
        answer.raise_for_status()
        page = answer.json()
        for model in page.get("registered_models", ()):
            if _PROMPT not in {tag.get("key") for tag in model.get("tags", ())}:
                yield model
        token = page.get("next_page_token") or ""
        if not token:
            return


def _versions(client: Any, models: Iterable[Mapping[str, Any]]) -> Iterator[RegisteredVersion]:
    for model in models:
        name, aliases = model["name"], {each["alias"]: int(each["version"]) for each in model.get("aliases", ())}
        for found in versions_of(client, name):
            version, stage = int(found.version), found.current_stage or ""
            yield RegisteredVersion(
                name=found.name,
                version=version,
                source=client.get_model_version_download_uri(found.name, str(found.version)),
                stage="" if stage == "None" else stage,
                aliases=tuple(sorted(alias for alias, of in aliases.items() if of == version)),
                tags=dict(found.tags or {}),
                run_id=found.run_id or "",
            )


def versions_of(client: Any, name: str) -> Iterator[Any]:
    """All versions of a registered model, as MLflow's client has them."""
    quote = '"' if "'" in name else "'"
    found = _pages(client.search_model_versions, filter_string=f"name={quote}{name}{quote}")
    return (version for version in found if version.name == name)


def _pages(search: Any, **arguments: Any) -> Iterator[Any]:
    token = None
    while True:
        page = search(max_results=_PAGE, page_token=token, **arguments)
        yield from page
        token = page.token
        if not token:
            return
