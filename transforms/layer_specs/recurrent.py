"""Recurrent layers and their cells, cuDNN's and convolutional ones, and the wrappers that run layers over time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from transforms.layer_specs.config import bias, integer, times, window, without
from transforms.layer_specs.convolution import options_of
from transforms.layer_specs.spec import REQUIRED, Config, LayerSpec, PartialShape, Role, Roles, RolesRule
from transforms.records.inspection import Shape

_INITIALIZERS = ("kernel_initializer", "recurrent_initializer")

_CELL = {
    "units": REQUIRED,
    "activation": "tanh",
    "use_bias": True,
    "dropout": 0.0,
    "recurrent_dropout": 0.0,
}
_RUN = {
    "return_sequences": False,
    "return_state": False,
    "go_backwards": False,
    "time_major": False,
    "zero_output_for_mask": False,
}
_GATED_CELL = {**_CELL, "recurrent_activation": "hard_sigmoid"}
_GRU_CELL = {**_GATED_CELL, "reset_after": False}


def _recurrent(gates: int, *biases: Callable[[int], PartialShape]) -> RolesRule:
    """Kernel (d, gates u), recurrent kernel (u, gates u) and a bias of one of these shapes."""

    def roles(config: Config) -> Roles:
        units = integer(config, "units")
        shapes = tuple((None,) if units is None else shape(units) for shape in biases)
        return (
            Role("kernel", ((None, times(gates, units)),)),
            Role("recurrent_kernel", ((units, times(gates, units)),)),
            *bias(config, *(shapes if units is not None else ())),
        )

    return roles


def _conv_lstm(rank: int) -> RolesRule:
    def roles(config: Config) -> Roles:
        filters, extents = integer(config, "filters"), window(config, rank)
        return (
            Role("kernel", ((*extents, None, times(4, filters)),)),
            Role("recurrent_kernel", ((*extents, filters, times(4, filters)),)),
            *bias(config, (times(4, filters),)),
        )

    return roles


def _conv_lstm_options(rank: int) -> dict[str, Any]:
    return {
        **without(options_of(rank), "groups", "activation"),
        "activation": "tanh",
        "recurrent_activation": "hard_sigmoid",
        "dropout": 0.0,
        "recurrent_dropout": 0.0,
        **without(_RUN, "time_major", "zero_output_for_mask"),
    }


def _shapes(states: int) -> Callable[[Config, Sequence[Shape]], list[Shape]]:
    def rule(options: Config, inputs: Sequence[Shape]) -> list[Shape]:
        x = inputs[0]
        state = (x[0], options["units"])
        output = (*x[:2], options["units"]) if options.get("return_sequences") else state
        return [output, *([state] * states if options.get("return_state") else [])]

    return rule


_simple = _recurrent(1, lambda u: (u,))
_lstm_cell = _recurrent(4, lambda u: (4 * u,))
_gru_cell = _recurrent(3, lambda u: (3 * u,), lambda u: (2, 3 * u))
# The weights of a cuDNN layer load into its CPU equivalent, and the reverse (`_convert_rnn_weights` in
# keras/engine/saving.py, 2.2.0 on): the bias identifies them.
_lstm = _recurrent(4, lambda u: (4 * u,), lambda u: (8 * u,))
_gru_reset_before = _recurrent(3, lambda u: (3 * u,))
_gru_reset_after = _recurrent(3, lambda u: (2, 3 * u), lambda u: (6 * u,))


def _gru(config: Config) -> Roles:
    """A GRU that resets after the product has two biases; early files do not record which kind it is."""
    if "reset_after" not in config:
        return _gru_cell(config)
    return _gru_reset_after(config) if config["reset_after"] else _gru_reset_before(config)


SPECS = (
    LayerSpec("SimpleRNN", _simple, {**_CELL, **_RUN}, initializers=_INITIALIZERS, shape=_shapes(1)),
    LayerSpec("LSTM", _lstm, {**_GATED_CELL, **_RUN}, initializers=_INITIALIZERS, shape=_shapes(2)),
    LayerSpec("GRU", _gru, {**_GRU_CELL, **_RUN}, initializers=_INITIALIZERS, shape=_shapes(1)),
    LayerSpec("SimpleRNNCell", _simple, _CELL, initializers=_INITIALIZERS),
    LayerSpec("LSTMCell", _lstm_cell, _GATED_CELL, initializers=_INITIALIZERS),
    LayerSpec("GRUCell", _gru_cell, _GRU_CELL, initializers=_INITIALIZERS),
    LayerSpec("UnifiedLSTM", _lstm, None, shape=_shapes(2)),
    LayerSpec("UnifiedGRU", _gru, None, shape=_shapes(1)),
    LayerSpec("CuDNNLSTM", _lstm, None, shape=_shapes(2)),
    LayerSpec("CuDNNGRU", _gru_reset_after, None, shape=_shapes(1)),
    *(
        LayerSpec(f"ConvLSTM{rank}D", _conv_lstm(rank), _conv_lstm_options(rank), initializers=_INITIALIZERS)
        for rank in (1, 2, 3)
    ),
    LayerSpec("ConvLSTM2DCell", _conv_lstm(2), None),
    LayerSpec("RNN", None, _RUN),
    LayerSpec("StackedRNNCells", None),
    LayerSpec("Bidirectional", None, {"merge_mode": "concat"}, null_options=frozenset({"merge_mode"})),
    LayerSpec("TimeDistributed", None, keeps_values=True),
)
