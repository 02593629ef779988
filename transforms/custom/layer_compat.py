"""Base classes and recurrent layers with their old interfaces, on tf-keras, for custom code to find in
`keras.layers`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import tensorflow as tf
import tf_keras
from tf_keras.src.layers.rnn import cudnn_gru, cudnn_lstm
from tf_keras.src.utils import tf_utils

from transforms.records.runtime import Family, Runtime

Tensor = Any


@dataclass(frozen=True)
class Era:
    """Differences from tf-keras of the Keras that the code was written for.

    Attributes:
        standalone: True for standalone Keras, whose `build` receives plain tuples, and where a variable is a weight
            only if it was declared as one.
        gates: default `recurrent_activation`: `hard_sigmoid` before Keras 2.3 and in tf.keras 1.x.
        reset_after: default of GRU: True only in tf.keras 2.x.
    """

    standalone: bool = True
    gates: str = "hard_sigmoid"
    reset_after: bool = False

    current: ClassVar[Era]

    @classmethod
    def of(cls, runtime: Runtime) -> Era:
        """The era of a runtime. For `2.2.4-tf`, which means TensorFlow 1.13 to 2.1, the defaults of 1.x are used."""
        standalone = runtime.family is Family.KERAS
        modern = runtime.version >= (2, 3)
        return cls(standalone, "sigmoid" if modern else "hard_sigmoid", modern and not standalone)


Era.current = Era()

_WEIGHT_ARGUMENTS = ("name", "shape", "dtype", "initializer", "regularizer", "trainable", "constraint")
_KERAS_1_WEIGHT_ARGUMENTS = ("shape", "initializer", "name", "trainable", "regularizer", "constraint")


class Layer(tf_keras.layers.Layer):
    """The base layer of Keras 1, Keras 2 and tf.keras.

    `add_weight` accepts the positional arguments of either generation, and `trainable_weights` can be set.
    """

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if Era.current.standalone and "build" in vars(cls):
            cls.build = tf_utils.shape_type_conversion(cls.build)

    def add_weight(self, *args: Any, **kwargs: Any) -> Any:
        """Adds a weight. Keras 2: (name, shape, ...); Keras 1: (shape, initializer, name, ...)."""
        shape_first = bool(args) and not isinstance(args[0], str | None)
        given = dict(zip(_KERAS_1_WEIGHT_ARGUMENTS if shape_first else _WEIGHT_ARGUMENTS, args, strict=False))
        return super().add_weight(**given, **kwargs)

    @property
    def trainable_weights(self) -> list[Any]:
        """Weights that training changes."""
        return list(super().trainable_weights)

    @trainable_weights.setter
    def trainable_weights(self, weights: Sequence[Any]) -> None:
        _put(self._trainable_weights, weights)

    @property
    def non_trainable_weights(self) -> list[Any]:
        """Weights that training does not change."""
        return list(super().non_trainable_weights)

    @non_trainable_weights.setter
    def non_trainable_weights(self, weights: Sequence[Any]) -> None:
        _put(self._non_trainable_weights, weights)

    def __setattr__(self, name: str, value: Any) -> None:
        lists = [getattr(self, part, None) for part in ("_trainable_weights", "_non_trainable_weights")]
        declared = any(each is value for held in lists if held is not None for each in held)
        super().__setattr__(name, value)
        if Era.current.standalone and isinstance(value, tf.Variable) and not declared:
            for held in (self._trainable_weights, self._non_trainable_weights):
                _put(held, [each for each in held if each is not value])


def _put(held: Any, weights: Sequence[Any]) -> None:
    held[:] = list(weights)


class LSTM(tf_keras.layers.LSTM):
    """LSTM with the gates of its era."""

    def __init__(self, units: int, activation: Any = "tanh", recurrent_activation: Any = "", **kwargs: Any) -> None:
        super().__init__(units, activation, _gates(recurrent_activation), **kwargs)


class LSTMCell(tf_keras.layers.LSTMCell):
    """LSTMCell with the gates of its era."""

    def __init__(self, units: int, activation: Any = "tanh", recurrent_activation: Any = "", **kwargs: Any) -> None:
        super().__init__(units, activation, _gates(recurrent_activation), **kwargs)


class GRU(tf_keras.layers.GRU):
    """GRU with gates and reset of its era."""

    def __init__(self, units: int, activation: Any = "tanh", recurrent_activation: Any = "", **kwargs: Any) -> None:
        kwargs.setdefault("reset_after", Era.current.reset_after)
        super().__init__(units, activation, _gates(recurrent_activation), **kwargs)


class GRUCell(tf_keras.layers.GRUCell):
    """GRUCell with gates and reset of its era."""

    def __init__(self, units: int, activation: Any = "tanh", recurrent_activation: Any = "", **kwargs: Any) -> None:
        kwargs.setdefault("reset_after", Era.current.reset_after)
        super().__init__(units, activation, _gates(recurrent_activation), **kwargs)


def _gates(recurrent_activation: Any) -> Any:
    return (
        Era.current.gates
        if isinstance(recurrent_activation, str) and not recurrent_activation
        else (recurrent_activation)
    )


class CuDNNLSTM(cudnn_lstm.CuDNNLSTM):
    """CuDNNLSTM that stores its arrays in cuDNN's layout and runs on any device. Gates i, f, c, o."""

    def _process_batch(self, inputs: Tensor, initial_state: Sequence[Tensor]) -> tuple[Tensor, list[Tensor]]:
        kernel, recurrent = _kernel(self.kernel, 4), _recurrent_kernel(self.recurrent_kernel, 4)
        bias = self.bias[: 4 * self.units] + self.bias[4 * self.units :]

        def step(x: Tensor, states: Sequence[Tensor]) -> tuple[Tensor, list[Tensor]]:
            i, f, g, o = tf.split(x @ kernel + states[0] @ recurrent + bias, 4, axis=1)
            c = tf.sigmoid(f) * states[1] + tf.sigmoid(i) * tf.tanh(g)
            h = tf.sigmoid(o) * tf.tanh(c)
            return h, [h, c]

        return _run(self, step, inputs, initial_state)


