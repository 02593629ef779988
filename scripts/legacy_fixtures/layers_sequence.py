"""Layers drawn at random for sequences (batch, time, features) and vectors (batch, features)."""

from .draw import ANY, BOUNDED, Draw


def recurrent(k: object, draw: Draw, sequences: bool, masked: bool, stateful: bool, **fixed: object) -> object:
    """LSTM, GRU or SimpleRNN; CuDNN where no mask reaches it. `steps`, if given, allows to unroll."""
    unroll = {"unroll": True} if fixed.pop("steps", None) and draw.chance(0.2) else {}
    kind = draw.pick(["LSTM", "LSTM", "GRU", "GRU", "SimpleRNN"])
    cudnn = not masked and draw.chance(0.4)
    kind = fixed.pop("kind", kind)
    units = fixed.pop("units", draw.units())
    options = dict(return_sequences=sequences, **fixed)
    options.update(draw.some(go_backwards=(0.2, [True])))
    if stateful and draw.chance(0.8):
        options["stateful"] = True
    if cudnn and kind in ("LSTM", "GRU"):
        if kind == "LSTM":
            options.update(draw.some(unit_forget_bias=(0.1, [False])))
        options.update(draw.name("CuDNN" + kind))
        return getattr(k, "CuDNN" + kind)(units, **options)
    options.update(unroll)
    options.update(draw.some(activation=(0.4, BOUNDED + ["relu", "elu", "linear"]), use_bias=(0.12, [False])))
    options.update(draw.some(dropout=(0.1, [0.2]), recurrent_dropout=(0.07, [0.1])))
    if kind != "SimpleRNN" or k.family == "keras":
        options.update(draw.some(implementation=(0.4, [1, 2])))
    if kind != "SimpleRNN":
        options.update(draw.some(recurrent_activation=(0.5, BOUNDED + ["linear"])))
    if kind == "GRU" and k.has_reset_after:
        options.update(draw.some(reset_after=(0.5, [True, False])))
    if kind == "LSTM":
        options.update(draw.some(unit_forget_bias=(0.1, [False])))
    return getattr(k, kind)(units, **dict(options, **draw.name(kind)))


def bidirectional(k: object, draw: Draw, sequences: bool, masked: bool, stateful: bool, mode: object) -> object:
    """Both directions, one in ten with a backward layer of its own (tf.keras 1.15 and later)."""
    options = {"merge_mode": mode, **draw.name("Bidirectional")}
    units = draw.units(2, 5)
    forward = recurrent(k, draw, sequences, masked, stateful, units=units)
    is_stateful = bool(getattr(forward, "stateful", False))
    if k.family == "tfkeras" and k.version >= (1, 15) and not is_stateful and draw.chance(0.3):
        backward = recurrent(k, draw, sequences, masked, False, units=units)
        if backward.go_backwards != forward.go_backwards:
            options["backward_layer"] = backward
    return k.Bidirectional(forward, **options)


def cells(k: object, draw: Draw, sequences: bool) -> object:
    """RNN over one cell, or over several stacked ones."""
    if k.family == "keras" and k.version < (2, 1):  # its cells save no configuration: nobody can read them back
        return recurrent(k, draw, sequences, True, False)
    made, alike = [], draw.chance(0.4)  # Keras 2.2 stacks cells under a mask only where all are of one size
    units = draw.units(2, 5)
    for _ in range(draw.pick([1, 2, 2, 3])):
        kind = draw.pick(["LSTMCell", "GRUCell", "SimpleRNNCell"])
        options = draw.some(activation=(0.4, BOUNDED), use_bias=(0.1, [False]))
        if kind != "SimpleRNNCell":
            options.update(draw.some(recurrent_activation=(0.4, BOUNDED)))
        if kind == "GRUCell" and k.has_reset_after:
            options.update(draw.some(reset_after=(0.4, [True, False])))
        made.append(getattr(k, kind)(units if alike else draw.units(2, 5), **options))
    go_backwards = draw.chance(0.15)
    cell = made[0] if len(made) == 1 and draw.chance(0.5) else k.StackedRNNCells(made)
    return k.RNN(cell, return_sequences=sequences, go_backwards=go_backwards)


