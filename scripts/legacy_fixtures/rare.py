"""Layers and options that few models use."""

from .catalogue import fixture
from .feeds import ids, real


@fixture("tfkeras-2.8.4 tfkeras-2.15.1", "activation layer leakyrelu prelu elu softmax relu", real(6, 4))
def activation_layers(k):
    """Layers in the place of activation functions, one with weights of its own."""
    layers = k.layers
    x = k.Input((6, 4))
    found = [k.Dense(5, activation=layers.LeakyReLU(0.17))(x), k.Dense(3, activation=layers.Softmax())(x)]
    found += [k.Conv1D(4, 3, padding="same", activation=layers.PReLU(shared_axes=[1]))(x), k.Dense(2, activation=layers.PReLU())(x)]
    found += [k.TimeDistributed(k.Dense(3, activation=layers.PReLU()))(x), k.Activation(layers.ThresholdedReLU(0.3))(x)]
    found += [k.LSTM(3, activation=layers.ELU(0.7), return_sequences=True)(x), k.Softmax()(k.Activation(layers.PReLU())(x))]
    found += [k.Bidirectional(k.GRU(2, activation=layers.LeakyReLU(0.4), return_sequences=True))(x)]
    named = "LeakyReLU" if k.version >= (2, 5) else layers.LeakyReLU()
    found += [k.Conv1D(2, 1, activation=layers.ReLU(1.5, negative_slope=0.1, threshold=0.2))(x), k.Dense(2, activation=named)(x)]
    return k.Model(x, layers.Concatenate()(found))


@fixture("tfkeras-1.13.1 tfkeras-2.8.4", "batchnormalization virtual_batch_size", real(4, 5, 3), real(6), batch=4)
def virtual_batches(k):
    """Statistics of part of a batch, in training: the layer stores an axis that its input lacks."""
    x, y = k.Input((4, 5, 3)), k.Input((6,))
    first = k.BatchNormalization(axis=1, virtual_batch_size=2)(k.BatchNormalization(virtual_batch_size=4, epsilon=1e-6)(x))
    return k.Model([x, y], [first, k.Dense(2)(k.BatchNormalization(virtual_batch_size=2, scale=False)(y))])


@fixture("tfkeras-2.15.1", "rare layernormalization axis_list einsumdense depthwise time_major", real(6, 4))
def rare_layers(k):
    x = k.Input((6, 4))
    found = [k.LayerNormalization(axis=[2])(x), k.BatchNormalization(axis=[2])(x)]
    einsum = getattr(k.layers, "EinsumDense", None) or k.layers.experimental.EinsumDense
    found += [einsum("abc,cd->abd", output_shape=(None, 3), bias_axes="d", activation="relu")(x)]
    found += [k.layers.DepthwiseConv1D(3, padding="same", depth_multiplier=2)(x), k.layers.Conv1DTranspose(2, 3, strides=2)(x)]
    found += [k.Conv1D(4, 3, groups=2, padding="same")(x), k.GlobalAveragePooling1D(keepdims=True)(x)]
    found += [k.Permute((2, 1))(k.GlobalMaxPooling1D(keepdims=True)(x)), k.layers.experimental.SyncBatchNormalization()(x)]
    found += [k.Softmax(axis=[1, 2])(x), k.Dense(3, activation="gelu")(x), k.layers.RNN(k.layers.LSTMCell(3))(x)]
    if k.version >= (2, 15):
        found += [k.layers.UnitNormalization()(x), k.layers.GroupNormalization(2)(x), k.layers.Identity()(x)]
        found += [k.Dense(3, activation="mish")(x)]
    return k.Model(x, [k.Flatten()(each) if len(each.shape) > 2 else each for each in found])


@fixture("keras-2.0.9 keras-2.1.6", "merge highway maxout legacy classes", real(6), real(6), real(5, 4), real(5, 4))
def legacy_classes(k):
    """Classes of Keras 1 that Keras 2 kept in keras/legacy/layers.py."""
    from keras.legacy.layers import Highway, MaxoutDense, Merge

    x, y, s, t = k.Input((6,)), k.Input((6,)), k.Input((5, 4)), k.Input((5, 4))
    found = [Merge(mode=each, dot_axes=[1, 1], name="merge_" + each)([x, y]) for each in ("sum", "mul", "ave", "max", "dot")]
    found += [Highway(activation="tanh")(x), MaxoutDense(3, nb_feature=5)(y), Highway(bias=False)(y)]
    joined = Merge(mode="concat", concat_axis=1)([s, t])
    product = Merge(mode="dot", dot_axes=[2, 2])([s, t])
    return k.Model([x, y, s, t], [k.layers.Concatenate()(found), k.LSTM(3)(joined), product])


@fixture("keras-2.0.9 keras-2.1.6", "merge of branches in a sequential", real(4), real(3))
def legacy_branches(k):
    from keras.legacy.layers import Merge

    left, right = k.Sequential([k.Dense(5, input_shape=(4,))]), k.Sequential([k.Dense(5, input_shape=(3,))])
    return k.Sequential([Merge([left, right], mode="concat"), k.Dense(2, activation="tanh")])


@fixture("tfkeras-2.15.1", "spectralnormalization dense conv2d embedding", real(6, 7, 3), ids(9))
def spectral(k):
    wrap = k.layers.SpectralNormalization
    x, tokens = k.Input((6, 7, 3)), k.Input((7,), dtype="int32")
    y = k.Flatten()(wrap(k.Conv2D(4, 3, activation="relu"), power_iterations=2)(x))
    z = k.Flatten()(wrap(k.Embedding(9, 3))(tokens))
    nested = k.Sequential([wrap(k.Dense(5, input_shape=(21,))), k.Dense(2)])
    return k.Model([x, tokens], [wrap(k.Dense(3))(y), nested(z)])
