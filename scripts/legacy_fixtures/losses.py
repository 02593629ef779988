"""What only training needs, in the graph of a model: losses and metrics that were added to it, and what feeds them."""

from .catalogue import fixture
from .feeds import real


@fixture("tfkeras-2.3.4 tfkeras-2.8.4", "random vae encoder refused", real(6))
def sampling_encoder(k):
    """The encoder of a variational autoencoder: mean, logarithm of the variance, and a sample, which is random."""
    tf = k.tf
    x = k.Input((6,))
    h = k.Dense(5, activation="relu")(x)
    mean, log_variance = k.Dense(2, name="z_mean")(h), k.Dense(2, name="z_log_var")(h)
    drawn = tf.random.normal(tf.shape(mean)) if k.version >= (2, 4) else k.backend.random_normal(tf.shape(mean))
    return k.Model(x, [mean, log_variance, mean + tf.exp(0.5 * log_variance) * drawn])


@fixture("tfkeras-2.3.4 tfkeras-2.8.4 tfkeras-2.15.1", "addloss addmetric nested unused_branch", real(6))
def losses_and_metrics(k):
    """Two heads of one shape, the first of which only the loss of a nested model needs."""
    mean = k.tf.reduce_mean
    inside = k.Input((6,))
    h = k.Dense(5, activation="tanh")(inside)
    aside, ahead = k.Dense(5)(h), k.Dense(5)(h)
    inner = k.Model(inside, [ahead, k.Dense(3)(h)])
    inner.add_loss(mean(k.tf.square(aside)))
    inner.add_metric(mean(k.tf.abs(aside)), name="size", aggregation="mean")
    x = k.Input((6,))
    y = k.Dense(6, activation="relu")(x)
    used, other = inner(y)
    out = k.Dense(2)(used)
    model = k.Model(x, out)
    model.add_loss(mean(k.Dense(4)(other)) + mean(inner(x)[0]))
    model.add_metric(mean(out), name="level", aggregation="mean")
    return model
