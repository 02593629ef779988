"""Writes the fixtures of Keras 1.2.2, under a Python that has it, once for each backend.

KERAS_BACKEND=tensorflow python scripts/legacy_fixtures/keras_1.py tests/fixtures
KERAS_BACKEND=theano     python scripts/legacy_fixtures/keras_1.py tests/fixtures
"""

import csv
import os
import sys

import numpy as np
from keras import backend as K
from keras.layers import (
    AveragePooling1D,
    AveragePooling2D,
    BatchNormalization,
    Bidirectional,
    Convolution1D,
    Convolution2D,
    Deconvolution2D,
    Highway,
    Input,
    LSTM,
    Masking,
    MaxoutDense,
    MaxPooling2D,
    TimeDistributed,
    merge,
)
from keras.layers.advanced_activations import ParametricSoftplus, PReLU, SReLU
from keras.layers.convolutional_recurrent import ConvLSTM2D
from keras.models import Model

PRODUCER = "keras-1.2.2"
COLUMNS = ["model", "source", "samples", "producer", "features"]


def chain(shape, *layers):
    x = y = Input(shape=shape)
    for layer in layers:
        y = layer(y)
    return Model(x, y)


def dot_of_four_axes():
    x, y = Input(shape=(2, 3, 4)), Input(shape=(2, 5, 4))
    return Model([x, y], merge([x, y], mode="dot", dot_axes=(3, 3)))


def conv_lstm(units, border_mode):
    return ConvLSTM2D(units, 2, 2, border_mode=border_mode, dim_ordering="th")


def on_tensorflow():
    """Name, model, features."""
    stated = Deconvolution2D(3, 2, 2, output_shape=(None, 14, 17, 3), subsample=(3, 3), border_mode="same")
    yield "deconvolution_stated_shape", chain((5, 6, 2), stated), "deconvolution output_shape"
    yield "prelu_shared", chain((6, 7, 2), Convolution2D(3, 2, 2), PReLU(shared_axes=[1, 2])), "prelu shared_axes"
    masked = chain((6, 3), Masking(), BatchNormalization(mode=1), LSTM(4))
    yield "samplewise_norm_masked", masked, "batchnorm mode_1 mask"
    yield "highway_maxout", chain((6,), Highway(activation="tanh"), MaxoutDense(4, nb_feature=3)), "highway maxoutdense"
    curves = chain((4, 3), SReLU(), ParametricSoftplus(), SReLU(shared_axes=[1]), ParametricSoftplus(shared_axes=[1]))
    yield "curves", curves, "srelu parametricsoftplus shared_axes"
    yield "dot_four_axes", dot_of_four_axes(), "merge dot rank_4"


def on_theano():
    """Name, model, features."""
    odd = Deconvolution2D(3, 3, 3, output_shape=(None, 3, 10, 12), subsample=(2, 2), border_mode="same")
    even = Deconvolution2D(2, 2, 2, output_shape=(None, 2, 9, 11), border_mode="same")
    yield "theano_deconvolution", chain((2, 5, 6), odd, even), "deconvolution same theano th"
    full = Convolution2D(3, 2, 3, border_mode="full", subsample=(2, 1))
    pools = MaxPooling2D((3, 2), strides=(2, 2), border_mode="same"), AveragePooling2D((2, 5), border_mode="same")
    yield "theano_full_and_pooling", chain((2, 6, 7), full, *pools), "full pooling same theano th"
    steps = TimeDistributed(AveragePooling2D((3, 2), strides=(2, 1), border_mode="same")), conv_lstm(2, "same")
    yield "theano_pooled_steps", chain((3, 2, 6, 5), *steps), "time_distributed pooling conv_lstm theano th"
    even = Convolution1D(3, 2, border_mode="full"), AveragePooling1D(5, stride=2, border_mode="same")
    yield "theano_full_1d", chain((8, 2), *even), "full pooling same theano"
    both = Bidirectional(conv_lstm(2, "valid"), merge_mode="sum", input_shape=(3, 2, 5, 6))
    yield "theano_bidirectional", chain((3, 2, 5, 6), both), "conv_lstm bidirectional theano th"


def drawn(shape, draw):
    spread = draw.normal(0, 0.5, shape)
    return (np.abs(spread) + 0.2 if len(shape) == 1 else spread).astype("float32")


def samples(model, draw):
    held = {}
    for prefix, size in (("", 3), ("alt_", 2)):
        inputs = [draw.normal(size=(size,) + K.int_shape(x)[1:]).astype("float32") for x in model.inputs]
        if any(isinstance(layer, Masking) for layer in model.layers):
            inputs[0][0, 3:] = 0
            inputs[0][1, :2] = 0
        held.update((prefix + "x%d" % index, x) for index, x in enumerate(inputs))
        held[prefix + "y0"] = model.predict(inputs if len(inputs) > 1 else inputs[0], batch_size=size)
    return held


def main(out):
    theano = K.backend() == "theano"
    K.set_image_dim_ordering("th" if theano else "tf")
    os.makedirs(os.path.join(out, PRODUCER), exist_ok=True)
    index = os.path.join(out, "fixtures.csv")
    with open(index, encoding="utf-8", newline="") as file:
        rows = {row["model"]: row for row in csv.DictReader(file)}
    for name, model, features in on_theano() if theano else on_tensorflow():
        draw = np.random.RandomState(3)
        model.set_weights([drawn(array.shape, draw) for array in model.get_weights()])
        path = PRODUCER + "/" + name
        model.save(os.path.join(out, path + ".h5"))
        np.savez(os.path.join(out, path + ".npz"), **samples(model, draw))
        rows[path] = dict(zip(COLUMNS, [path, path + ".h5", path + ".npz", PRODUCER, features]))
    with open(index, "w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows[name] for name in sorted(rows))


if __name__ == "__main__":
    main(sys.argv[1])
