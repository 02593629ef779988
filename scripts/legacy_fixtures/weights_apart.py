"""Weights saved by themselves, beside an architecture that is not quite that of the model that was saved."""

from .catalogue import Fixture
from .feeds import ids, real
from .freezing import block


class WeightsApart:
    """A model whose weights are saved, and one whose architecture is.

    Attributes:
        item: the model that was saved, and is run for the goldens.
        architecture: builds the other one; the same where it is None.
        ending: of the weights file.
    """

    def __init__(self, runtimes, item, architecture=None, ending=".h5"):
        self.name = "weights_" + item.name
        self.runtimes = runtimes.split()
        self.item = item
        self.architecture = architecture or item.build
        self.ending = ending

    def write_architecture(self, runtime, path):
        """Before the model that is saved is built, in a session of its own."""
        runtime.clear(0)
        with open(path + ".json", "w") as file:
            file.write(self.architecture(runtime).to_json())

    def save(self, runtime, model, path):
        model.save_weights(path + self.ending)


def recurrent(cudnn):
    """Both kinds alone, in Bidirectional, in a nested model over time."""

    def build(k):
        def lstm(units, **options):
            return k.CuDNNLSTM(units, **options) if cudnn else k.LSTM(units, recurrent_activation="sigmoid", **options)

        def gru(units, **options):
            if cudnn:
                return k.CuDNNGRU(units, **options)
            return k.GRU(units, recurrent_activation="sigmoid", reset_after=True, **options)

        pages = k.Input((3, 5, 4))
        inner = k.Sequential(name="inner")
        inner.add(k.Bidirectional(lstm(3, return_sequences=True), input_shape=(5, 4), name="both"))
        inner.add(gru(6, name="gru"))
        y = k.TimeDistributed(inner, name="over_time")(pages)
        y = k.Bidirectional(gru(2, return_sequences=True), merge_mode="sum", name="summed")(y)
        return k.Model(pages, k.Dense(2, name="out")(lstm(4, name="lstm")(y)))

    return build


def nested(k):
    x = k.Input((6,))
    return k.Model(x, k.Dense(3)(k.Sequential([block(k, "first", input_shape=(6,)), block(k, "second", input_shape=(6,))], name="inner")(x)))


def freeze_first(k, model):
    model.layers[1].layers[0].trainable = False


def later_in_a_session(build):
    """The same after other models: automatic names have gone on counting."""

    def later(k):
        for _ in range(2):
            build(k)
        return build(k)

    return later


def two_inputs(k):
    text, extra = k.Input((None,)), k.Input((6,))
    y = k.Bidirectional(k.LSTM(3, return_sequences=True))(k.Embedding(9, 6)(text))
    y = k.GlobalMaxPooling1D()(k.TimeDistributed(k.Dense(6))(y))
    z = k.Dense(6)(k.Dense(6, activation="tanh")(extra))
    return k.Model([text, extra], k.Dense(2)(k.layers.add([y, z])))


def objects(k):
    """Whatever keeps its arrays in objects of its own."""
    x = k.Input((6, 4))
    inner = k.Sequential([k.Dense(3), k.BatchNormalization()])
    y = k.TimeDistributed(inner)(k.Bidirectional(k.LSTM(3, return_sequences=True))(x))
    y = k.TimeDistributed(k.Dense(5))(y)
    y = k.SeparableConv1D(4, 2)(k.MultiHeadAttention(2, 3)(y, y))
    y = k.layers.RNN([k.layers.LSTMCell(3), k.layers.GRUCell(2)], return_sequences=True)(y)
    return k.Model(x, k.Dense(2)(k.Dense(2, activation="tanh")(k.GRU(3)(y))))


PAGES, BOTH = [real(3, 5, 4)], [ids(9, None), real(6)]
APART = [
    WeightsApart(
        "keras-2.3.1 tfkeras-1.15.5 tfkeras-2.8.4",
        Fixture("of_lstm_for_cudnn", "", "cudnn lstm gru bidirectional nested timedistributed", PAGES, recurrent(False)),
        recurrent(True),
    ),
    WeightsApart(
        "keras-2.3.1 tfkeras-1.15.5 tfkeras-2.8.4",
        Fixture("of_cudnn_for_lstm", "", "cudnn lstm gru bidirectional nested timedistributed", PAGES, recurrent(True)),
        recurrent(False),
    ),
    WeightsApart(
        "keras-2.2.4 tfkeras-2.15.1",
        Fixture("frozen_later", "", "frozen nested2", [real(6)], nested, prepare=freeze_first),
    ),
    WeightsApart(
        "keras-2.2.4 tfkeras-2.8.4",
        Fixture("of_another_session", "", "other_names embedding", BOTH, later_in_a_session(two_inputs)),
        two_inputs,
    ),
    WeightsApart("tfkeras-2.15.1", Fixture("of_objects", "", "weights.h5", [real(6, 4)], objects), ending=".weights.h5"),
]  # fmt: skip
