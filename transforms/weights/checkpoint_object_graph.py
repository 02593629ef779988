"""The object graph of a checkpoint: the Python objects' references to each other, and the variables at its leaves."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from transforms.errors import MigrationError, Reason
from transforms.limits import Limits
from transforms.source.checkpoint.bundle import Bundle, Tensor
from transforms.source.checkpoint.messages import parse

GRAPH_KEY = "_CHECKPOINTABLE_OBJECT_GRAPH"
_VALUE = "VARIABLE_VALUE"
_CONFIG = "OBJECT_CONFIG_JSON"


@dataclass(frozen=True)
class Variable:
    """A variable in the graph; `name` is its name in the runtime, e.g. `lstm/kernel`."""

    name: str
    tensor: Tensor


@dataclass(frozen=True)
class ObjectGraph:
    """The objects of a checkpoint by number; 0 is the one that was saved.

    Attributes:
        children: for each object, its references by attribute name.
        variables: the objects that are variables.
        configs: the texts that TensorFlow 1.13 and 1.14 store for each layer: its class and config as JSON.
        slots: the variables that an optimizer stores for another variable.
    """

    children: tuple[Mapping[str, int], ...]
    variables: Mapping[int, Variable]
    configs: Mapping[int, Tensor]
    slots: frozenset[int]

    def reach(self, start: int, without: Collection[str] = ()) -> Iterator[int]:
        """Every object that can be reached from one, that one first, without following attributes named in
        `without`.
        """
        seen, pending = {start}, [start]
        while pending:
            node = pending.pop()
            yield node
            for name, child in self.children[node].items():
                if child not in seen and name not in without:
                    seen.add(child)
                    pending.append(child)


def object_graph(bundle: Bundle, limits: Limits) -> ObjectGraph | None:
    """The checked object graph; None for a checkpoint by variable name, which has none.

    Raises:
        MigrationError: `corrupt_checkpoint` if graph and index disagree.
    """
    if GRAPH_KEY not in bundle.tensors:
        return None
    nodes = parse("ObjectGraph", bundle.text(bundle.tensors[GRAPH_KEY], limits.index_bytes)).nodes
    if not 0 < len(nodes) <= limits.entries:
        raise _damaged(f"has {len(nodes):,} objects")
    children: list[Mapping[str, int]] = []
    variables: dict[int, Variable] = {}
    configs: dict[int, Tensor] = {}
    slots: set[int] = set()
    left = dict.fromkeys(key for key in bundle.tensors if key != GRAPH_KEY)
    for number, node in enumerate(nodes):
        children.append({child.local_name: child.node_id for child in node.children})
        slots.update(slot.slot_variable_node_id for slot in node.slot_variables)
        for attribute in node.attributes:
            key = attribute.checkpoint_key
            if key not in left:
                raise _damaged(f"names {key!r}, which the index lacks or which two objects share")
            del left[key]
            if attribute.name == _VALUE:
                variables[number] = Variable(attribute.full_name or key, bundle.tensors[key])
            elif attribute.name == _CONFIG:
                configs[number] = bundle.tensors[key]
    if left:
        raise _damaged(f"does not name {next(iter(left))!r}, which the index holds")
    if not all(0 <= node < len(nodes) for node in (*slots, *(node for held in children for node in held.values()))):
        raise _damaged("refers to objects that it does not hold")
    graph = ObjectGraph(tuple(children), variables, configs, frozenset(slots))
    held = set(graph.reach(0))
    strays = [variable.name for node, variable in variables.items() if node not in held and node not in slots]
    if strays:
        raise _damaged(f"has no object that holds {strays[0]!r}")
    return graph


def _damaged(what: str) -> MigrationError:
    return MigrationError(
        Reason.CORRUPT_CHECKPOINT,
        f"The checkpoint's object graph {what}",
        advice="The file was altered or damaged: restore it from its origin.",
    )