def activation(k: object, draw: Draw, rank: int, free: bool) -> object:
    """The activations that are layers. `free`: some axis but the last is not fixed."""
    kinds = ["Activation", "LeakyReLU", "ELU", "PReLU", "ThresholdedReLU", "ReLU", "ReLU", "Softmax"]
    kind = draw.pick([kind for kind in kinds if k.has(kind)])
    if kind == "Activation":
        return k.Activation(draw.pick(ANY))
    if kind == "LeakyReLU":
        return k.LeakyReLU(**draw.some(alpha=(0.6, [0.1, 0.2])))
    if kind == "ELU":
        return k.ELU(**draw.some(alpha=(0.5, [1.7, 0.4])))
    if kind == "ThresholdedReLU":
        return k.ThresholdedReLU(**draw.some(theta=(0.7, [0.2, 0.4])))
    if kind == "Softmax":
        return k.Softmax(**draw.some(axis=(0.3, [-1] if rank < 3 else [1, -1])))
    if kind == "PReLU":
        axes = list(range(1, rank - 1))
        return k.PReLU(shared_axes=axes if free or (axes and draw.chance(0.5)) else None)
    options = draw.some(max_value=(0.5, [1.0, 2.5, 6.0]), negative_slope=(0.5, [0.1, 0.3]))
    options.update(draw.some(threshold=(0.4, [0.2, 0.5])))
    return k.ReLU(**options)


def harmless(k: object, draw: Draw, rank: int) -> object:
    """Layers that only act in training."""
    kinds = ["Dropout", "GaussianNoise", "GaussianDropout", "ActivityRegularization", "AlphaDropout"]
    if rank in (3, 4, 5):
        kinds.append(f"SpatialDropout{rank - 2}D")
    kind = draw.pick(kinds)
    if kind == "ActivityRegularization":
        return k.ActivityRegularization(l2=0.01)
    return getattr(k, kind)(0.3)


def normalisation(k: object, draw: Draw, rank: int) -> object:
    options = draw.some(scale=(0.2, [False]), center=(0.2, [False]), epsilon=(0.3, [1e-5, 0.01]))
    if k.has("LayerNormalization") and draw.chance(0.35):
        axes = [-1] if rank < 4 else [-1, [-2, -1]]
        return k.LayerNormalization(axis=draw.pick(axes), **dict(options, **draw.name("LayerNorm")))
    if k.has("GroupNormalization") and rank > 3 and draw.chance(0.2):
        return k.GroupNormalization(groups=-1, **options)
    return k.BatchNormalization(**dict(options, **draw.name("BatchNorm")))


def dense(k: object, draw: Draw) -> object:
    options = draw.some(activation=(0.7, ANY), use_bias=(0.12, [False]))
    options.update(draw.some(kernel_regularizer=(0.05, ["l2"]), kernel_initializer=(0.1, ["he_normal", "orthogonal"])))
    return k.Dense(draw.units(), **dict(options, **draw.name("Dense")))


def convolution(k: object, draw: Draw, steps: "int | None") -> object:
    """Conv1D and kin, for unmasked sequences."""
    kinds = ["Conv1D", "Conv1D", "pool", "pad"] + ["SeparableConv1D"] * k.has("SeparableConv1D")
    kinds += ["LocallyConnected1D"] * (steps is not None and steps > 3 and k.has("LocallyConnected1D"))
    kinds += [kind for kind in ("Conv1DTranspose", "DepthwiseConv1D") if k.has(kind)]
    kind = draw.pick(kinds)
    if kind == "pool":
        size = draw.pick([2, 3])
        made = getattr(k, draw.pick(["MaxPooling1D", "AveragePooling1D"]))
        return made(size, strides=draw.pick([1, 2]), padding="same")
    if kind == "pad":
        return draw.pick([k.ZeroPadding1D((1, 2)), k.UpSampling1D(2), k.Cropping1D((1, 0))])
    options = draw.some(activation=(0.7, ANY), use_bias=(0.15, [False]))
    options.update(draw.name(kind))
    size = draw.pick([2, 3])
    if kind == "LocallyConnected1D":
        if k.family == "tfkeras":
            options.update(draw.some(implementation=(0.3, [1, 2])))
        return k.LocallyConnected1D(draw.units(2, 4), size, strides=draw.pick([1, 2]), **options)
    options["padding"] = draw.pick(["same", "same", "valid"])
    if kind == "Conv1DTranspose":
        return k.Conv1DTranspose(draw.units(2, 5), size, strides=draw.pick([1, 2]), **options)
    if kind == "DepthwiseConv1D":
        return k.DepthwiseConv1D(size, depth_multiplier=draw.pick([1, 2]), **options)
    if draw.chance(0.35) and kind in ("Conv1D", "SeparableConv1D") and (kind == "Conv1D" or k.family == "tfkeras"):
        options["padding"] = "causal"
    if draw.chance(0.3):
        options["dilation_rate"] = 2
    elif draw.chance(0.3):
        options["strides"] = 2
    if kind == "SeparableConv1D":
        options["depth_multiplier"] = draw.pick([1, 2])
    return getattr(k, kind)(draw.units(2, 6), size, **options)
