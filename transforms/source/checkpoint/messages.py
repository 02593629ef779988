"""The protocol buffers inside a checkpoint, described here so that they can be parsed without TensorFlow.

Field numbers from tensorflow/core/protobuf/tensor_bundle.proto, trackable_object_graph.proto and
tensorflow/core/framework/{tensor_shape,tensor_slice,versions}.proto.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message, message_factory

from transforms.errors import MigrationError, Reason

_PACKAGE = "checkpoint"

#: Message -> field -> (number, type); "*" marks a repeated field.
_FIELDS: Mapping[str, Mapping[str, tuple[int, str]]] = {
    "Version": {"producer": (1, "int32"), "min_consumer": (2, "int32")},
    "BundleHeader": {"num_shards": (1, "int32"), "endianness": (2, "int32"), "version": (3, "Version")},
    "Dim": {"size": (1, "int64")},
    "Shape": {"dim": (2, "*Dim"), "unknown_rank": (3, "bool")},
    "Slice": {},
    "BundleEntry": {
        "dtype": (1, "int32"),
        "shape": (2, "Shape"),
        "shard_id": (3, "int32"),
        "offset": (4, "int64"),
        "size": (5, "int64"),
        "crc32c": (6, "fixed32"),
        "slices": (7, "*Slice"),
    },
    "Child": {"node_id": (1, "int32"), "local_name": (2, "string")},
    "Attribute": {"name": (1, "string"), "full_name": (2, "string"), "checkpoint_key": (3, "string")},
    "SlotVariable": {"slot_name": (2, "string"), "slot_variable_node_id": (3, "int32")},
    "Node": {"children": (1, "*Child"), "attributes": (2, "*Attribute"), "slot_variables": (3, "*SlotVariable")},
    "ObjectGraph": {"nodes": (1, "*Node")},
}


def parse(name: str, data: bytes) -> Any:
    """The message of that name. Raises MigrationError `corrupt_checkpoint`."""
    try:
        return MESSAGES[name].FromString(data)
    except message.DecodeError as error:
        raise MigrationError(
            Reason.CORRUPT_CHECKPOINT,
            f"The checkpoint holds a {name} that cannot be read",
            advice="The file is damaged: restore it from its origin.",
        ) from error


def _classes() -> dict[str, Any]:
    file = descriptor_pb2.FileDescriptorProto(name="checkpoint.proto", package=_PACKAGE, syntax="proto3")
    for name, fields in _FIELDS.items():
        described = file.message_type.add(name=name)
        for field, (number, stated) in fields.items():
            kind = stated.removeprefix("*")
            added = described.field.add(name=field, number=number)
            added.label = added.LABEL_REPEATED if stated.startswith("*") else added.LABEL_OPTIONAL
            if kind in _FIELDS:
                added.type, added.type_name = added.TYPE_MESSAGE, f".{_PACKAGE}.{kind}"
            else:
                added.type = getattr(added, f"TYPE_{kind.upper()}")
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return {name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{_PACKAGE}.{name}")) for name in _FIELDS}


MESSAGES = _classes()
