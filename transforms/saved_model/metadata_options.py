"""`keras_metadata.pb` without the options that older releases do not know, where they say nothing.

`load_model` builds each layer from its config, and a class refuses an option that its release did not have yet:
`optional` of InputLayer, `softmax_robust_masking` of MultiHeadAttention. Where such an option has its default, which is
how releases without it behave, it is not written.
"""

from __future__ import annotations

import functools
import inspect
import json
from collections.abc import Mapping
from typing import Any

import tf_keras
from tf_keras.protobuf.saved_metadata_pb2 import SavedMetadata

from transforms.records.runtime import Family
from transforms.releases.table import GENERAL_OPTIONS, ClassFacts, family_facts

#: Keras saves and loads SavedModels in this format from here on.
_OLDEST = (2, 4)
_NO_DEFAULT = inspect.Parameter.empty


def without_young_options(metadata: SavedMetadata) -> SavedMetadata:
    """Removes options of layers, in place, that a release since TensorFlow 2.4 lacks and that hold their default."""
    for node in metadata.nodes:
        stored = json.loads(node.metadata)
        kept = _kept(stored)
        if kept != stored:
            node.metadata = json.dumps(kept)
    return metadata


def _kept(value: Any) -> Any:
    """A JSON value; wherever it names a class with its config, without young options."""
    if isinstance(value, list):
        return [_kept(each) for each in value]
    if not isinstance(value, dict):
        return value
    kept = {key: _kept(each) for key, each in value.items()}
    config, class_name = kept.get("config"), kept.get("class_name")
    if isinstance(config, dict) and isinstance(class_name, str):
        kept["config"] = {key: each for key, each in config.items() if not _says_nothing(class_name, key, each)}
    return kept


def _says_nothing(class_name: str, option: str, value: Any) -> bool:
    runs = [run for run in family_facts(Family.TF_KERAS).classes.get(class_name, ()) if run.until >= _OLDEST]
    if not runs or option in GENERAL_OPTIONS or all(_knows(run, option) for run in runs):
        return False
    changed = any(run.defaults.get(option, value) != value for run in runs)
    default = _defaults(class_name).get(option, _NO_DEFAULT)
    return default is not _NO_DEFAULT and type(default) is type(value) and default == value and not changed


def _knows(run: ClassFacts, option: str) -> bool:
    return option in run.stores or option in run.takes


@functools.cache
def _defaults(class_name: str) -> Mapping[str, Any]:
    """The defaults of a class's constructor, and of those that it hands on to."""
    found: dict[str, Any] = {}
    for each in getattr(tf_keras.layers, class_name, object).__mro__:
        if "__init__" in vars(each) and each.__module__.startswith("tf_keras"):
            parameters = inspect.signature(vars(each)["__init__"]).parameters
            found = {name: parameter.default for name, parameter in parameters.items()} | found
    return found
