"""The Keras that wrote a file, which determines the meaning of its layers."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum


class Family(StrEnum):
    """The code base whose semantics a file has."""

    KERAS = "keras"
    TF_KERAS = "tf_keras"
    KERAS_3 = "keras_3"


#: Display names of the families.
FAMILY_NAMES = {Family.KERAS: "Keras", Family.TF_KERAS: "tf.keras", Family.KERAS_3: "Keras 3"}


@dataclass(frozen=True)
class Runtime:
    """The runtime that wrote a model.

    Attributes:
        family: standalone Keras (0.3 to 2.3.1), tf.keras (TensorFlow 1.x and 2.x) or Keras 3.
        version: the recorded version as integers, e.g. (2, 2, 4); (1, 0, 0) when a file records none.
        backend: `tensorflow`, `theano`, `cntk`, or "" if not recorded.
        recorded: the `keras_version` attribute as stored, "" if missing.
        release: the release of TensorFlow assumed to have written the file, among those that record the version; empty
            for all candidates.
    """

    family: Family
    version: tuple[int, ...]
    backend: str
    recorded: str
    release: tuple[int, ...] = ()

    @property
    def is_keras_1(self) -> bool:
        """True for standalone Keras before 2.0."""
        return self.family is Family.KERAS and self.version < (2,)

    @property
    def generation(self) -> str:
        """The family, for standalone Keras with its major version: "Keras 1", "Keras 2", "tf.keras", "Keras 3"."""
        name = FAMILY_NAMES[self.family]
        return f"{name} {1 if self.is_keras_1 else 2}" if self.family is Family.KERAS else name


def runtime_of(keras_version: str, backend: str) -> Runtime:
    """Reads `keras_version` ("2.2.4", "2.2.4-tf", "2.15.0", "3.1.1") and `backend` attributes.

    tf.keras of TensorFlow 1.x and 2.0-2.2 writes a "-tf" suffix; from TensorFlow 2.3 on it writes the Keras
    version without one ("2.4.0" upwards). Standalone Keras ended with 2.3.1, so 2.4 and later is always tf.keras.
    """
    numbers = tuple(int(part) for part in re.findall(r"\d+", keras_version.split("-")[0])[:3])
    version = numbers or (1, 0, 0)
    if keras_version.endswith("-tf") or (2, 4) <= version < (3,):
        family = Family.TF_KERAS
    elif version >= (3,):
        family = Family.KERAS_3
    else:
        family = Family.KERAS
    return Runtime(family=family, version=version, backend=backend, recorded=keras_version)
