"""Layers drawn at random for images (batch, height, width, channels), volumes and image sequences."""

from .draw import ANY, Draw


def image(k: object, draw: Draw, shape: "tuple[int, ...]", first: bool) -> object:
    """Any 2-D layer. `first`: channels come first."""
    rows, columns = shape[1:] if first else shape[:2]
    kinds = ["Conv2D", "Conv2D", "SeparableConv2D", "Conv2DTranspose", "pool", "pad"]
    kinds += ["DepthwiseConv2D"] * k.has("DepthwiseConv2D")
    if rows > 3 and columns > 3 and max(rows, columns) < 12:
        kinds.append("LocallyConnected2D")
    kind = draw.pick(kinds)
    order = {"data_format": "channels_first"} if first else {}
    if kind == "pool":
        made = getattr(k, draw.pick(["MaxPooling2D", "AveragePooling2D"]))
        return made(draw.pick([2, (2, 1)]), strides=draw.pick([1, 2]), padding=draw.pick(["same", "valid"]), **order)
    if kind == "pad":
        return padding(k, draw, rows, columns, order)
    options = dict(draw.some(activation=(0.7, ANY), use_bias=(0.15, [False])), **order)
    if first and options.get("activation") == "softmax":
        options["activation"] = "tanh"
    options.update(draw.name(kind))
    size = draw.pick([2, 3, (3, 2)]) if min(rows, columns) > 2 else 1
    if kind == "LocallyConnected2D":
        if k.family == "tfkeras":
            options.update(draw.some(implementation=(0.3, [1, 2])))
        return k.LocallyConnected2D(draw.units(2, 3), size, strides=draw.pick([1, 2, (2, 1)]), **options)
    options["padding"] = draw.pick(["same", "same", "valid"])
    if kind == "DepthwiseConv2D":
        strides = 2 if draw.chance(0.3) else 1
        return k.DepthwiseConv2D(size, depth_multiplier=draw.pick([1, 2]), strides=strides, **options)
    if kind == "Conv2DTranspose":
        strides = draw.pick([1, 2])
        if (
            strides == 2
            and size != 1
            and k.version >= ((2, 2, 3) if k.family == "keras" else (1, 13))
            and draw.chance(0.4)
        ):
            options["output_padding"] = 1
        return k.Conv2DTranspose(draw.units(2, 5), size, strides=strides, **options)
    if draw.chance(0.25) and size != 1:
        options["dilation_rate"] = 2 if kind == "SeparableConv2D" else draw.pick([2, (2, 1)])
        options["padding"] = "same"
    elif draw.chance(0.3):
        options["strides"] = 2 if kind == "SeparableConv2D" else draw.pick([2, (2, 1)])
    if kind == "SeparableConv2D":
        options["depth_multiplier"] = draw.pick([1, 2])
    return getattr(k, kind)(draw.units(2, 6), size, **options)


def padding(k: object, draw: Draw, rows: int, columns: int, order: dict) -> object:
    kind = draw.pick(["ZeroPadding2D", "Cropping2D", "UpSampling2D"])
    if kind == "ZeroPadding2D":
        return k.ZeroPadding2D(draw.pick([1, (1, 2), ((0, 1), (2, 0))]), **order)
    if kind == "Cropping2D" and min(rows, columns) > 4:
        return k.Cropping2D(draw.pick([1, (1, 0), ((0, 1), (1, 0))]), **order)
    options = dict(order)
    # tf.keras 1.13 resizes bilinearly, but leaves `interpolation` out of what it saves
    if not order and k.version >= ((2, 2, 3) if k.family == "keras" else (1, 14)):
        options.update(draw.some(interpolation=(0.5, ["bilinear"])))
    return k.UpSampling2D(draw.pick([2, (1, 2)]) if max(rows, columns) < 10 else 1, **options)


def volume(k: object, draw: Draw, shape: "tuple[int, ...]") -> object:
    kind = draw.pick(["Conv3D", "Conv3D", "Conv3DTranspose", "MaxPooling3D", "AveragePooling3D", "pad"])
    if kind == "pad":
        return draw.pick(
            [k.ZeroPadding3D((1, 0, 1)), k.UpSampling3D((1, 2, 1)), k.Cropping3D(((0, 1), (0, 0), (0, 0)))]
        )
    if "Pooling" in kind:
        return getattr(k, kind)((2, 1, 2), strides=draw.pick([1, 2]), padding="same")
    options = dict(draw.some(activation=(0.7, ANY), use_bias=(0.15, [False])), padding=draw.pick(["same", "valid"]))
    size = draw.pick([2, (1, 2, 2)]) if min(shape[:3]) > 1 else 1
    return getattr(k, kind)(draw.units(2, 4), size, strides=draw.pick([1, 1, 2]), **options)


def image_sequence(k: object, draw: Draw, sequences: bool) -> object:
    """ConvLSTM2D."""
    options = draw.some(recurrent_activation=(0.4, ["sigmoid", "hard_sigmoid"]), activation=(0.3, ["tanh", "relu"]))
    options.update(draw.some(go_backwards=(0.2, [True]), use_bias=(0.1, [False]), strides=(0.2, [2])))
    size = draw.pick([2, 3])
    return k.ConvLSTM2D(draw.units(2, 3), size, padding="same", return_sequences=sequences, **options)
