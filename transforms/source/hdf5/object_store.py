"""Reads `.weights.h5` files: arrays of nested objects, each under the path of attributes that leads to it.

Written by `Model.save_weights` of Keras 3 and of tf.keras since 2.12 (`H5IOStore` in keras/src/saving/saving_lib.py):
`layers/dense_1/vars/0` is the first array of the second Dense, in creation order. Later releases of Keras 3 store the
name of an object beside its arrays.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import h5py
from h5py import h5g

from transforms.limits import Limits, over_budget
from transforms.source.hdf5.aliases import StorageMap
from transforms.source.hdf5.file import hdf5_errors
from transforms.source.hdf5.objects import HDF5Array, array_at, group_at, has_group, text_attribute

#: Names of the group of a model's layers; the second in tf.keras 2.12 to 2.14.
CONTAINERS = ("layers", "_layer_checkpoint_dependencies")
#: The group of an object's own arrays.
_VARIABLES = "vars"


@dataclass(frozen=True)
class ObjectStore:
    """The arrays of a model's layers in a `.weights.h5` file.

    Attributes:
        container: the group of the layers in a model, of the outermost one and of those in it.
        arrays: by path of their object, e.g. `layers/lstm/cell`, in order.
        names: of the objects by path, if the file stores them.
    """

    container: str
    arrays: Mapping[str, tuple[HDF5Array, ...]]
    names: Mapping[str, str]


def is_object_store(file: h5py.File) -> bool:
    """Whether the file is a `.weights.h5` file, from the names of the groups at the root."""
    return any(has_group(file, name) for name in CONTAINERS)


@hdf5_errors()
def read_object_store(file: h5py.File, limits: Limits) -> ObjectStore:
    """The arrays of all layers, unread.

    Raises:
        MigrationError: `unsafe_storage` for links and objects that share their place in the file, `over_budget`, and
            the errors of `array_at`.
    """
    container = next(name for name in CONTAINERS if has_group(file, name))
    arrays: dict[str, tuple[HDF5Array, ...]] = {}
    names: dict[str, str] = {}
    places, pending, count = StorageMap(), [container], 0
    while pending:
        path = pending.pop()
        group = group_at(file, path)
        places.add_object(path, group)
        for child in _children(group, limits):
            if child == _VARIABLES:
                held = group_at(file, f"{path}/{child}")
                name = text_attribute(held, "name", limits)
                names |= {path: name} if name else {}
                arrays[path] = tuple(array_at(file, f"{path}/{child}/{key}", limits) for key in _numbers(held, limits))
                for array in arrays[path]:
                    places.add_array(array)
            elif has_group(group, child):
                pending.append(f"{path}/{child}")
            count += 1
            if count > limits.attribute_items:
                raise over_budget(f"The file holds {count:,} groups", "attribute_items", limits)
    places.refuse_overlaps()
    return ObjectStore(container, {path: held for path, held in arrays.items() if held}, names)


def _children(group: h5py.Group, limits: Limits) -> list[str]:
    if group.id.get_num_objs() > limits.attribute_items:
        raise over_budget(f"{group.name} holds {group.id.get_num_objs():,} entries", "attribute_items", limits)
    return list(group)


def _numbers(group: h5py.Group, limits: Limits) -> list[str]:
    """The names of arrays in order: numbers in all but a few classes, which name them."""
    assert isinstance(group.id, h5g.GroupID)
    return sorted(_children(group, limits), key=lambda name: (not name.isdigit(), int(name) if name.isdigit() else 0))
