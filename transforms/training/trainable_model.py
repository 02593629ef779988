"""Writes a SavedModel from which training can resume: `tf_keras.models.load_model` compiles it, optimizer and all.

tf-keras compiles a loaded model from the `training_config` in `keras_metadata.pb`, with a new optimizer, and never
restores the state of one in `saved_model.pb` (`load` in tf_keras/src/saving/legacy/saved_model/load.py). But TensorFlow
restores a checkpoint's values for a name that the loaded model does not have yet when an object gets this name later.
So the optimizer is stored only in variables/, beside the arrays of the model, whose keys do not change: the signature
is the same as without it.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
import tf_keras
from tensorflow.core.protobuf.trackable_object_graph_pb2 import TrackableObjectGraph
from tf_keras.protobuf.saved_metadata_pb2 import SavedMetadata

from transforms.architecture.graph import LayerPath
from transforms.legacy.model import LegacyModel
from transforms.rebuild import RebuiltModel
from transforms.releases.table import Release
from transforms.saved_model.file_names import METADATA, VARIABLES
from transforms.saved_model.templates import write_tensors
from transforms.saved_model.variables import OBJECT_GRAPH
from transforms.saved_model.writer import (
    disk_errors,
    quiet_tensorflow,
    write_fingerprint,
    write_saved_model,
)
from transforms.training.array_positions import array_positions
from transforms.training.compile_options import UnknownName, known_loss, known_metrics, known_weights
from transforms.training.differences import differences
from transforms.training.optimizer_state import NotKept, OptimizerState, optimizer_state
from transforms.training.optimizers import order_of
from transforms.training.regularizers import carry_regularizers

_OPTIMIZER = "optimizer"


def write_trainable_model(
    model: RebuiltModel,
    legacy: LegacyModel,
    folder: Path,
    sample_shape: Sequence[int] | None = None,
    oldest: Release = (),
) -> list[str]:
    """Writes the SavedModel, compiled as in the legacy file, into an existing, empty folder.

    Args:
        model: the rebuilt model; its layers are frozen like the legacy ones.
        legacy: the model as read, with readable arrays.
        folder: receives the files.
        sample_shape: as for `canonicalise`.
        oldest: as for `write_saved_model`.

    Returns:
        A sentence for each part that could not be migrated. Nothing about training prevents a migration.

    Raises:
        OSError: the files cannot be written.
    """
    warnings = list(freeze_layers(model, legacy))
    kept = carry_regularizers(model, legacy.graph)
    write_saved_model(model, folder, oldest=oldest)
    try:
        state = optimizer_state(legacy)
        optimizer, lost = restored_optimizer(model, legacy, state, sample_shape)
        config, unknown = _compile_config(legacy.training_config or {}, optimizer, model.keras_model.output_names)
    except NotKept as error:
        return [*warnings, f"Training state is not kept: {error}. The SavedModel is not compiled."]
    _add_optimizer(folder, model.keras_model, optimizer)
    _add_training_config(folder / METADATA, config)
    write_fingerprint(folder)
    return [*warnings, *state.warnings, *lost, *unknown, *differences(legacy, kept)]


def restored_optimizer(
    model: RebuiltModel, legacy: LegacyModel, state: OptimizerState, sample_shape: Sequence[int] | None = None
) -> tuple[Any, list[str]]:
    """The tf-keras optimizer over the model's trainable variables, with the slots of the legacy runtime.

    Returns:
        The optimizer, and a sentence for each variable whose state could not be migrated.

    Raises:
        NotKept: tf-keras rejects its options.
    """
    home = tf_keras.optimizers.legacy if state.is_legacy else tf_keras.optimizers
    try:
        optimizer = getattr(home, state.class_name).from_config(dict(state.config))
    except (TypeError, ValueError, KeyError) as error:
        raise NotKept(
            f"tf-keras rejects the optimizer {state.class_name}: {' '.join(str(error).split())[:200]}"
        ) from None
    places = {id(variable): place for place, variable in model.variables.items()}
    trained = [(places[id(variable)], variable) for variable in model.keras_model.trainable_variables]
    positions = array_positions(legacy, state.parameters, [place for place, _ in trained], sample_shape)
    flat = {slot: np.concatenate([value.reshape(-1) for value in values]) for slot, values in state.slots.items()}
    slots = _slots(optimizer, [variable for _, variable in trained], state)
    for (slot, index), variable in slots.items():
        place = trained[index][0]
        if slot in flat and place in positions:
            variable.assign(flat[slot][positions[place]].astype(variable.dtype.as_numpy_dtype))
    optimizer.iterations.assign(state.iterations)
    if state.momentum_product is not None and state.is_legacy:
        optimizer._m_cache.assign(state.momentum_product)
    return optimizer, list(_not_followed([place for place, _ in trained if place not in positions], state))


def _slots(optimizer: Any, variables: Sequence[Any], state: OptimizerState) -> Mapping[tuple[str, int], Any]:
    """Makes the optimizer's slot variables; returns them by slot and number of the variable."""
    order = order_of(state.groups, len(variables))
    if state.is_legacy:
        optimizer._create_all_weights(variables)
        return {(slot, index): optimizer.get_slot(variables[index], slot) for slot, index in order}
    optimizer.build(variables)
    return dict(zip(order, optimizer.variables[1:], strict=True))


def _not_followed(places: Sequence[tuple[LayerPath, str]], state: OptimizerState) -> Iterator[str]:
    for path, role in places:
        yield (
            f"{'/'.join(path)}: its {role} is not a rearrangement of what {state.class_name} trained: its optimizer "
            "state begins anew, and the next steps differ."
        )


