"""The variables of a written SavedModel: the meaning of its checkpoint's keys, and reading them again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import tensorflow as tf
from tensorflow.core.protobuf.trackable_object_graph_pb2 import TrackableObjectGraph

OBJECT_GRAPH = "_CHECKPOINTABLE_OBJECT_GRAPH"
_ATTRIBUTE = "/.ATTRIBUTES/VARIABLE_VALUE"


@lru_cache(maxsize=32)
def constant_text(text: bytes | tuple[str, ...]) -> tf.Tensor:
    """A cached string tensor. Making one takes longer than reading a small checkpoint, and templates reuse the same
    ones.
    """
    return tf.constant(text)


def keys_in_order(object_graph: bytes) -> list[str]:
    """The keys of a checkpoint, in the order of a full save."""
    nodes = TrackableObjectGraph.FromString(object_graph).nodes
    return [attribute.checkpoint_key for node in nodes for attribute in node.attributes]


def reached(root: Any, key: str) -> Any:
    """The object that a checkpoint key leads to by the names of tracked children; None if there is none."""
    found = root
    for name in key.removesuffix(_ATTRIBUTE).split("/"):
        found = found._trackable_children().get(name)
        if found is None:
            return None
    return found


class WrittenVariables:
    """The variables below a loaded object, for reading the checkpoints of other artefacts with the same graph.

    `tf.train.Checkpoint.read` walks the whole object graph for each file; here the walk is done once for all files with
    the same description of their keys.

    Args:
        object_graph: description of the keys in the loaded checkpoint.
        variables: all variables of the checkpoint, by key.
    """

    def __init__(self, object_graph: bytes, variables: Mapping[str, Any]) -> None:
        self._object_graph = object_graph
        self._variables = dict(variables)

    @classmethod
    def of(cls, loaded: Any, prefix: Path, needed: Sequence[Any]) -> WrittenVariables | None:
        """The variables; None if a key does not lead to a separate variable, or a required variable has no key."""
        reader = tf.train.load_checkpoint(str(prefix))
        object_graph: bytes = reader.get_tensor(OBJECT_GRAPH)
        keys = keys_in_order(object_graph)
        variables = {key: reached(loaded, key) for key in keys}
        found = {id(variable) for variable in variables.values()}
        plain = all(isinstance(variable, tf.Variable) for variable in variables.values())
        whole = set(keys) == set(reader.get_variable_to_dtype_map()) - {OBJECT_GRAPH}
        alone = len(found) == len(keys)
        handles = {id(variable.handle) for variable in variables.values()} if plain else set()
        covered = all(id(variable.handle) in handles for variable in needed)
        return cls(object_graph, variables) if plain and whole and alone and covered else None

    def read(self, prefix: Path) -> bool:
        """Assigns the checkpoint's values to all variables.

        Returns:
            False if the checkpoint describes its keys differently; then nothing is assigned.

        Raises:
            ValueError: a key is missing, or its dtype or shape differs.
        """
        names = *self._variables, OBJECT_GRAPH
        dtypes = [*(variable.dtype for variable in self._variables.values()), tf.string]
        try:
            *values, object_graph = tf.raw_ops.RestoreV2(
                prefix=str(prefix),
                tensor_names=constant_text(names),
                shape_and_slices=constant_text(("",) * len(names)),
                dtypes=dtypes,
            )
        except tf.errors.OpError as error:
            raise ValueError(" ".join(str(error.message).split())[:300]) from error
        if object_graph.numpy() != self._object_graph:
            return False
        for variable, value in zip(self._variables.values(), values, strict=True):
            variable.assign(value)
        return True
