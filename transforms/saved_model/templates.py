"""Templates: the files of one written SavedModel are reused for others of its architecture without tracing.

Models with one architecture fingerprint (canonical layers, connections, precision, weight shapes and dtypes) share
`saved_model.pb` and `keras_metadata.pb` byte for byte; only variables/ differ. These are written with TensorFlow's own
checkpoint operations under the template's keys, in the order of a full save.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tensorflow as tf

from transforms.architecture.graph import LayerPath
from transforms.canonical.model import ArraysByLayer
from transforms.rebuild import RebuiltModel
from transforms.rebuild.eager_tensors import eager_tensor
from transforms.records.signature import NO_SIGNATURE, ModelSignature
from transforms.saved_model.file_names import FINGERPRINT, GRAPH, METADATA, VARIABLES
from transforms.saved_model.variables import OBJECT_GRAPH, constant_text, keys_in_order, reached
from transforms.saved_model.writer import disk_errors, write_fingerprint_like

#: Number of cached templates: each holds a graph of some 100 KB to a few MB.
_KEPT = 64


@dataclass(frozen=True)
class Slot:
    """The place of a canonical array: its checkpoint key and TensorFlow dtype name, layer path and role."""

    key: str
    dtype: str
    path: LayerPath
    role: str


@dataclass(frozen=True)
class Template:
    """A written SavedModel without its values.

    Attributes:
        graph, metadata: the bytes of `saved_model.pb` and `keras_metadata.pb`.
        fingerprint: the bytes of `fingerprint.pb`; all but the part about variables/ is valid for others too.
        object_graph: the checkpoint's own description of its keys.
        slots: all variables, in the order of a full save.
        input_names, output_names: of the signature.
        tensorflow_min: the oldest release of TensorFlow that loads the graph.
        signature: how inputs and outputs are called.
    """

    graph: bytes
    metadata: bytes
    fingerprint: bytes
    object_graph: bytes
    slots: tuple[Slot, ...]
    input_names: tuple[str, ...]
    output_names: tuple[str, ...]
    tensorflow_min: str = ""
    signature: ModelSignature = NO_SIGNATURE


class TemplateCache:
    """A cache of the most recently used templates, by architecture fingerprint."""

    def __init__(self) -> None:
        self._templates: OrderedDict[str, Template] = OrderedDict()

    def get(self, fingerprint: str) -> Template | None:
        """The cached template of an architecture, if any."""
        template = self._templates.get(fingerprint)
        if template is not None:
            self._templates.move_to_end(fingerprint)
        return template

    def put(self, fingerprint: str, template: Template) -> None:
        """Caches a template, and evicts the least recently used one."""
        self._templates[fingerprint] = template
        self._templates.move_to_end(fingerprint)
        while len(self._templates) > _KEPT:
            self._templates.popitem(last=False)


def learn_template(model: RebuiltModel, folder: Path) -> Template | None:
    """Makes a template from a fully written SavedModel.

    Returns:
        None if a checkpoint key does not lead to exactly one of the variables of the canonical arrays: such an
            architecture is written in full each time.
    """
    reader = tf.train.load_checkpoint(str(folder / VARIABLES))
    object_graph = reader.get_tensor(OBJECT_GRAPH)
    keys = keys_in_order(object_graph)
    places = {id(variable): (path, role) for (path, role), variable in model.variables.items()}
    found = [places.get(id(reached(model.keras_model, key))) for key in keys]
    dtypes = reader.get_variable_to_dtype_map()
    slots = tuple(Slot(key, dtypes[key].name, *place) for key, place in zip(keys, found, strict=True) if place)
    if len(slots) != len(keys) or len(set(found)) != len(places) or set(keys) != set(dtypes) - {OBJECT_GRAPH}:
        return None
    return Template(
        (folder / GRAPH).read_bytes(),
        (folder / METADATA).read_bytes(),
        (folder / FINGERPRINT).read_bytes(),
        object_graph,
        slots,
        model.input_names,
        model.output_names,
    )


def write_from_template(template: Template, arrays: ArraysByLayer, folder: Path) -> None:
    """Writes a SavedModel with the template's graph and these arrays into an existing, empty folder.

    Args:
        template: of the same architecture fingerprint.
        arrays: in canonical layout; all are in memory while the checkpoint is written.
        folder: receives the files.

    Raises:
        MigrationError: `nonfinite_weights`, `weights_mismatch`, on reading an array.
        OSError: the files cannot be written.
    """
    (folder / "variables").mkdir()
    (folder / "assets").mkdir()
    (folder / GRAPH).write_bytes(template.graph)
    (folder / METADATA).write_bytes(template.metadata)
    write_variables(template.slots, template.object_graph, arrays, folder / VARIABLES)
    write_fingerprint_like(template.fingerprint, folder)


def write_variables(slots: tuple[Slot, ...], object_graph: bytes, arrays: ArraysByLayer, prefix: Path) -> None:
    """Writes one checkpoint of one shard, like a full save. Raises as `write_from_template`."""
    write_tensors(prefix, {**{slot.key: _tensor(arrays, slot) for slot in slots}, OBJECT_GRAPH: object_graph})


def write_tensors(prefix: Path, tensors: Mapping[str, Any]) -> None:
    """Writes one checkpoint of one shard: tensors or bytes, in this order. Raises OSError if it cannot be written."""
    shard = f"{prefix}_part-00000-of-00001"
    with disk_errors():
        tf.raw_ops.SaveV2(
            prefix=shard,
            tensor_names=constant_text(tuple(tensors)),
            shape_and_slices=constant_text(("",) * len(tensors)),
            tensors=[constant_text(each) if isinstance(each, bytes) else each for each in tensors.values()],
        )
        tf.raw_ops.MergeV2Checkpoints(
            checkpoint_prefixes=[shard], destination_prefix=str(prefix), delete_old_dirs=False
        )


def _tensor(arrays: Mapping[LayerPath, Mapping[str, Any]], slot: Slot) -> tf.Tensor:
    return eager_tensor(arrays[slot.path][slot.role].read(), tf.as_dtype(slot.dtype))
