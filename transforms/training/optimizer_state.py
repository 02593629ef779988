"""Reads the optimizer of a legacy file as data: class, options, number of steps, slots by parameter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from transforms.errors import MigrationError
from transforms.legacy.admitted_graph import roles_of_runtime
from transforms.legacy.model import LegacyModel
from transforms.records.runtime import Family, Runtime
from transforms.training.optimizers import (
    EPSILON,
    FIRST,
    THIRD,
    Arrangement,
    Generation,
    arrangement,
    class_and_generation,
    conflicting_clips,
    nadam_product,
    order_of,
    unused_slots,
)
from transforms.weights.slots import ArraySlot, array_slots

Array = npt.NDArray[Any]

_SCHEDULES = frozenset(
    "ExponentialDecay PiecewiseConstantDecay PolynomialDecay InverseTimeDecay CosineDecay CosineDecayRestarts".split()
)


class NotKept(Exception):
    """An optimizer, or its state, cannot be migrated: one sentence for the report."""


@dataclass(frozen=True)
class OptimizerState:
    """An optimizer of tf-keras and its state.

    Attributes:
        class_name, is_legacy: the class, in `tf_keras.optimizers` or its `legacy`.
        config: options of its constructor.
        groups: arrangement of its slots.
        iterations: number of steps made.
        slots: by name, one array for each parameter, in the layout of the file; empty if the state is lost.
        parameters: the arrays it trained, in the order of the slots.
        momentum_product: of Nadam's schedule.
        warnings: parts that could not be migrated.
    """

    class_name: str
    is_legacy: bool
    config: Mapping[str, Any]
    groups: Arrangement
    iterations: int
    slots: Mapping[str, Sequence[Array]]
    parameters: tuple[ArraySlot, ...]
    momentum_product: float | None = None
    warnings: tuple[str, ...] = ()


def trained_parameters(legacy: LegacyModel) -> tuple[ArraySlot, ...]:
    """The parameters that the legacy runtime trained, in the order of its optimizer.

    That is the order of `trainable_weights`, layer by layer as each was created; before Keras 2.0.6 the order of their
    names (`Model.compile` in keras/engine/training.py, 2.0.5 and 2.0.6).
    """
    roles = roles_of_runtime(legacy.runtime)
    slots = [slot for layer in legacy.graph.stored_layers for slot in array_slots(layer, roles)]
    trained = [slot for slot in slots if slot.trainable]
    if legacy.runtime.family is Family.KERAS and legacy.runtime.version < (2, 0, 6):
        trained.sort(key=lambda slot: legacy.arrays[slot.path][slot.role.name].name)
    return tuple(trained)


def optimizer_state(legacy: LegacyModel) -> OptimizerState:
    """The optimizer in the file. Raises NotKept if tf-keras cannot continue it."""
    stored = (legacy.training_config or {}).get("optimizer_config")
    if not isinstance(stored, Mapping) or not isinstance(stored.get("config"), Mapping):
        raise NotKept("The file records no optimizer")
    if legacy.runtime.family is Family.KERAS_3:
        raise NotKept("The optimizers of Keras 3 are not migrated")
    config, stated = stored["config"], str(stored.get("class_name"))
    class_name, generation = class_and_generation(stated, config, _knew_first_only(legacy.runtime, config))
    if class_name not in generation.options:
        raise NotKept(f"The optimizer {stated!r} is not known")
    options = _options(class_name, config, generation, legacy.runtime)
    groups = arrangement(class_name, options, generation)
    parameters = trained_parameters(legacy)
    warnings: list[str] = []
    scalars: list[float] = []
    slots: Mapping[str, Sequence[Array]] = {}
    try:
        unused = unused_slots(class_name, options) if generation is FIRST else ()
        scalars, slots = _read_slots(legacy, [groups + unused, groups], parameters)
    except NotKept as lost:
        warnings.append(f"{lost}; the optimizer {class_name} begins anew.")
    if not scalars and not warnings and (options.get("decay") or class_name == "Nadam"):
        warnings.append(f"The file does not say how many steps {class_name} made: its schedule begins anew.")
    iterations = int(scalars[0]) if scalars else 0
    product = None
    if class_name == "Nadam":
        product, lost_product = _product(options, config, generation, iterations, scalars)
        warnings.extend(lost_product)
    return OptimizerState(
        class_name=class_name,
        is_legacy=generation.is_legacy,
        config={name: value for name, value in options.items() if name != "schedule_decay"},
        groups=groups,
        iterations=iterations,
        slots=slots,
        parameters=parameters,
        momentum_product=product,
        warnings=tuple(warnings),
    )


def _knew_first_only(runtime: Runtime, config: Mapping[str, Any]) -> bool:
    """True for standalone Keras, and tf.keras up to 1.13: their options have no `name`; those of the next generation
    do.
    """
    return runtime.family is Family.KERAS or "name" not in config


def _options(class_name: str, config: Mapping[str, Any], generation: Generation, runtime: Runtime) -> dict[str, Any]:
    """Options of tf-keras's constructor, from those stored. Raises NotKept."""
    options: dict[str, Any] = {"learning_rate": _rate(config.get("learning_rate", config.get("lr")))}
    for name in generation.options[class_name]:
        if name in config:
            value = EPSILON if name == "epsilon" and config[name] is None else config[name]
            if not isinstance(value, (int, float, type(None))):
                raise NotKept(f"The optimizer {class_name} has the option {name} = {str(value)[:40]!r}")
            options[name] = value
    if generation is FIRST and class_name == "Adagrad":
        options["initial_accumulator_value"] = 0.0
    if config.get("use_ema"):
        raise NotKept(f"The optimizer {class_name} averages the weights (use_ema), which is not carried over")
    if conflicting_clips(config, generation.clipping):
        raise NotKept(f"The optimizer {class_name} clips gradients in two ways")
    for name in generation.clipping:
        if config.get(name):
            # Standalone Keras scales by the norm of all gradients (`Optimizer.get_gradients`), tf.keras by each one's.
            joint = name == "clipnorm" and runtime.family is Family.KERAS
            options["global_clipnorm" if joint else name] = float(config[name])
    return options