def freeze_layers(model: RebuiltModel, legacy: LegacyModel) -> Iterator[str]:
    """Freezes the layers that were frozen when the file was saved; yields a sentence for each that cannot be frozen."""
    for layer in legacy.graph.walk():
        if layer.config.get("trainable") is False:
            if layer.path in model.layers:
                model.layers[layer.path].trainable = False
            elif any(layer.path == path[: len(layer.path)] for path in legacy.arrays):
                yield f"{'/'.join(layer.path)} was frozen in training, and no longer is."


def _compile_config(
    stored: Mapping[str, Any], optimizer: Any, outputs: Sequence[str]
) -> tuple[dict[str, Any], list[str]]:
    """The `training_config` in tf-keras's form. Raises NotKept for a loss that Keras does not have."""
    try:
        loss, weights = known_loss(stored.get("loss")), known_weights(stored.get("loss_weights"))
    except UnknownName as error:
        raise NotKept(f"The loss {str(error)!r} is not one of Keras's own") from None
    for named in (loss, weights):
        if isinstance(named, dict) and "class_name" not in named and not set(named) <= set(outputs):
            raise NotKept(f"The losses are those of other outputs ({', '.join(sorted(named))[:80]})")
    unknown: list[str] = []
    metrics = {key: known_metrics(stored.get(key), unknown) or None for key in ("metrics", "weighted_metrics")}
    config = {
        "loss": loss,
        **metrics,
        "loss_weights": weights,
        "optimizer_config": {
            "class_name": tf_keras.utils.get_registered_name(type(optimizer)),
            "config": optimizer.get_config(),
        },
    }
    warnings = [f"The metric {name!r} is not one of Keras's own, and is left out." for name in unknown]
    if stored.get("sample_weight_mode"):
        warnings.append("sample_weight_mode is left out: give sample weights of the outputs' shape.")
    return config, warnings


def _add_training_config(path: Path, config: Mapping[str, Any]) -> None:
    metadata = SavedMetadata.FromString(path.read_bytes())
    root = next(node for node in metadata.nodes if node.node_path == "root")
    root.metadata = json.dumps({**json.loads(root.metadata), "training_config": config}, default=_number)
    path.write_bytes(metadata.SerializeToString(deterministic=True))


def _number(value: Any) -> Any:
    """Converts NumPy's numbers, as in options read from variables, for JSON."""
    return value.item()


def _add_optimizer(folder: Path, keras_model: Any, optimizer: Any) -> None:
    """Adds the optimizer to the checkpoint of a written SavedModel, in the form that TensorFlow writes for both
    together.
    """
    with tempfile.TemporaryDirectory(dir=folder) as scratch, quiet_tensorflow():
        with disk_errors():
            whole = tf.train.Checkpoint(root=keras_model, optimizer=optimizer).write(f"{scratch}/whole")
        written, added = (tf.train.load_checkpoint(prefix) for prefix in (str(folder / VARIABLES), whole))
        graph, other = (TrackableObjectGraph.FromString(each.get_tensor(OBJECT_GRAPH)) for each in (written, added))
        new_keys = _graft(graph, other)
        tensors = {
            key: written.get_tensor(key) for key in written.get_variable_to_dtype_map() if key != OBJECT_GRAPH
        } | {key: added.get_tensor(key) for key in new_keys}
    write_tensors(folder / VARIABLES, {**tensors, OBJECT_GRAPH: graph.SerializeToString(deterministic=True)})


def _graft(graph: Any, other: Any) -> list[str]:
    """Adds the optimizer of one object graph to another of the same model. Returns the keys of its variables."""
    known = _same_objects(graph, other)
    (start,) = [child.node_id for child in other.nodes[0].children if child.local_name == _OPTIMIZER]
    added = [node for node in _reached(other, start) if node not in known]
    added += [slot.slot_variable_node_id for slot in other.nodes[start].slot_variables]
    for node in dict.fromkeys(added):
        known[node] = len(graph.nodes)
        graph.nodes.add().CopyFrom(other.nodes[node])
    for node in dict.fromkeys(added):
        copy = graph.nodes[known[node]]
        for child in copy.children:
            child.node_id = known[child.node_id]
        for slot in copy.slot_variables:
            slot.original_variable_node_id = known[slot.original_variable_node_id]
            slot.slot_variable_node_id = known[slot.slot_variable_node_id]
    graph.nodes[0].children.add(node_id=known[start], local_name=_OPTIMIZER)
    return [attribute.checkpoint_key for node in dict.fromkeys(added) for attribute in other.nodes[node].attributes]


def _same_objects(graph: Any, other: Any) -> dict[int, int]:
    """Maps objects of `graph` to those of `other` that are reached by the same names."""
    same, pending = {0: 0}, [0]
    while pending:
        node = pending.pop()
        named = {child.local_name: child.node_id for child in graph.nodes[same[node]].children}
        for child in other.nodes[node].children:
            if child.local_name in named and child.node_id not in same:
                same[child.node_id] = named[child.local_name]
                pending.append(child.node_id)
    return same


def _reached(graph: Any, start: int) -> list[int]:
    found, pending = {start: None}, [start]
    while pending:
        for child in graph.nodes[pending.pop()].children:
            if child.node_id not in found:
                found[child.node_id] = None
                pending.append(child.node_id)
    return list(found)
