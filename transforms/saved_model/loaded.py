"""A loaded SavedModel, as used by a server."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy.typing as npt
import tensorflow as tf

from transforms.records.staged_model import text_as_bytes
from transforms.saved_model.file_names import VARIABLES
from transforms.saved_model.variables import WrittenVariables
from transforms.saved_model.writer import SIGNATURE, quiet_tensorflow

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class InputSpec:
    """One input of a signature: name, shape with None for a free axis, NumPy dtype name (`bytes` for text)."""

    name: str
    shape: tuple[int | None, ...]
    dtype: str


def _spec(name: str, shape: tf.TensorShape, dtype: tf.DType) -> InputSpec:
    return InputSpec(name, tuple(shape.as_list()), "bytes" if dtype == tf.string else dtype.as_numpy_dtype.__name__)


def stated_inputs(meta_graph: Any) -> tuple[InputSpec, ...]:
    """The inputs of the signature from a MetaGraphDef, before anything is loaded."""
    stated = meta_graph.signature_def[SIGNATURE].inputs.items()
    return tuple(_spec(name, tf.TensorShape(info.tensor_shape), tf.as_dtype(info.dtype)) for name, info in stated)


def keep_functions_as_written() -> None:
    """Prevents TensorFlow from exchanging functions in this process, irrevocably: the functions named in the graph run.

    Grappler's implementation selector calls another function with the same `api_implements`. Only for processes that
    write no artefacts, because the option would be recorded in traced functions.
    """
    tf.config.optimizer.set_experimental_options({"implementation_selector": False})


class LoadedArtefact:
    """The signature of a loaded SavedModel, independent of the model it came from."""

    def __init__(self, folder: Path) -> None:
        with quiet_tensorflow():
            self._loaded = tf.saved_model.load(str(folder))
        self._signature = self._loaded.signatures[SIGNATURE]
        self._variables = WrittenVariables.of(self._loaded, folder / VARIABLES, self._signature.variables)
        self.inputs = tuple(
            _spec(name, spec.shape, spec.dtype) for name, spec in self._signature.structured_input_signature[1].items()
        )

    @property
    def variable_bytes(self) -> int:
        """Bytes of the variables that the signature reads."""
        return sum(variable.dtype.size * variable.shape.num_elements() for variable in self._signature.variables)

    def restore(self, folder: Path) -> None:
        """Loads the variables of another artefact with the same graph from its folder.

        Raises ValueError if the folder lacks any variable.
        """
        if self._variables is not None and self._variables.read(folder / VARIABLES):
            return
        try:
            checkpoint = tf.train.Checkpoint(self._loaded)
            checkpoint.read(str(folder / VARIABLES)).assert_existing_objects_matched()
        except (tf.errors.OpError, AssertionError) as error:
            raise ValueError(f"The variables cannot be restored: {' '.join(str(error).split())[:300]}") from error

    def run(self, inputs: Mapping[str, Array]) -> dict[str, Array]:
        """Outputs by name. `inputs` are cast to the signature's dtypes.

        Raises ValueError if TensorFlow cannot run the signature on these inputs.
        """
        feed = {
            spec.name: tf.constant(text_as_bytes(inputs[spec.name]).astype(spec.dtype, copy=False))
            for spec in self.inputs
        }
        try:
            return {name: text_as_bytes(value.numpy()) for name, value in self._signature(**feed).items()}
        except tf.errors.OpError as error:
            raise ValueError(f"{type(error).__name__}: {' '.join(str(error.message).split())[:300]}") from error
