"""`h5ferry serving-config`: the file that tells TensorFlow Serving which models and versions to serve.

The format is `ModelServerConfig` (tensorflow_serving/config/model_server_config.proto) as protobuf text.
"""

from __future__ import annotations

import posixpath
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from google.protobuf import text_encoding

from pipeline.registries.published import PublishedModel, RegistryError, published_models

#: Label of the newest version of each model.
LATEST = "latest"


@dataclass(frozen=True)
class ServedModel:
    """One model of the configuration.

    Attributes:
        name: by which clients ask for it.
        model: its name in the output.
        versions: in ascending order.
        labels: name -> version.
    """

    name: str
    model: str
    versions: tuple[int, ...]
    labels: Mapping[str, int]


def serving_config(output: Path, base: str = "", labels: Iterable[str] = ()) -> str:
    """The configuration for all published models of an output.

    Args:
        output: local folder.
        base: the output's place as the server sees it; "": its absolute path here.
        labels: besides `latest`, as LABEL=MODEL:VERSION.

    Raises:
        RegistryError: there is no model, a label does not fit, or two names would be one.
    """
    return as_text(served_models(published_models(output), labels), base or str(output.resolve()))


def served_models(published: Sequence[PublishedModel], labels: Iterable[str] = ()) -> list[ServedModel]:
    """The models by name, with all versions. In a name "." replaces "/", which cannot stand in the REST API's URLs.

    Raises:
        RegistryError: a label does not fit, or two names would be one.
    """
    versions: dict[str, list[int]] = defaultdict(list)
    for each in published:
        versions[each.model].append(each.version)
    given: dict[str, dict[str, int]] = {model: {LATEST: max(there)} for model, there in versions.items()}
    for text in labels:
        label, model, version = _parsed(text)
        if version not in versions.get(model, ()):
            raise RegistryError(f"--label {text}: the output has no {model}/{version}.")
        given[model][label] = version
    names: dict[str, str] = {}
    for model in versions:
        other = names.setdefault(model.replace("/", "."), model)
        if other != model:
            raise RegistryError(f"{other} and {model} would both be served as {model.replace('/', '.')}: rename one.")
    return [ServedModel(name, model, tuple(sorted(versions[model])), given[model]) for name, model in names.items()]


def _parsed(text: str) -> tuple[str, str, int]:
    label, _, place = text.partition("=")
    model, _, version = place.rpartition(":")
    if not (label and model and version.isascii() and version.isdigit()):
        raise RegistryError(f"--label {text} is not of the form LABEL=MODEL:VERSION.")
    return label, model, int(version)


def as_text(models: Iterable[ServedModel], base: str) -> str:
    """The configuration as protobuf text."""
    return "model_config_list {\n" + "".join(_config(model, base) for model in models) + "}\n"


def _config(served: ServedModel, base: str) -> str:
    versions = "".join(f"        versions: {version}\n" for version in served.versions)
    labels = "".join(
        f"    version_labels {{\n      key: {_quoted(label)}\n      value: {version}\n    }}\n"
        for label, version in sorted(served.labels.items())
    )
    return (
        "  config {\n"
        f"    name: {_quoted(served.name)}\n"
        f"    base_path: {_quoted(posixpath.join(base, served.model))}\n"
        '    model_platform: "tensorflow"\n'
        f"    model_version_policy {{\n      specific {{\n{versions}      }}\n    }}\n"
        f"{labels}  }}\n"
    )


def _quoted(text: str) -> str:
    return f'"{text_encoding.CEscape(text.encode(), as_utf8=False)}"'
