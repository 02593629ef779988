"""TensorFlow checkpoints with the architecture beside them, in each of the forms that people saved.

`object`: `save_weights(..., save_format="tf")` of tf.keras. `tracked`: `tf.train.Checkpoint(model=..., ...)`.
`saver`: `tf.train.Saver` over every variable of the session, training state included.
"""

import os

import numpy as np

from .catalogue import FIXTURES, Fixture
from .feeds import ids, real


class Checkpoint:
    """A model to save as a checkpoint: which fixture, in which form, by which runtimes."""

    def __init__(self, item: Fixture, form: str, runtimes: "list[str]") -> None:
        self.item = item
        self.form = form
        self.runtimes = runtimes

    @property
    def name(self) -> str:
        return "%s.%s" % (self.item.name, self.form)

    def save(self, runtime: object, model: object, path: str) -> None:
        getattr(self, "_" + self.form)(runtime, model, path)
        state = os.path.join(os.path.dirname(path), "checkpoint")
        if os.path.exists(state):
            os.remove(state)  # it holds the path of this machine
        with open(path + ".json", "w") as file:
            file.write(model.to_json())

    def _object(self, runtime: object, model: object, path: str) -> None:
        model.save_weights(path, save_format="tf")

    def _tracked(self, runtime: object, model: object, path: str) -> None:
        tf = runtime.tf
        other = runtime.Sequential([runtime.Dense(2, input_shape=(3,))])
        checkpoint = tf.train.Checkpoint(model=model, teacher=other, epoch=tf.Variable(7))
        os.replace(checkpoint.save(path) + ".index", path + ".index")
        os.replace(path + "-1.data-00000-of-00001", path + ".data-00000-of-00001")

    def _saver(self, runtime: object, model: object, path: str) -> None:
        saver = runtime.tf.compat.v1.train.Saver()
        saver.save(runtime.backend.get_session(), path, write_meta_graph=False)


TEXT_AND_VECTOR = (ids(9, None), real(4))
CHECKPOINTS = []  # type: list[Checkpoint]


def checkpoint(fixture: "str | Fixture", **runtimes: str) -> None:
    """Save a fixture, or that of a name, in the given forms, each under the given runtimes."""
    item = next((item for item in FIXTURES if item.name == fixture), fixture)
    CHECKPOINTS.extend(Checkpoint(item, form, names.split()) for form, names in sorted(runtimes.items()))


def _fit(k: object, model: object) -> None:
    model.compile("adam", "mse", metrics=["mae"])
    rng = np.random.RandomState(1)
    inputs = [feed.draw(rng, 8, 5) for feed in TEXT_AND_VECTOR]
    model.fit(inputs, rng.normal(size=(8, 2)), epochs=2, batch_size=4, verbose=0)


def trained_two_inputs(k: object) -> object:
    text, extra = k.Input((None,), name="text"), k.Input((4,), name="extra")
    y = k.Bidirectional(k.LSTM(3, return_sequences=True))(k.Embedding(9, 3)(text))
    y = k.Bidirectional(k.GRU(2), merge_mode="sum")(y)
    z = k.BatchNormalization()(k.Dense(3, activation="tanh")(extra))
    return k.Model([text, extra], k.Dense(2)(k.layers.concatenate([y, z])))


checkpoint(
    Fixture("trained_two_inputs", "", "fitted adam", TEXT_AND_VECTOR, trained_two_inputs, prepare=_fit),
    object="tfkeras-1.13.1 tfkeras-1.15.5 tfkeras-2.3.4 tfkeras-2.15.1",
    saver="keras-2.2.4 tfkeras-1.15.5",
)
checkpoint("emb_cudnn_lstm", object="tfkeras-2.3.4", saver="keras-2.2.4 tfkeras-1.15.5")
checkpoint("bi_cudnn_gru", object="tfkeras-1.13.1", saver="keras-2.3.1 tfkeras-1.13.1")
checkpoint("frozen_nested_norm", object="tfkeras-2.15.1", saver="tfkeras-1.15.5")
checkpoint("masked_bi_sequences", saver="keras-2.2.4")
checkpoint("cudnn_siamese", object="tfkeras-1.15.5", saver="keras-2.2.4")
checkpoint("cudnn_td_nested", object="tfkeras-2.8.4", saver="tfkeras-1.13.1")
checkpoint("stacked_cells", object="tfkeras-2.8.4", saver="keras-2.3.1")
checkpoint("gru_reset_after", tracked="tfkeras-2.8.4")
checkpoint("stateful", object="tfkeras-2.3.4", saver="tfkeras-1.13.1")
checkpoint("conv2d", saver="keras-2.3.1")
