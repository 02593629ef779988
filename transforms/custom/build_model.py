"""An architecture that only Python code tells: `build_model()`, executed under old Keras, as the config it builds."""

from __future__ import annotations

import json
from typing import Any

import tf_keras

from transforms.config_json import parse_config
from transforms.custom.code import CustomCode, failure
from transforms.custom.stored import StoredGroups
from transforms.errors import MigrationError, Reason
from transforms.limits import Limits


def built_architecture(code: CustomCode, stored: StoredGroups, limits: Limits) -> Any:
    """The parsed architecture of the model that the last file's `build_model()` returns.

    Keras loads weights by order, and names layers anew in each session: the layers that have weights get the names
    of the file's groups that hold arrays, in order.

    Raises:
        MigrationError: `missing_architecture` when the file defines no `build_model`, `custom_objects_needed` when
            it fails, `weights_mismatch` when it builds another number of layers with weights.
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
        _rename(model, stored)
        text = model.to_json()
    except MigrationError:
        raise
    except (Exception, SystemExit) as error:
        raise failure("build_model()", error) from error
    finally:
        tf_keras.backend.clear_session()
    architecture = json.loads(text)
    for key in ("keras_version", "backend"):
        architecture.pop(key, None)  # of tf-keras, which did not write the weights
    return parse_config(json.dumps(architecture), "build_model()", limits)


def _rename(model: Any, stored: StoredGroups) -> None:
    weighted = [layer for layer in model.layers if layer.weights]
    if len(weighted) != len(stored.weighted):
        raise MigrationError(
            Reason.WEIGHTS_MISMATCH,
            f"build_model() makes {len(weighted)} layers with weights, the file holds {len(stored.weighted)} groups "
            "with arrays",
            advice="Bring the code that built this very model.",
        )
    names = dict(zip(map(id, weighted), stored.weighted, strict=True))
    taken = set(stored.weighted)
    for layer in model.layers:
        name = names.get(id(layer))
        if name is None:
            name = layer.name
            while name in taken:
                name = f"{name}_"
        taken.add(name)
        layer._name = name
