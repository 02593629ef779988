"""The arrays of leaf layers of Keras 2, tf.keras and Keras 3, in the order in which Keras creates them."""

from __future__ import annotations

from transforms.architecture.config_values import activation_layer
from transforms.architecture.function_signatures import FUNCTION_CLASSES
from transforms.architecture.keras_3 import KERAS_3_CLASSES
from transforms.layer_specs.registry import SPECS
from transforms.layer_specs.spec import Config, Role, Roles


def roles_of(class_name: str, config: Config) -> Roles:
    """The arrays of a leaf layer in Keras creation order; empty for layers without weights.

    Raises KeyError for an unknown class.
    """
    if class_name in FUNCTION_CLASSES:
        return ()
    roles = SPECS[class_name].roles
    if roles is None:
        raise KeyError(class_name)
    return (*roles(config), *_of_activations(config))


def _of_activations(config: Config) -> Roles:
    """A PReLU as activation is a layer inside the layer, tracked after the layer's own arrays."""
    for option in ("activation", "recurrent_activation"):
        found = activation_layer(config.get(option))
        if found is not None and found[0] == "PReLU":
            return (Role("alpha"),)
    return ()


def keras_3_roles_of(class_name: str, config: Config) -> Roles:
    """The same for Keras 3, whose graphs also contain operations."""
    return () if class_name in KERAS_3_CLASSES else roles_of(class_name, config)
