"""Writes a rebuilt model as one SavedModel with one traced signature, and opens it again.

The signature is traced once; `serve` and `__call__` are thin functions around the same trace, and the Keras metadata is
written without traces of its own, so that `tf_keras.models.load_model` rebuilds the layers from their configs.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from transforms.rebuild import RebuiltModel
from transforms.signature_names import rename_arguments, traceable_names

SIGNATURE = "serving_default"
Array = npt.NDArray[Any]


@dataclass(frozen=True)
class InputSpec:
    """One input of a signature: name, shape with None for a free axis, NumPy dtype name."""

    name: str
    shape: tuple[int | None, ...]
    dtype: str


def write_saved_model(model: RebuiltModel, folder: Path) -> None:
    """Writes the SavedModel into an existing, empty folder. Raises OSError when the disk refuses."""
    keras_model = model.keras_model
    traced_names = traceable_names(model.input_names)
    specs = [
        tf.TensorSpec(tensor.shape, tensor.dtype, name=name)
        for name, tensor in zip(traced_names, keras_model.inputs, strict=True)
    ]
    output_names = model.output_names

    def serving_default(*inputs: Any) -> dict[str, Any]:
        outputs = keras_model(inputs[0] if len(inputs) == 1 else list(inputs), training=False)
        return dict(zip(output_names, tf.nest.flatten(outputs), strict=True))

    traced = tf.function(serving_default, input_signature=specs).get_concrete_function()

    def serve(*inputs: Any) -> Any:
        outputs = traced(*inputs)
        return outputs[output_names[0]] if len(output_names) == 1 else [outputs[name] for name in output_names]

    keras_model.serve = tf.function(serve, input_signature=specs)
    vars(keras_model)["__call__"] = keras_model.serve  # tracked under this name, it makes the loaded object callable
    with _quiet():
        keras_model.save(
            str(folder), save_format="tf", include_optimizer=False, save_traces=False, signatures={SIGNATURE: traced}
        )
    renamed = {old: new for old, new in zip(traced_names, model.input_names, strict=True) if old != new}
    if renamed:
        rename_arguments(folder, SIGNATURE, renamed)


class LoadedArtefact:
    """A SavedModel as a server sees it: the signature, and nothing of the model it came from."""

    def __init__(self, folder: Path) -> None:
        with _quiet():
            self._loaded = tf.saved_model.load(str(folder))
        self._signature = self._loaded.signatures[SIGNATURE]
        self.inputs = tuple(
            InputSpec(name, tuple(spec.shape.as_list()), spec.dtype.as_numpy_dtype.__name__)
            for name, spec in self._signature.structured_input_signature[1].items()
        )

    def run(self, inputs: Mapping[str, Array]) -> dict[str, Array]:
        """Outputs by name. `inputs` are cast to the signature's dtypes.

        Raises ValueError when TensorFlow cannot run the signature on these inputs.
        """
        feed = {
            spec.name: tf.constant(np.asarray(inputs[spec.name]).astype(spec.dtype, copy=False)) for spec in self.inputs
        }
        try:
            return {name: value.numpy() for name, value in self._signature(**feed).items()}
        except tf.errors.OpError as error:
            raise ValueError(f"{type(error).__name__}: {' '.join(str(error.message).split())[:300]}") from error


class _quiet:
    """Keeps TensorFlow's advice about uncompiled metrics and traces out of the operator's terminal."""

    def __enter__(self) -> None:
        self._logger = logging.getLogger("tensorflow")
        self._level = self._logger.level
        self._logger.setLevel(logging.ERROR)

    def __exit__(self, *_: object) -> None:
        self._logger.setLevel(self._level)
