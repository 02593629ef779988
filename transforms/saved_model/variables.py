"""The variables of a written SavedModel: what the keys of its checkpoint stand for, and reading them once more."""

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
    """A string tensor. Making one takes longer than reading a small checkpoint, and templates need the same ones."""
    return tf.constant(text)


def keys_in_order(object_graph: bytes) -> list[str]:
    """The keys of a checkpoint, in the order in which a full save writes them."""
    nodes = TrackableObjectGraph.FromString(object_graph).nodes
    return [attribute.checkpoint_key for node in nodes for attribute in node.attributes]


def reached(root: Any, key: str) -> Any:
    """The object that a checkpoint key leads to by the names of tracked children; None when there is none."""
    found = root
    for name in key.removesuffix(_ATTRIBUTE).split("/"):
        found = found._trackable_children().get(name)
        if found is None:
            return None
    return found


class WrittenVariables:
    """The variables below a loaded object, to be read from the checkpoint of another artefact of the same graph.

    `tf.train.Checkpoint.read` walks the whole object graph for each file; here the walk is done once, for all files
    that hold the very same description of their keys.

    Args:
        object_graph: the description of the keys, of the checkpoint that was loaded.
        variables: by key: all that the checkpoint holds.
    """

    def __init__(self, object_graph: bytes, variables: Mapping[str, Any]) -> None:
        self._object_graph = object_graph
        self._variables = dict(variables)

    @classmethod
    def of(cls, loaded: Any, prefix: Path, needed: Sequence[Any]) -> WrittenVariables | None:
        """None where a key does not lead to a variable of its own, or a variable that is needed has no key."""
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
        """Assigns what the checkpoint holds to every variable.

        Returns:
            False where the checkpoint describes its keys otherwise: nothing is assigned then.

        Raises:
            ValueError: a key is missing, or its dtype or shape is another.
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
