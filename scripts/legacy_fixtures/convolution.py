"""Convolutions of every kind, both data formats, and the normalisation between them."""

from .catalogue import fixture
from .feeds import real


@fixture("keras-2.2.4", "conv1d causal dilated separable locallyconnected", real(12, 3))
def conv1d(k):
    x = k.Input((12, 3))
    y = k.Conv1D(4, 3, padding="causal", dilation_rate=2, activation="relu")(x)
    y = k.SeparableConv1D(5, 3, padding="same", depth_multiplier=2)(y)
    y = k.LocallyConnected1D(3, 3, strides=2, activation="tanh")(k.MaxPooling1D(2, padding="same")(y))
    return k.Model(x, k.Flatten()(y))


@fixture("keras-2.3.1", "conv2d depthwise separable transposed dilated locallyconnected", real(9, 8, 3))
def conv2d(k):
    x = k.Input((9, 8, 3))
    y = k.Conv2D(4, (3, 2), strides=(2, 1), padding="same", use_bias=False)(x)
    y = k.DepthwiseConv2D(3, depth_multiplier=2, padding="same", activation="selu")(y)
    y = k.Conv2DTranspose(3, 3, strides=2, padding="same", output_padding=1)(y)
    y = k.SeparableConv2D(4, 3, dilation_rate=2, activation="tanh")(k.PReLU(shared_axes=[1, 2])(y))
    y = k.LocallyConnected2D(2, (3, 4), strides=(1, 3))(y)
    return k.Model(x, k.Flatten()(y))


@fixture("keras-2.2.4", "conv3d transposed", real(5, 4, 4, 2))
def conv3d(k):
    x = k.Input((5, 4, 4, 2))
    y = k.Conv3D(3, (3, 2, 1), padding="same", activation="relu")(x)
    y = k.Conv3DTranspose(2, 2, strides=(1, 2, 2))(k.MaxPooling3D((2, 1, 1))(y))
    return k.Model(x, k.GlobalMaxPooling3D()(k.ZeroPadding3D((1, 0, 2))(y)))


@fixture("keras-2.2.4 tfkeras-1.15.5", "upsampling bilinear conv2d", real(4, 5, 2))
def bilinear(k):
    """TensorFlow moved the sample points to half pixels in between: one config, two images."""
    x = k.Input((4, 5, 2))
    return k.Model(x, k.Conv2D(2, 2)(k.UpSampling2D((2, 3), interpolation="bilinear")(x)))


@fixture("keras-2.2.4", "conv2d channels_first flatten", real(3, 7, 6))
def channels_first(k):
    x = k.Input((3, 7, 6))
    y = k.Conv2D(4, 3, data_format="channels_first", padding="same", activation="tanh")(x)
    y = k.BatchNormalization(axis=1)(y)
    y = k.MaxPooling2D(2, data_format="channels_first")(y)
    y = k.Conv2DTranspose(2, 2, strides=2, data_format="channels_first")(y)
    return k.Model(x, k.Dense(3)(k.Flatten(data_format="channels_last")(y)))


@fixture("keras-2.2.4 tfkeras-1.13.1", "batchnorm no_scale no_center", real(6, 6, 3))
def batch_norm(k):
    model = k.Sequential()
    model.add(k.Conv2D(4, 3, use_bias=False, input_shape=(6, 6, 3)))
    model.add(k.BatchNormalization(scale=False))
    model.add(k.Activation("relu"))
    model.add(k.BatchNormalization(center=False, axis=-1, epsilon=0.01))
    model.add(k.Flatten())
    model.add(k.Dense(3))
    model.add(k.BatchNormalization(scale=False, center=False))
    return model


def _freeze(k, model):
    model.get_layer("features").get_layer("norm").trainable = False
    model.compile("adam", "mse")


@fixture("keras-2.2.4 tfkeras-2.15.1", "batchnorm frozen nested conv2d", real(6, 6, 3), prepare=_freeze)
def frozen_nested_norm(k):
    features = k.Sequential(name="features")
    features.add(k.Conv2D(3, 3, input_shape=(6, 6, 3)))
    features.add(k.BatchNormalization(name="norm"))
    features.add(k.Conv2D(2, 2))
    x = k.Input((6, 6, 3))
    return k.Model(x, k.Dense(3)(k.Flatten()(features(x))))
