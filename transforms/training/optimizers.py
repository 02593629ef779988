"""Names, options and slots of each optimizer of each generation.

Three generations wrote files. The optimizers of Keras 1 and 2 and of tf.keras 1.13 (`keras/optimizers.py`), and those
of tf.keras 1.14 to 2.10 (`optimizer_v2`, which also lives on as `legacy` from 2.11 on), compute the same steps: both
continue as tf-keras's legacy optimizers. Those of tf.keras 2.11 on continue as tf-keras's own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

#: Groups of slots in a file: within a group the slots of one parameter are adjacent.
Arrangement = tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Generation:
    """One generation of optimizers.

    Attributes:
        is_legacy: whether tf-keras continues it as `tf_keras.optimizers.legacy`.
        options: by class, those that determine a step, besides the learning rate.
        clipping: options that clip gradients.
    """

    is_legacy: bool
    options: Mapping[str, tuple[str, ...]]
    clipping: tuple[str, ...]


_FIRST = {
    "SGD": ("momentum", "nesterov", "decay"),
    "RMSprop": ("rho", "epsilon", "decay"),
    "Adagrad": ("epsilon", "decay"),
    "Adadelta": ("rho", "epsilon", "decay"),
    "Adam": ("beta_1", "beta_2", "epsilon", "decay", "amsgrad"),
    "Adamax": ("beta_1", "beta_2", "epsilon", "decay"),
    "Nadam": ("beta_1", "beta_2", "epsilon", "schedule_decay"),
}
_SECOND = {
    **_FIRST,
    "RMSprop": ("rho", "momentum", "epsilon", "centered", "decay"),
    "Adagrad": ("initial_accumulator_value", "epsilon", "decay"),
    "Nadam": ("beta_1", "beta_2", "epsilon", "decay"),
    "Ftrl": (
        *("learning_rate_power", "initial_accumulator_value", "l1_regularization_strength"),
        *("l2_regularization_strength", "l2_shrinkage_regularization_strength", "beta", "decay"),
    ),
}
_THIRD = {
    "SGD": ("momentum", "nesterov", "weight_decay"),
    "RMSprop": ("rho", "momentum", "epsilon", "centered", "weight_decay"),
    "Adagrad": ("initial_accumulator_value", "epsilon", "weight_decay"),
    "Adadelta": ("rho", "epsilon", "weight_decay"),
    **dict.fromkeys(("Adam", "AdamW"), ("beta_1", "beta_2", "epsilon", "amsgrad", "weight_decay")),
    **dict.fromkeys(("Adamax", "Nadam"), ("beta_1", "beta_2", "epsilon", "weight_decay")),
    "Ftrl": _SECOND["Ftrl"][:-1],
    "Lion": ("beta_1", "beta_2", "weight_decay"),
}

FIRST = Generation(True, _FIRST, ("clipnorm", "clipvalue"))
SECOND = Generation(True, _SECOND, ("clipnorm", "clipvalue", "global_clipnorm"))
THIRD = Generation(False, _THIRD, ("clipnorm", "clipvalue", "global_clipnorm"))

#: `K.epsilon()`, the meaning of an option None.
EPSILON = 1e-7


def arrangement(class_name: str, config: Mapping[str, Any], generation: Generation) -> Arrangement:
    """The slots of tf-keras's optimizer of this class, in the order of a file."""
    momentum = ("momentum",) if config.get("momentum") else ()
    if not generation.is_legacy:
        return _arrangement_of_third(class_name, config, bool(momentum))
    slots: Mapping[str, tuple[str, ...]] = {
        "SGD": momentum,
        "RMSprop": ("rms", *momentum, *(("mg",) if config.get("centered") else ())),
        "Adagrad": ("accumulator",),
        "Adadelta": ("accum_grad", "accum_var"),
        "Adam": ("m", "v", *(("vhat",) if config.get("amsgrad") else ())),
        "Adamax": ("m", "v"),
        "Nadam": ("m", "v"),
        "Ftrl": ("accumulator", "linear"),
    }
    return tuple((slot,) for slot in slots[class_name])


def _arrangement_of_third(class_name: str, config: Mapping[str, Any], momentum: bool) -> Arrangement:
    hats: Arrangement = (("vhat",),) if config.get("amsgrad") else ()
    centered: Arrangement = (("average_gradient",),) if config.get("centered") else ()
    groups: Mapping[str, Arrangement] = {
        "SGD": (("m",),),
        "RMSprop": (("velocity",), *((("momentum",),) if momentum else ()), *centered),
        "Adagrad": (("accumulator",),),
        "Adadelta": (("accumulated_grad", "accumulated_delta_var"),),
        **dict.fromkeys(("Adam", "AdamW"), (("m", "v"), *hats)),
        "Adamax": (("m", "u"),),
        "Nadam": (("m", "v"),),
        "Ftrl": (("accumulator", "linear"),),
        "Lion": (("m",),),
    }
    return groups[class_name]


def unused_slots(class_name: str, config: Mapping[str, Any]) -> Arrangement:
    """Slots that the first generation stores even if unused; `*` marks those of one number each."""
    if class_name == "SGD" and not config.get("momentum"):
        return (("unused",),)
    if class_name == "Adam" and not config.get("amsgrad"):
        return (("*unused",),)
    return ()


def order_of(groups: Arrangement, parameters: int) -> list[tuple[str, int]]:
    """(slot, number of the parameter) in the order of a file."""
    return [(slot, index) for group in groups for index in range(parameters) for slot in group]


def nadam_product(beta_1: float, schedule_decay: float, steps: int) -> float:
    """Product of Nadam's momentum schedule after some steps: beta_1 * (1 - 0.5 * 0.96^(t * schedule_decay)), t from 1.

    Keras before 2.3 does not store it (`Nadam.get_updates` in keras/optimizers.py, 2.2.4).
    """
    product = 1.0
    for step in range(1, steps + 1):
        product *= beta_1 * (1.0 - 0.5 * 0.96 ** (step * schedule_decay))
        if product < 1e-45:  # it is 0 in float32
            return 0.0
    return product


def class_and_generation(class_name: str, config: Mapping[str, Any], first: bool) -> tuple[str, Generation]:
    """The class in tf-keras, and the generation that wrote it; `first`: the runtime had only the first generation."""
    name = class_name.rpartition(">")[2]
    if first:
        return name, FIRST
    third = class_name.startswith("Custom>") or config.get("is_legacy_optimizer") is False
    return name, THIRD if third else SECOND


def conflicting_clips(config: Mapping[str, Any], names: Sequence[str]) -> bool:
    """True if several options clip gradients, which generations do in different orders."""
    return sum(bool(config.get(name)) for name in names) > 1