class CuDNNGRU(cudnn_gru.CuDNNGRU):
    """CuDNNGRU that stores its arrays in cuDNN's layout and runs on any device. Gates z, r, h; reset after."""

    def _process_batch(self, inputs: Tensor, initial_state: Sequence[Tensor]) -> tuple[Tensor, list[Tensor]]:
        kernel, recurrent = _kernel(self.kernel, 3), _recurrent_kernel(self.recurrent_kernel, 3)
        input_bias, recurrent_bias = self.bias[: 3 * self.units], self.bias[3 * self.units :]

        def step(x: Tensor, states: Sequence[Tensor]) -> tuple[Tensor, list[Tensor]]:
            xz, xr, xh = tf.split(x @ kernel + input_bias, 3, axis=1)
            hz, hr, hh = tf.split(states[0] @ recurrent + recurrent_bias, 3, axis=1)
            z = tf.sigmoid(xz + hz)
            h = z * states[0] + (1.0 - z) * tf.tanh(xh + tf.sigmoid(xr + hr) * hh)
            return h, [h]

        return _run(self, step, inputs, initial_state)


def _kernel(kernel: Tensor, gates: int) -> Tensor:
    """Converts (d, gates*u) from cuDNN's layout to Keras's: per gate W = reshape(K, (u, d)).T (see canonical.cudnn)."""
    features = kernel.shape[0]
    return tf.concat([tf.transpose(tf.reshape(k, (-1, features))) for k in tf.split(kernel, gates, axis=1)], axis=1)


def _recurrent_kernel(kernel: Tensor, gates: int) -> Tensor:
    """Converts (u, gates*u) from cuDNN's layout to Keras's: per gate U = R.T."""
    return tf.concat([tf.transpose(k) for k in tf.split(kernel, gates, axis=1)], axis=1)


def _run(layer: Any, step: Any, inputs: Tensor, states: Sequence[Tensor]) -> tuple[Tensor, list[Tensor]]:
    last, outputs, states = tf_keras.backend.rnn(step, inputs, list(states), time_major=layer.time_major)
    return outputs if layer.return_sequences else last, list(states)


def initialization(name: Any) -> Any:
    """Keras 1's `initializations.get`: a function of shape and name that makes a variable."""
    initializer = tf_keras.initializers.get({"zero": "zeros", "one": "ones"}.get(name, name))
    return lambda shape, name=None, **_: tf_keras.backend.variable(initializer(shape), name=name)


#: Replacements of tf-keras classes for old code.
OLD_LAYERS = {each.__name__: each for each in (Layer, LSTM, LSTMCell, GRU, GRUCell, CuDNNLSTM, CuDNNGRU)}
