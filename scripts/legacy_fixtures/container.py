"""Fixtures about the file and the graph: names, inputs and outputs, optimizers, what must be refused."""

import numpy as np

from .catalogue import fixture
from .feeds import ids, padded, real


def skewed_loss(truth, predicted):
    """A loss that no other program has; the file records its name."""
    return (truth - predicted) ** 4


def _fit(k, model):
    model.compile("adam", skewed_loss)
    rng = np.random.RandomState(1)
    model.fit(rng.normal(size=(8, 5, 3)), rng.normal(size=(8, 2)), epochs=1, batch_size=4, verbose=0)


@fixture("keras-2.2.4 tfkeras-2.3.4", "fitted adam custom_loss optimizer_weights lstm", real(None, 3), prepare=_fit)
def fitted_custom_loss(k):
    model = k.Sequential()
    model.add(k.LSTM(4, dropout=0.2, recurrent_dropout=0.1, input_shape=(None, 3)))
    model.add(k.Dropout(0.5))
    model.add(k.Dense(2))
    return model


@fixture("keras-2.2.4", "multi_input multi_output embedding conv1d", ids(10, 8), real(5))
def multi_io(k):
    text, extra = k.Input((8,), name="text"), k.Input((5,), name="extra")
    y = k.GlobalMaxPooling1D()(k.Conv1D(4, 3, activation="relu")(k.Embedding(10, 4)(text)))
    joint = k.layers.concatenate([y, k.Dense(3, activation="elu")(extra)])
    label = k.Dense(3, activation="softmax", name="label")(joint)
    return k.Model([extra, text][::-1], [k.Dense(1, name="amount")(joint), label])


@fixture("keras-2.2.4", "chunked_attributes", real(5))
def chunked_names(k):
    """`layer_names` is a fixed-width array: one very long name carries it over the 64 KiB of an HDF5 attribute."""
    x = k.Input((5,), name="x")
    y = k.Dense(4, name="long_" + "n" * 4495)(x)
    for i in range(12):
        y = k.Activation("tanh" if i == 3 else "linear", name=f"step_{i}")(y)
    return k.Model(x, k.Dense(2, name="y")(y))


def _rename(k, model):
    """TensorFlow refuses such names while a model is built; users gave them afterwards."""
    model.layers[0].name = "Größe"
    model.layers[1].name = "выход 1"


@fixture("keras-2.2.4", "unicode_names sequential", real(4), prepare=_rename)
def unicode_names(k):
    """A Sequential: its file holds no graph, whose nodes Keras would no longer find under the new names."""
    model = k.Sequential()
    model.add(k.Dense(3, activation="relu", input_shape=(4,)))
    model.add(k.Dense(2))
    return model


@fixture("tfkeras-1.15.5", "name_with_slash lstm bidirectional", real(None, 4))
def slash_names(k):
    x = k.Input((None, 4), name="input/signal")
    y = k.Bidirectional(k.LSTM(3), name="encoder/bi")(x)
    return k.Model(x, k.Dense(2, name="head/dense")(y))


@fixture("keras-2.2.4", "lambda", real(4))
def lambda_layer(k):
    x = k.Input((4,))
    return k.Model(x, k.Dense(2)(k.Lambda(lambda t: t * 2.0 + 1.0)(x)))


@fixture("keras-2.3.1", "dot softmax permute lstm attention", ids(12, 7))
def dot_attention(k):
    x = k.Input((7,))
    states = k.LSTM(4, return_sequences=True)(k.Embedding(12, 3)(x))
    weights = k.Softmax(axis=1)(k.TimeDistributed(k.Dense(1, activation="tanh"))(states))
    pooled = k.Dot(axes=1)([weights, states])
    return k.Model(x, k.Dense(2)(k.Flatten()(pooled)))


@fixture("tfkeras-2.3.4", "attention layernormalization mask multi_input", padded(6, 4, "right"), real(5, 4))
def masked_attention(k):
    keys, queries = k.Input((6, 4), name="keys"), k.Input((5, 4), name="queries")
    values = k.Masking(0.0)(keys)
    mixed = k.Attention(use_scale=True)([queries, values])
    added = k.AdditiveAttention()([queries, values])
    return k.Model([keys, queries], [k.LayerNormalization()(mixed), k.Dense(2)(added)])


@fixture("keras-2.2.4 tfkeras-1.13.1", "inputlayer_first sequential", real(5))
def input_layer_first(k):
    model = k.Sequential()
    model.add(k.layers.InputLayer((5,)))
    model.add(k.Dense(4, activation="relu"))
    model.add(k.Dense(2))
    return model
