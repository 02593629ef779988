"""Architectures stated only by Python code: executes `build_model()` under old Keras and takes the config of its
model.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import tf_keras

from transforms.architecture.config_json import parse_config
from transforms.architecture.config_values import is_of_keras
from transforms.custom.code import CustomCode, failure
from transforms.custom.writer_facts import StoredGroups
from transforms.errors import MigrationError, Reason
from transforms.limits import Limits
from transforms.releases.ownership import BUILT_NOW

_OWN_MODULES = "transforms.custom."


def built_architecture(code: CustomCode, stored: StoredGroups, limits: Limits) -> Any:
    """The parsed architecture of the model that the last file's `build_model()` returns.

    Keras loads weights by order, and assigns new names to layers in each session: the layers with weights get the names
    of the file's groups with arrays, in order. A checkpoint has no groups, so the names stay.

    Raises:
        MigrationError: `missing_architecture` if the file defines no `build_model`, `custom_objects_needed` if it
            fails, `weights_mismatch` if it builds another number of layers with weights.
    """
    build = vars(code.modules[-1]).get("build_model")
    if not callable(build):
        raise MigrationError(
            Reason.MISSING_ARCHITECTURE,
            "The Python architecture defines no function build_model",
            advice="Define build_model(), without arguments, that returns the Keras model.",
        )
    try:
        model = build()
        architecture = json.loads(model.to_json())
        if stored.weighted is not None:
            architecture["config"] = _renamed(architecture["config"], _new_names(model, stored.weighted))
    except MigrationError:
        raise
    except (Exception, SystemExit) as error:
        raise failure("build_model()", error) from error
    finally:
        tf_keras.backend.clear_session()
    for key in ("keras_version", "backend"):
        architecture.pop(key, None)  # of tf-keras, which did not write the weights
    return parse_config(json.dumps(_as_of_keras(architecture)), "build_model()", limits)


def _as_of_keras(value: Any) -> Any:
    """The config, with the layers of `transforms.custom.layer_compat` replaced by Keras's own."""
    if isinstance(value, Mapping):
        own = str(value.get("module")).startswith(_OWN_MODULES)
        kept = {key: item for key, item in value.items() if not (own and key in ("module", "registered_name"))}
        found = {key: _as_of_keras(item) for key, item in kept.items()}
        if isinstance(found.get("config"), dict) and (own or is_of_keras(str(value.get("module")))):
            found["config"][BUILT_NOW] = True
        return found
    return [_as_of_keras(item) for item in value] if isinstance(value, list) else value


def _new_names(model: Any, groups: tuple[str, ...]) -> dict[str, str]:
    """The new name of each layer of the model, by its present one."""
    weighted = [layer.name for layer in model.layers if layer.weights]
    if len(weighted) != len(groups):
        raise MigrationError(
            Reason.WEIGHTS_MISMATCH,
            f"build_model() makes {len(weighted)} layers with weights, the file holds {len(groups)} groups with arrays",
            advice="Provide the code that built this model.",
        )
    names = dict(zip(weighted, groups, strict=True))
    taken = set(groups)
    for layer in model.layers:
        if layer.name not in names:
            name = layer.name
            while name in taken:
                name = f"{name}_"
            taken.add(name)
            names[layer.name] = name
    return names


def _renamed(config: Any, names: Mapping[str, str]) -> Any:
    """The config of a Sequential or functional model with the layers of its outermost graph renamed."""
    layers = []
    for item in config["layers"]:
        layer = {**item, "config": {**item["config"], "name": names[item["config"]["name"]]}}
        if "name" in item:
            layer["name"] = names[item["name"]]
        if "inbound_nodes" in item:
            layer["inbound_nodes"] = _renamed_tensors(item["inbound_nodes"], names)
        layers.append(layer)
    boundary = {key: _renamed_tensors(config[key], names) for key in ("input_layers", "output_layers") if key in config}
    return {**config, "layers": layers, **boundary}


def _renamed_tensors(value: Any, names: Mapping[str, str]) -> Any:
    """Renames layers in every `[layer, call, tensor, ...]`."""
    if isinstance(value, Mapping):
        return {key: _renamed_tensors(item, names) for key, item in value.items()}
    if not isinstance(value, list):
        return value
    if len(value) >= 3 and isinstance(value[0], str) and value[0] in names and isinstance(value[1], int):
        return [names[value[0]], *(_renamed_tensors(item, names) for item in value[1:])]
    return [_renamed_tensors(item, names) for item in value]
