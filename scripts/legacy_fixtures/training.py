"""Models that were trained a little, saved with their optimizer, and trained one step further.

The samples hold one training batch (`train_x0`, `train_y0`) and every weight after one more `train_on_batch` on it
(`after0`, `after1`, ... in the order of `get_weights`), as the legacy runtime itself continued.

Keras before 2.3 updates variables by reference: the gradient of one layer may be taken with the weights of the next
before or after their update, as TensorFlow happens to run them. Its models here have one layer, whose step is certain.
"""

import numpy as np

from .catalogue import Fixture
from .feeds import ids, real

STEPS = 5


class Training:
    """A model to train: which builder, with which optimizer, under which runtimes."""

    def __init__(self, name: str, runtimes: str, item: Fixture, optimizer: object, loss: str = "mse") -> None:
        self.name = "training_" + name
        self.runtimes = runtimes.split()
        self.item = item
        self.optimizer = optimizer
        self.loss = loss

    def train(self, k: object, model: object, rng: np.random.RandomState) -> dict:
        """Trains, and returns the batch of the next step."""
        model.compile(self.optimizer(k), self.loss, metrics=["mae"])
        batch = None
        for _ in range(STEPS + 1):
            if batch is not None:
                model.train_on_batch(*batch)
            inputs = [feed.draw(rng, 6, 5) for feed in self.item.feeds]
            units = int(model.outputs[0].shape[-1])
            targets = rng.normal(size=(6, units)).astype("float32")
            if self.loss == "categorical_crossentropy":
                targets = np.eye(units, dtype="float32")[rng.randint(units, size=6)]
            batch = (inputs if len(inputs) > 1 else inputs[0], targets)
        arrays = {"train_x%d" % i: value for i, value in enumerate(inputs)}
        return dict(arrays, train_y0=targets)

    def step(self, model: object, arrays: dict) -> dict:
        inputs = [arrays[key] for key in sorted(arrays) if key.startswith("train_x")]
        model.train_on_batch(inputs if len(inputs) > 1 else inputs[0], arrays["train_y0"])
        return {"after%d" % i: value for i, value in enumerate(model.get_weights())}


def dense(k: object) -> object:
    x = k.Input((4,))
    certain = k.family == "tfkeras" or k.version >= (2, 3)
    return k.Model(x, k.Dense(2)(k.Dense(3, activation="tanh")(x) if certain else x))


def recurrent(k: object) -> object:
    text, extra = k.Input((None,), name="text"), k.Input((4,), name="extra")
    words = k.Embedding(9, 3, name="words")
    words.trainable = False
    y = k.Bidirectional(k.LSTM(3))(words(text))
    z = k.Dense(3, activation="tanh", use_bias=False)(extra)
    return k.Model([text, extra], k.Dense(2, activation="softmax")(k.layers.concatenate([z, y])))


def regularized(k: object) -> object:
    l1, l2, both = k.keras.regularizers.l1, k.keras.regularizers.l2, k.keras.regularizers.l1_l2
    signal = k.Input((5, 4))
    y = k.Conv1D(3, 2, activation="tanh", kernel_regularizer=l2(0.1), bias_regularizer=l1(0.05))(signal)
    y = k.GRU(3, kernel_regularizer=l2(0.2), recurrent_regularizer=l1(0.02))(y)
    return k.Model(signal, k.Dense(2, kernel_regularizer=both(0.03, 0.3))(y))


def rate(k: object, value: float) -> dict:
    """The learning rate under the name of its day."""
    return {"lr" if k.version < (2, 3) and not (k.family == "tfkeras" and k.version >= (1, 14)) else "learning_rate": value}


def decay(k: object, value: float) -> dict:
    """The optimizers of 2.11 know no decay."""
    return {} if k.family == "tfkeras" and k.version >= (2, 11) else {"decay": value}


DENSE = Fixture("dense", "", "training", [real(4)], dense)
RECURRENT = Fixture("recurrent", "", "training embedding frozen", [ids(9, None), real(4)], recurrent)
REGULARIZED = Fixture("regularized", "", "training l1 l2", [real(5, 4)], regularized)
OLD = "keras-2.2.4 keras-2.3.1 tfkeras-1.15.5"
EACH = OLD + " tfkeras-2.15.1"

TRAININGS = [
    Training("sgd", EACH, DENSE, lambda k: k.keras.optimizers.SGD(momentum=0.9, **rate(k, 0.05), **decay(k, 0.1))),
    Training("sgd_nesterov", OLD, DENSE, lambda k: k.keras.optimizers.SGD(momentum=0.8, nesterov=True, **rate(k, 0.05))),
    Training("sgd_plain", "keras-2.2.4 tfkeras-2.3.4", DENSE, lambda k: k.keras.optimizers.SGD(clipvalue=0.1, **rate(k, 0.1))),
    Training("rmsprop", EACH, DENSE, lambda k: k.keras.optimizers.RMSprop(**rate(k, 0.01))),
    Training("rmsprop_decay", "keras-2.3.1", DENSE, lambda k: k.keras.optimizers.RMSprop(rho=0.8, **rate(k, 0.01), **decay(k, 0.2))),
    Training(
        "rmsprop_centered", "tfkeras-2.3.4 tfkeras-2.15.1", DENSE,
        lambda k: k.keras.optimizers.RMSprop(momentum=0.5, centered=True, **rate(k, 0.01)),
    ),
    Training("adagrad", EACH, DENSE, lambda k: k.keras.optimizers.Adagrad(**rate(k, 0.05))),
    Training("adadelta", EACH, DENSE, lambda k: k.keras.optimizers.Adadelta(**rate(k, 0.5))),
    Training("adam", "tfkeras-1.13.1 tfkeras-2.15.1", DENSE, lambda k: k.keras.optimizers.Adam(**rate(k, 0.01))),
    Training(
        "adam_amsgrad", "keras-2.2.4 tfkeras-2.8.4", DENSE,
        lambda k: k.keras.optimizers.Adam(amsgrad=True, **rate(k, 0.01), **decay(k, 0.05)),
    ),
    Training("adamax", EACH, DENSE, lambda k: k.keras.optimizers.Adamax(**rate(k, 0.01))),
    Training("nadam", EACH, DENSE, lambda k: k.keras.optimizers.Nadam(**rate(k, 0.01))),
    Training(
        "clipped", "keras-2.3.1 tfkeras-1.13.1 tfkeras-2.8.4", DENSE,
        lambda k: k.keras.optimizers.Adam(clipnorm=0.5, **rate(k, 0.05)),
    ),
    Training(
        "regularized", "keras-2.3.1 tfkeras-2.8.4", REGULARIZED,
        lambda k: k.keras.optimizers.SGD(momentum=0.9, **rate(k, 0.05)),
    ),
    Training(
        "recurrent", "keras-2.3.1 tfkeras-1.15.5 tfkeras-2.3.4 tfkeras-2.15.1", RECURRENT,
        lambda k: k.keras.optimizers.Adam(**rate(k, 0.02), **decay(k, 0.01)), "categorical_crossentropy",
    ),
]  # fmt: skip
