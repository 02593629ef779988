"""Nested models with frozen parts, whose arrays follow the trained ones."""

from .catalogue import fixture
from .feeds import real


def block(k, name, **options):
    """Dense and normalization of one shape, so that nothing but names and order tells two blocks apart."""
    return k.Sequential([k.Dense(6, activation="tanh", **options), k.BatchNormalization()], name=name)


def freeze_first_block(k, model):
    model.layers[1].layer.layers[0].trainable = False


@fixture(
    "keras-2.2.4 keras-2.3.1 tfkeras-1.13.1 tfkeras-2.15.1",
    "frozen nested2 timedistributed batchnorm", real(5, 6), prepare=freeze_first_block,
)  # fmt: skip
def frozen_block_over_time(k):
    x = k.Input((5, 6))
    inner = k.Sequential([block(k, "first", input_shape=(6,)), block(k, "second", input_shape=(6,))], name="inner")
    return k.Model(x, k.Dense(2)(k.Flatten()(k.TimeDistributed(inner)(x))))


def freeze_left(k, model):
    next(layer for layer in model.layers if layer.name == "both").get_layer("left").trainable = False


@fixture("keras-2.3.1 tfkeras-1.13.1 tfkeras-2.15.1", "frozen branches nested2", real(6), real(6), prepare=freeze_left)
def frozen_branch(k):
    x, y, inner_x, inner_y = k.Input((6,)), k.Input((6,)), k.Input((6,)), k.Input((6,))
    joined = k.layers.concatenate([block(k, "left", input_shape=(6,))(inner_x), block(k, "right", input_shape=(6,))(inner_y)])
    return k.Model([x, y], k.Dense(2)(k.Model([inner_x, inner_y], joined, name="both")([x, y])))


@fixture("tfkeras-1.13.1 tfkeras-2.8.4", "batchnorm renorm nested", real(5, 4))
def renormalized(k):
    x = k.Input((5, 4))
    inner = k.Sequential([k.BatchNormalization(renorm=True, input_shape=(5, 4)), k.Dense(3)], name="inner")
    return k.Model(x, k.BatchNormalization(renorm=True)(inner(x)))