def _rate(value: Any) -> Any:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return float(value)
    config = value.get("config") if isinstance(value, Mapping) else None
    if isinstance(config, Mapping) and value.get("class_name") in _SCHEDULES and all(map(_is_plain, config.values())):
        return {"class_name": value["class_name"], "config": dict(config)}
    raise NotKept("The learning rate is neither a number nor a schedule of Keras's own")


def _is_plain(value: Any) -> bool:
    return isinstance(value, (int, float, str, list, type(None)))


def _product(
    options: dict[str, Any], config: Mapping[str, Any], generation: Generation, steps: int, scalars: Sequence[float]
) -> tuple[float | None, list[str]]:
    """The product of Nadam's schedule, stored or computed. tf-keras uses 0.004 for the schedule's decay, whatever is
    stored; and from TensorFlow 2.11 on the product depends on tracing, and no file stores it.
    """
    if generation is THIRD:
        return None, ["Nadam keeps a product of its schedule that the file lacks: its next steps differ a little."]
    schedule_decay = float(config.get("schedule_decay", config.get("decay", 0.004)) or 0.0)
    options.pop("decay", None)
    if abs(schedule_decay - 0.004) > 1e-6:
        raise NotKept(f"Nadam has a schedule_decay of {schedule_decay:g}, which tf-keras cannot take")
    if len(scalars) > 1:
        return scalars[1], []
    return nadam_product(float(options.get("beta_1", 0.9)), schedule_decay, steps), []


def _read_slots(
    legacy: LegacyModel, candidates: Sequence[Arrangement], parameters: Sequence[ArraySlot]
) -> tuple[list[float], Mapping[str, Sequence[Array]]]:
    """Leading numbers, and slots by name. Raises NotKept if number or shapes differ from those of the parameters."""
    stored = legacy.optimizer_arrays
    if not stored and order_of(candidates[-1], 1):
        raise NotKept("The file holds no readable arrays of the optimizer")
    if stored and not legacy.runtime.recorded:
        raise NotKept("The file does not say which Keras wrote it, which decides the order of the optimizer's arrays")
    shapes = [legacy.arrays[slot.path][slot.role.name].shape for slot in parameters]
    for groups in candidates:
        order = order_of(groups, len(parameters))
        leading = len(stored) - len(order)
        behind = stored[leading:] if leading >= 0 else ()
        if (
            0 <= leading <= 2
            and all(array.shape == () for array in stored[:leading])
            and all(_fits(slot, array.shape, shapes[i]) for (slot, i), array in zip(order, behind, strict=True))
        ):
            return _values(stored, leading, order)
    raise NotKept(
        f"The file holds {len(stored)} arrays of the optimizer, which do not fit the {len(parameters)} arrays that "
        "it trained"
    )


def _fits(slot: str, shape: tuple[int, ...], parameter: tuple[int, ...]) -> bool:
    return shape == parameter or (slot.startswith("*") and shape == (1,))


def _values(
    stored: Sequence[Any], leading: int, order: Sequence[tuple[str, int]]
) -> tuple[list[float], Mapping[str, Sequence[Array]]]:
    slots: dict[str, list[Array]] = {}
    try:
        values = [np.asarray(array.read()) for array in stored]
    except MigrationError as error:
        raise NotKept(f"The optimizer's arrays cannot be read ({error.message})") from error
    if not all(np.isfinite(value).all() for value in values):
        raise NotKept("The optimizer's arrays hold NaN or infinity")
    for (slot, _), value in zip(order, values[leading:], strict=True):
        if not slot.endswith("unused"):
            slots.setdefault(slot, []).append(value)
    return [float(value) for value in values[:leading]], slots
