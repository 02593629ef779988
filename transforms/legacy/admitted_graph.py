"""Determines the runtime of a stored architecture, and builds its layer graph of supported classes."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from transforms.admission.classes import admit
from transforms.admission.custom_objects import overridden, with_custom_objects
from transforms.admission.random_outputs import refuse_random_outputs, without_idle_training
from transforms.admission.serialized_objects import check_stored_objects
from transforms.architecture.attention import with_attention_arguments
from transforms.architecture.chosen_outputs import with_outputs
from transforms.architecture.config_values import config_errors
from transforms.architecture.custom_names import CustomNames
from transforms.architecture.functions import with_functions
from transforms.architecture.graph import Graph
from transforms.architecture.keras_3 import keras_3_assumptions, keras_3_graph, refuse_later_keras
from transforms.architecture.loader_order import with_loader_order
from transforms.architecture.parsing import parse_architecture
from transforms.architecture.pruning import left_out_note, without_unused
from transforms.errors import MigrationError, Reason
from transforms.lambda_functions.graph import with_functions_of_merge, with_translations
from transforms.lambda_functions.trace import Era
from transforms.legacy.release import writer_of
from transforms.limits import Limits
from transforms.records.runtime import Family, Runtime, runtime_of
from transforms.weights.roles import keras_3_roles_of, roles_of
from transforms.weights.roles_keras_1 import keras_1_roles_of
from transforms.weights.slots import RolesOf


@dataclass(frozen=True)
class Supplied:
    """What the operator supplies beside the file.

    Attributes:
        custom: what the operator's code defines.
        outputs: layers whose outputs are wanted in place of the model's own.
        constants: values of global names in the functions of Lambda layers, by layer.
    """

    custom: CustomNames = field(default_factory=CustomNames)
    outputs: tuple[str, ...] = ()
    constants: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


def writing_runtime(recorded: str, backend: str, architecture: object) -> tuple[Runtime, tuple[str, ...]]:
    """The runtime that wrote a model, and the assumption made if it is not recorded.

    Args:
        recorded: the `keras_version` of the source, "" if it has none; then the architecture's own is used.
        backend: the backend, "" if neither source nor operator states it.
        architecture: parsed.

    Raises:
        MigrationError: `unsupported_dialect` if the recorded text is not a version.
    """
    if not recorded and isinstance(architecture, Mapping):
        recorded = str(architecture.get("keras_version") or "")
    if recorded and not _VERSION.fullmatch(recorded):
        raise MigrationError(
            Reason.UNSUPPORTED_DIALECT,
            f"The recorded keras_version {recorded[:60]!r} is no version",
            advice="It determines the meaning of the layers: restore the file.",
        )
    runtime = runtime_of(recorded, backend)
    if recorded:
        return runtime, ()
    if isinstance(architecture, Mapping) and str(architecture.get("module")).startswith("keras"):
        # Only Keras 3 writes `module` and no version (`Model.to_json` in keras/src/models/model.py).
        assumed = runtime_of("3.0", backend)
        return replace(assumed, recorded=""), ("The architecture records no keras_version: its form is Keras 3's.",)
    if _KERAS_2_KEYS.search(json.dumps(architecture)):
        assumed = runtime_of("2.0", backend)
        return replace(assumed, recorded=""), ("The file records no keras_version: read as standalone Keras 2.",)
    return runtime, ("The file records no keras_version: read as Keras 1.",)


#: "2.2.4-tf", "2.6.0rc1", "3.0.0.dev2023".
_VERSION = re.compile(r"[0-9]{1,4}(\.[0-9]{1,6}){0,3}[-+._A-Za-z0-9]{0,40}")

#: Options that Keras 2 introduced; a config with one of them is not of Keras 1.
_KERAS_2_KEYS = re.compile(r'"(units|filters|kernel_initializer|data_format)"')


def admitted_graph(
    architecture: object,
    runtime: Runtime,
    limits: Limits,
    supplied: Supplied,
) -> tuple[Graph, tuple[str, ...]]:
    """The graph, with only supported classes and harmless stored objects, and the assumptions made.

    Raises MigrationError: any reason of an architecture.
    """
    refuse_later_keras(runtime)
    with config_errors():
        stored = with_loader_order(parse_architecture(architecture, limits))
        graph, left_out = without_unused(with_outputs(stored, supplied.outputs))
        assumed = left_out_note(left_out)
        if runtime.family is not Family.KERAS_3:
            refuse_random_outputs(graph)
            graph = without_idle_training(graph)
        if runtime.family is Family.KERAS_3:
            graph, assumed = keras_3_graph(graph), (*assumed, *keras_3_assumptions(runtime))
        elif runtime.family is Family.TF_KERAS:
            graph = with_functions(graph, limits)
        elif runtime.family is Family.KERAS:
            graph = with_functions_of_merge(graph)
        graph = with_attention_arguments(graph)
        graph = with_custom_objects(graph, supplied.custom, runtime)
        assumed = (*assumed, *overridden(graph, runtime))
        admit(graph, runtime, limits)
        foreign = check_stored_objects(graph, custom_code=bool(supplied.custom.digest))
        graph = with_translations(graph, _era(graph, runtime), supplied.constants, limits)
    return graph, (*assumed, *foreign)


def _era(graph: Graph, runtime: Runtime) -> Era:
    """The TensorFlow version that a model's functions were written for, if the file determines it.

    Standalone Keras ran on TensorFlow 1 before 2.3. Files of 2.2.4-tf may be of 1.13 to 2.1; they are read as those of
    1.15, the most widely used.
    """
    if runtime.family is Family.KERAS:
        return Era(runtime, 1 if runtime.version < (2, 3) else None)
    releases = writer_of(graph, runtime).releases
    return Era(runtime, 1 if any(release < (2, 0) for release in releases) else 2)


def roles_of_runtime(runtime: Runtime) -> RolesOf:
    """The arrays of a class, in the dialect of a runtime."""
    if runtime.is_keras_1:
        return keras_1_roles_of
    return keras_3_roles_of if runtime.family is Family.KERAS_3 else roles_of
