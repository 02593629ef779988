"""Lambda layers: functions that a file stores as bytecode."""

from .catalogue import fixture
from .feeds import ids, real

K = tf = None  # what the functions know their libraries by: Keras copies a closure, and cannot copy a module


def libraries(k):
    global K, tf
    K, tf = k.backend, k.tf


KERAS_2 = "keras-2.2.4 keras-2.3.1 tfkeras-1.13.1 tfkeras-2.3.4 tfkeras-2.15.1"


@fixture("keras-2.2.4", "lambda refused", real(4))
def lambda_random(k):
    libraries(k)
    x = k.Input((4,))
    return k.Model(x, k.Dense(2)(k.Lambda(lambda t: t + K.random_normal(K.shape(t)))(x)))


@fixture("keras-1.2.2", "lambda merge output_shape closure", real(4), real(4))
def lambda_of_keras_1(k):
    """A Merge whose mode is a function, and an output shape that is computed."""
    libraries(k)
    scale = 0.5
    x, y = k.Input((4,)), k.Input((4,))
    both = k.layers.merge([x, y], mode=lambda pair: K.abs(pair[0] - pair[1]) * scale, output_shape=lambda shapes: shapes[0])
    halves = k.Lambda(lambda t: t[:, 2:], output_shape=lambda shape: (shape[0], shape[1] - 2))(both)
    return k.Model([x, y], k.Dense(2)(halves))


@fixture(KERAS_2, "lambda arithmetic closure defaults statements", real(6), real(6))
def lambda_statements(k):
    libraries(k)
    size = 2

    def mixed(pair, weight=0.25):
        x, y = pair
        total = 0.0
        for index in range(size + 1):
            total = total + weight * x[:, index : index + 2] * (index + 1)
        if size > 1:
            total -= K.mean(y, axis=-1, keepdims=True)
        rows = [K.sum(t, axis=1, keepdims=True) for t in (x, y)]
        return K.concatenate([total] + rows, axis=-1)

    x, y = k.Input((6,)), k.Input((6,))
    return k.Model([x, y], k.Dense(2)(k.Lambda(mixed)([x, y])))


@fixture(KERAS_2, "lambda shape reshape", real(6, 8))
def lambda_shapes(k):
    libraries(k)

    def regrouped(x):
        batch, steps, width = K.int_shape(x)
        y = K.reshape(x, (-1, steps, 2, width // 2))
        return K.permute_dimensions(y, (0, 2, 1, 3))

    x = k.Input((6, 8))
    return k.Model(x, k.Dense(3)(k.Lambda(regrouped)(x)))


@fixture("tfkeras-2.3.4 tfkeras-2.15.1", "lambda mask embedding", ids(9, 7))
def lambda_masked(k):
    """A mean over the steps that count, by the mask that the layer hands to its function."""
    libraries(k)

    def average(x, mask=None):
        if mask is None:
            return K.mean(x, axis=1)
        counted = K.expand_dims(K.cast(mask, "float32"), -1)
        return K.sum(x * counted, axis=1) / (K.sum(counted, axis=1) + 1.0)

    x = k.Input((7,))
    return k.Model(x, k.Dense(2)(k.Lambda(average)(k.Embedding(9, 4, mask_zero=True)(x))))


@fixture("tfkeras-1.13.1 tfkeras-2.3.4 tfkeras-2.15.1", "lambda tensorflow timedistributed", real(5, 6))
def lambda_of_tensorflow(k):
    libraries(k)
    x = k.Input((5, 6))
    y = k.Lambda(lambda t: tf.concat([t[:, ::-1], tf.nn.relu(t)], axis=-1))(x)
    z = k.TimeDistributed(k.Lambda(lambda t: t * 2.0 - 1.0))(y)
    return k.Model(x, k.Dense(2)(z))
