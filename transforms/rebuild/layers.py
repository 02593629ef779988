"""Builds single tf-keras layers from canonical options, through an allowlist of classes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import tf_keras

from transforms.architecture.attention import CALL_OPTIONS
from transforms.architecture.custom_names import is_custom
from transforms.architecture.graph import Layer
from transforms.canonical.options import POLICY
from transforms.custom.code import CustomCode
from transforms.custom.layers import build_custom_layer, resolved_activations
from transforms.errors import MigrationError, Reason
from transforms.layer_specs.registry import CANONICAL, SPECS

#: Options that only some classes' constructors accept, and that have no effect with this value.
_SILENT_DEFAULTS: Mapping[str, Any] = {"time_major": False, "zero_output_for_mask": False, "keepdims": False}


def build_layer(layer: Layer, name: str, dtype: str, slots: Mapping[str, Any], custom: CustomCode | None = None) -> Any:
    """A tf-keras layer, not yet built.

    Args:
        layer: canonical layer; its config holds stated options only.
        name: a name that TensorFlow accepts as a scope.
        dtype: `float32` or `float64`.
        slots: tf-keras layers for the slots.
        custom: the operator's code, for marked layers and activations.

    Raises:
        MigrationError: `unsupported_layer` for a class outside the allowlist, `invalid_config` if tf-keras rejects an
            option, `custom_objects_needed` if custom code does.
    """
    if custom is not None and is_custom(layer.class_name):
        return build_custom_layer(custom, layer, name, dtype)
    if layer.class_name not in CANONICAL:
        raise MigrationError(Reason.UNSUPPORTED_LAYER, f"{layer.class_name} is not admitted", layer=layer.path)
    options = {
        key: value
        for key, value in layer.config.items()
        if key not in (*CALL_OPTIONS, POLICY) and (key not in _SILENT_DEFAULTS or value != _SILENT_DEFAULTS[key])
    }
    precision: Any = dtype
    if POLICY in layer.config:
        precision = tf_keras.mixed_precision.Policy(layer.config[POLICY])
    elif layer.config.get("output_mode") == "int":
        precision = "int64"
    # Arrays are assigned right after, so the cheapest initial values suffice.
    options.update(dict.fromkeys(SPECS[layer.class_name].initializers, "zeros"))
    options = {key: _activation_layer(value) for key, value in resolved_activations(custom, options).items()}
    constructor = getattr(tf_keras.layers, layer.class_name)
    try:
        return constructor(*_wrapped(layer, slots, options), name=name, dtype=precision, **options)
    except (TypeError, ValueError) as error:
        raise MigrationError(
            Reason.INVALID_CONFIG, f"tf-keras rejects the options of {layer.class_name}: {error}", layer=layer.path
        ) from error


def _activation_layer(value: Any) -> Any:
    """A tf-keras layer for an activation that is a layer; other values unchanged."""
    if not isinstance(value, Mapping) or set(value) != {"class_name", "config"}:
        return value
    return getattr(tf_keras.layers, value["class_name"])(**value["config"])


def _wrapped(layer: Layer, slots: Mapping[str, Any], options: dict[str, Any]) -> tuple[Any, ...]:
    """Positional constructor arguments: the wrapped layers."""
    if layer.class_name == "Bidirectional":
        options["backward_layer"] = slots["backward"]
        return (slots["forward"],)
    if layer.class_name == "StackedRNNCells":
        return ([slots[key] for key in sorted(slots, key=int)],)
    return tuple(slots.values())
