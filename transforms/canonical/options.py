"""The options that determine a layer's computation, each stated.

Only options of the layer's spec reach tf-keras. Initializers, regularizers and constraints do not: they only affect
training. A missing option gets the *legacy* default of the spec, so that a default that tf-keras changed (reset_after,
recurrent_activation) never applies.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from transforms.architecture.config_values import ACTIVATION_LAYERS, activation_layer, activation_name
from transforms.architecture.graph import LayerPath
from transforms.errors import MigrationError, Reason
from transforms.layer_specs.registry import SPECS
from transforms.layer_specs.spec import REQUIRED

#: Key of a layer's precision, if it differs from the model's.
POLICY = "policy"


def canonical_options(class_name: str, config: Mapping[str, Any], path: LayerPath) -> dict[str, Any]:
    """The options of a layer, each stated.

    Args:
        class_name: canonical class name.
        config: stored config.
        path: for messages.

    Raises:
        MigrationError: `invalid_config` when a required option is missing, `unsupported_layer` when the class
            has no table.
    """
    spec = SPECS.get(class_name)
    if spec is None or spec.options is None:
        raise MigrationError(
            Reason.UNSUPPORTED_LAYER,
            f"The class {class_name} cannot be rebuilt",
            layer=path,
            advice="Ask for support of this class.",
        )
    options = {}
    for name, default in spec.options.items():
        value = config.get(name)
        if value is None and not (name in config and name in spec.null_options):
            value = default
        if value is REQUIRED:
            raise MigrationError(Reason.INVALID_CONFIG, f"The {class_name} states no {name}", layer=path)
        options[name] = _activation(value, path) if name.endswith("activation") else value
    return options


_ACTIVATION_ALIASES = {"silu": "swish"}


def _activation(value: object, path: LayerPath) -> Any:
    """The name of a function, or a layer as `{"class_name", "config"}` with its own options stated."""
    found = activation_layer(value)
    if found is None:
        name = activation_name(value)
        return _ACTIVATION_ALIASES.get(name, name)
    class_name, config = found
    if class_name not in ACTIVATION_LAYERS:
        raise MigrationError(
            Reason.UNSUPPORTED_LAYER,
            f"The activation is a layer of the class {class_name}, which cannot be an activation",
            layer=path,
            advice="Save the model with the activation as a layer of its own.",
        )
    return {"class_name": class_name, "config": canonical_options(class_name, config, path)}
