"""Opens a legacy model: layer graph, original arrays, producer, training state as data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeAlias

import h5py
import numpy as np
import numpy.typing as npt

from transforms.architecture.config_json import parse_config
from transforms.architecture.config_values import config_errors
from transforms.architecture.custom_names import CustomNames, is_custom
from transforms.architecture.graph import Graph, LayerPath
from transforms.architecture.keras_3 import STATES_OF_KERAS_3
from transforms.errors import MigrationError, Reason
from transforms.lambda_functions.constants import parse_constants
from transforms.legacy.admitted_graph import Supplied, admitted_graph, roles_of_runtime, writing_runtime
from transforms.legacy.contradictions import refuse_contradictions
from transforms.legacy.no_model import no_model
from transforms.legacy.open_questions import (
    OpenQuestion,
    assignment_questions,
    backend_question,
    with_open_questions,
)
from transforms.limits import DEFAULT_LIMITS, Limits
from transforms.records.file_identity import FileIdentity
from transforms.records.runtime import Family, Runtime, runtime_of
from transforms.source.checkpoint.bundle import Bundle, open_bundle
from transforms.source.checkpoint.files import local_checkpoint
from transforms.source.file import SourceDigest
from transforms.source.hdf5.file import open_hdf5
from transforms.source.hdf5.object_store import is_object_store, read_object_store
from transforms.source.hdf5.objects import (
    array_at,
    group_at,
    has_group,
    has_link,
    list_attribute,
    text_attribute,
)
from transforms.source.stored_array import StoredArray
from transforms.weights.assignment import Assignment, assign_groups
from transforms.weights.bounds import check_extents, refuse_excess, refuse_other_numbers
from transforms.weights.by_object import assign_objects, object_architecture_needed
from transforms.weights.checkpoint import (
    assign_variables,
    assumed_version,
    missing_architecture,
    stored_architecture,
)
from transforms.weights.hdf5_groups import architecture_needed, weight_groups

#: Arrays by leaf layer path and role.
Arrays: TypeAlias = Mapping[LayerPath, Mapping[str, StoredArray]]


@dataclass(frozen=True)
class LegacyModel:
    """A legacy model, its arrays still in the file.

    Attributes:
        graph: the layers as stored.
        runtime: the Keras that wrote it.
        arrays: by leaf layer path, then role, in the layout of the file, as their position assigns them.
        named_arrays: the same, as their names assign them; for the reference.
        digest: SHA-256 and size of the file.
        training_config: optimizer, loss and metrics as data; None if absent or not readable.
        optimizer_arrays: the optimizer's slots in stored order, unread; empty if absent or not readable.
        warnings: assumptions made while reading.
        open_questions: facts that the file does not record; the model uses the assumed answers.
    """

    graph: Graph
    runtime: Runtime
    arrays: Arrays
    named_arrays: Arrays
    digest: SourceDigest
    training_config: Mapping[str, Any] | None = None
    optimizer_arrays: tuple[StoredArray, ...] = ()
    warnings: tuple[str, ...] = ()
    open_questions: tuple[OpenQuestion, ...] = ()

    @property
    def parameters(self) -> int:
        """Number of scalars in the weights."""
        return sum(array.size for held in self.arrays.values() for array in held.values())

    @property
    def weight_bytes(self) -> int:
        """Bytes of the weights, as stored."""
        return sum(array.bytes for held in self.arrays.values() for array in held.values())

    def weights_of(self, path: LayerPath) -> Mapping[str, npt.NDArray[np.generic]]:
        """The original arrays of a leaf layer by role, as named, read now, in their stored precision.

        Raises MigrationError `nonfinite_weights`, `weights_mismatch` if a variance is negative, `corrupt_h5` if HDF5
        cannot read it.
        """
        return {role: _checked(array, role, path) for role, array in self.named_arrays.get(path, {}).items()}

    def read_array(self, path: LayerPath, role: str) -> npt.NDArray[np.generic]:
        """One original array, by position, read now. Raises as `weights_of`; KeyError if there is none."""
        return _checked(self.arrays[path][role], role, path)


def _checked(array: StoredArray, role: str, path: LayerPath) -> npt.NDArray[np.generic]:
    values = array.read()
    if not np.isfinite(values).all():
        raise MigrationError(
            Reason.NONFINITE_WEIGHTS,
            f"The array {array.name!r} holds NaN or infinity",
            layer=path,
            advice="The model diverged in training or the file is damaged: restore an earlier checkpoint.",
        )
    if role in ("moving_variance", "running_std") and (values < 0).any():  # type: ignore[operator]
        raise MigrationError(Reason.WEIGHTS_MISMATCH, f"The variance {array.name!r} is negative", layer=path)
    return values


@contextmanager
def open_legacy_model(
    path: Path,
    architecture: object = None,
    backend: str = "",
    sha256: str = "",
    limits: Limits = DEFAULT_LIMITS,
    custom: CustomNames | None = None,
    hashed: FileIdentity | None = None,
    outputs: Sequence[str] = (),
    constants: str = "",
) -> Iterator[LegacyModel]:
    """Opens a model file. Arrays can be read until the context ends.

    Args:
        path: the HDF5 file, or a checkpoint: its prefix or its `.index` file.
        architecture: parsed architecture of a weights-only file; None: the file's own.
        backend: stated by the operator, overrides the file's.
        sha256: expected digest (hex; of a checkpoint `combined_digest`), "" for none.
        limits: the budget.
        custom: names that the operator's code defines.
        hashed: a file already known to have the expected digest, which is not computed again.
        outputs: layers to output in place of the model's own outputs.
        constants: values of global names in the functions of Lambda layers, by layer, as JSON; "" for none.

    Raises:
        MigrationError: any reason for which reading fails.
    """
    prefix = local_checkpoint(path)
    supplied = Supplied(custom or CustomNames(), tuple(outputs), parse_constants(constants))
    if prefix is not None:
        with open_bundle(prefix, limits, sha256) as bundle:
            yield _read_checkpoint(bundle, architecture, backend, limits, supplied)
        return
    with open_hdf5(path, limits, sha256, hashed) as (file, digest):
        yield _read(file, digest, architecture, backend, limits, supplied)


def _read(
    file: h5py.File,
    digest: SourceDigest,
    architecture: object,
    backend: str,
    limits: Limits,
    supplied: Supplied,
) -> LegacyModel:
    weights = group_at(file, "model_weights") if has_link(file, "model_weights") else file
    layer_names = list_attribute(weights, "layer_names", limits)
    if weights is not file:
        refuse_contradictions(file, weights, backend, limits)
    text = text_attribute(file, "model_config", limits)
    if layer_names is None and text is None:
        if is_object_store(file):
            return _read_object_store(file, digest, architecture, backend, limits, supplied)
        raise no_model(file, limits)
    if layer_names is None:
        raise MigrationError(
            Reason.WEIGHTS_MISMATCH, "The file has an architecture but no weights", advice="Save the model again."
        )
    if architecture is None:
        if text is None:
            raise architecture_needed(weights, layer_names, limits)
        architecture = parse_config(text, "model_config", limits)
    recorded = _first_text((weights, file), "keras_version", limits)
    stored_backend = _first_text((weights, file), "backend", limits)
    runtime, warnings = writing_runtime(recorded, backend or stored_backend, architecture)
    graph, assumed = admitted_graph(architecture, runtime, limits, supplied)
    found = _assignment(graph, weights, layer_names, runtime, limits)
    asks_backend = runtime.is_keras_1 and not runtime.backend
    model = LegacyModel(
        graph=graph,
        runtime=runtime,
        arrays=found.by_position,
        named_arrays=found.by_name,
        digest=digest,
        training_config=_training_config(file, limits),
        optimizer_arrays=_optimizer_arrays(file, limits),
        warnings=(*warnings, *assumed, *found.warnings),
    )
    backends = [backend_question(_likely_backend(found.by_position))] if asks_backend else []
    return with_open_questions(model, [*backends, *assignment_questions(found)])


def _read_object_store(
    file: h5py.File, digest: SourceDigest, architecture: object, backend: str, limits: Limits, supplied: Supplied
) -> LegacyModel:
    """Reads a `.weights.h5` file, which records nothing of its writer."""
    store = read_object_store(file, limits)
    if architecture is None:
        raise object_architecture_needed(store)
    runtime, warnings = writing_runtime("", backend or "tensorflow", architecture)
    graph, assumed = admitted_graph(architecture, runtime, limits, supplied)
    refuse_excess([array for held in store.arrays.values() for array in held], limits)
    with config_errors():
        found = assign_objects(graph, store, roles_of_runtime(runtime))
    _check_assignment(graph, found)
    model = LegacyModel(
        graph, runtime, found.by_position, found.by_name, digest, warnings=(*warnings, *assumed, *found.warnings)
    )
    return with_open_questions(model, assignment_questions(found))


def _likely_backend(arrays: Arrays) -> str:
    """Infers the backend of Keras 1, which records none: TensorFlow's variable names end in ":0", Theano's do not."""
    names = [array.name for held in arrays.values() for array in held.values()]
    return "theano" if names and not any(name.endswith(":0") for name in names) else "tensorflow"


def _read_checkpoint(
    bundle: Bundle,
    architecture: object,
    backend: str,
    limits: Limits,
    supplied: Supplied,
) -> LegacyModel:
    if architecture is None:
        architecture = stored_architecture(bundle, limits)
    if architecture is None:
        raise missing_architecture(bundle, limits)
    runtime, warnings = writing_runtime("", backend or "tensorflow", architecture)
    if not runtime.recorded and (version := assumed_version(bundle, limits)):
        runtime = replace(runtime_of(version, runtime.backend), recorded="")
        warnings = (f"Neither checkpoint nor architecture records a keras_version: read as that of {version}.",)
    graph, assumed = admitted_graph(architecture, runtime, limits, supplied)
    with config_errors():
        assigned = assign_variables(bundle, graph, roles_of_runtime(runtime), limits)
    _check_leaves(graph, assigned.arrays)
    warnings = (*warnings, *assumed, *assigned.warnings)
    return with_open_questions(
        LegacyModel(graph, runtime, assigned.arrays, assigned.arrays, bundle.digest, warnings=warnings)
    )


def _check_leaves(graph: Graph, arrays: Arrays) -> None:
    for leaf in graph.walk():
        if not is_custom(leaf.class_name):
            held = arrays.get(leaf.path, {})
            refuse_other_numbers(leaf, held)
            check_extents(leaf, held)


def _first_text(items: Sequence[h5py.Group], name: str, limits: Limits) -> str:
    for item in items:
        text = text_attribute(item, name, limits)
        if text:
            return text
    return ""


def _assignment(
    graph: Graph, weights: h5py.Group, layer_names: Sequence[str], runtime: Runtime, limits: Limits
) -> Assignment:
    if len(set(layer_names)) != len(layer_names):
        raise MigrationError(Reason.WEIGHTS_MISMATCH, "layer_names lists a layer twice", advice=_RESTORE)
    skipped = STATES_OF_KERAS_3 if runtime.family is Family.KERAS_3 else frozenset()
    groups = weight_groups(weights, layer_names, limits, skipped)
    refuse_excess([array for held in groups.values() for array in held], limits)
    found = assign_groups(graph, groups, roles_of_runtime(runtime), runtime.is_keras_1)
    _check_assignment(graph, found)
    return found


def _check_assignment(graph: Graph, found: Assignment) -> None:
    for each in filter(None, (found, found.other)):
        for arrays in (each.by_position, each.by_name):
            _check_leaves(graph, arrays)


def _training_config(file: h5py.File, limits: Limits) -> Mapping[str, Any] | None:
    """Optimizer, loss and metrics as data. They are optional: unreadable ones are omitted."""
    try:
        text = text_attribute(file, "training_config", limits)
        found = parse_config(text, "training_config", limits) if text else None
    except MigrationError:
        return None
    return found if isinstance(found, Mapping) else None


#: More than any optimizer stores for models within the other limits.
_MAX_SLOTS = 10_000


def _optimizer_arrays(file: h5py.File, limits: Limits) -> tuple[StoredArray, ...]:
    """The optimizer's arrays; optional like the training config, omitted if they cannot be read safely."""
    try:
        if not has_group(file, "optimizer_weights"):
            return ()
        group = group_at(file, "optimizer_weights")
        names = list_attribute(group, "weight_names", limits) or ()
        return tuple(array_at(group, name, limits) for name in names[:_MAX_SLOTS])
    except MigrationError:
        return ()


_RESTORE = "The file's index and content disagree: restore it from its origin."
