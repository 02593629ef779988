"""Recurrent fixtures: CuDNN layers in every place they occur, masks, states, cells."""

from .catalogue import fixture
from .feeds import Feed, ids, padded, real


@fixture("keras-2.2.4 tfkeras-1.15.5 tfkeras-2.3.4", "cudnnlstm embedding", ids(20, None))
def emb_cudnn_lstm(k):
    model = k.Sequential()
    model.add(k.Embedding(20, 5, input_shape=(None,)))
    model.add(k.CuDNNLSTM(6))
    model.add(k.Dense(3, activation="softmax"))
    return model


@fixture("keras-2.2.4 tfkeras-2.8.4", "cudnngru return_sequences", real(None, 5))
def cudnn_gru(k):
    x = k.Input((None, 5), name="signal")
    y = k.CuDNNGRU(4, return_sequences=True)(x)
    return k.Model(x, k.Dense(2, name="score")(k.CuDNNGRU(6)(y)))


@fixture("keras-2.2.4", "cudnnlstm bidirectional every_merge_mode multi_output", real(None, 4))
def bi_cudnn_merges(k):
    x = k.Input((None, 4))
    outputs = []
    for mode in ("concat", "sum", "mul", "ave"):
        outputs.append(k.Bidirectional(k.CuDNNLSTM(3, return_sequences=True), merge_mode=mode)(x))
    outputs.extend(k.Bidirectional(k.CuDNNLSTM(3), merge_mode=None)(x))
    return k.Model(x, outputs)


@fixture("keras-2.3.1 tfkeras-1.13.1", "cudnngru bidirectional concat none", real(None, 4))
def bi_cudnn_gru(k):
    x = k.Input((None, 4))
    forward, backward = k.Bidirectional(k.CuDNNGRU(3, return_sequences=True), merge_mode=None)(x)
    y = k.Bidirectional(k.CuDNNGRU(4), merge_mode="concat")(k.layers.add([forward, backward]))
    return k.Model(x, k.Dense(2)(y))


@fixture("tfkeras-2.15.1", "cudnnlstm bidirectional backward_layer", real(None, 4))
def bi_backward_layer(k):
    x = k.Input((None, 4))
    backward = k.CuDNNLSTM(3, return_sequences=True, go_backwards=True, name="right_to_left")
    y = k.Bidirectional(k.CuDNNLSTM(5, return_sequences=True), backward_layer=backward)(x)
    y = k.Bidirectional(k.LSTM(3), backward_layer=k.GRU(3, go_backwards=True), merge_mode="ave")(y)
    return k.Model(x, y)


@fixture("keras-2.3.1 tfkeras-1.13.1", "cudnnlstm cudnngru units_equal_input_dim", real(None, 6))
def cudnn_square(k):
    model = k.Sequential()
    model.add(k.CuDNNLSTM(6, return_sequences=True, input_shape=(None, 6)))
    model.add(k.CuDNNGRU(6, return_sequences=True))
    model.add(k.TimeDistributed(k.Dense(2)))
    return model


@fixture("keras-2.2.4", "cudnnlstm cudnngru go_backwards", real(None, 4))
def cudnn_backwards(k):
    x = k.Input((None, 4))
    y = k.CuDNNLSTM(5, return_sequences=True, go_backwards=True)(x)
    return k.Model(x, [y, k.CuDNNGRU(3, go_backwards=True)(y)])


@fixture("keras-2.3.1 tfkeras-2.8.4", "cudnnlstm return_state initial_state seq2seq", ids(15, None), ids(12, None))
def cudnn_seq2seq(k):
    source, target = k.Input((None,), name="source"), k.Input((None,), name="target")
    _, h, c = k.CuDNNLSTM(5, return_state=True, name="encoder")(k.Embedding(15, 4)(source))
    y = k.CuDNNLSTM(5, return_sequences=True, name="decoder")(k.Embedding(12, 4)(target), initial_state=[h, c])
    return k.Model([source, target], k.TimeDistributed(k.Dense(12, activation="softmax"))(y))


def _nested_encoder(k):
    """A Sequential of a CuDNN layer, inside a functional model: depth 2 when called from a third."""
    inner = k.Sequential(name="inner")
    inner.add(k.CuDNNLSTM(4, return_sequences=True, input_shape=(None, 5)))
    inner.add(k.BatchNormalization())
    x = k.Input((None, 5))
    return k.Model(x, k.CuDNNGRU(3)(inner(x)), name="middle")


@fixture("keras-2.2.4 tfkeras-2.8.4", "cudnnlstm cudnngru nested2", real(None, 5))
def cudnn_nested(k):
    x = k.Input((None, 5))
    return k.Model(x, k.Dense(2)(_nested_encoder(k)(x)))


@fixture("keras-2.2.4", "cudnnlstm shared_layer siamese multi_input", ids(15, None), ids(15, None))
def cudnn_siamese(k):
    left, right = k.Input((None,), name="left"), k.Input((None,), name="right")
    embed, encode = k.Embedding(15, 5), k.CuDNNLSTM(4)
    a, b = encode(embed(left)), encode(embed(right))
    return k.Model([left, right], k.Dense(1, activation="sigmoid")(k.layers.concatenate([a, b])))


@fixture("keras-2.3.1 tfkeras-2.3.4", "cudnnlstm cudnngru timedistributed nested", real(None, 4, 5))
def cudnn_td_nested(k):
    x = k.Input((None, 4, 5))
    y = k.TimeDistributed(_nested_encoder(k), name="sentences")(x)
    return k.Model(x, k.Bidirectional(k.CuDNNLSTM(3))(y))


@fixture("keras-2.2.4 tfkeras-1.13.1", "lstm gru stateful", real(None, 4), batch=3)
def stateful(k):
    model = k.Sequential()
    model.add(k.LSTM(5, stateful=True, return_sequences=True, batch_input_shape=(3, None, 4)))
    model.add(k.GRU(4, stateful=True))
    model.add(k.Dense(2))
    return model


@fixture("keras-2.2.4 tfkeras-1.15.5", "lstm bidirectional mask timedistributed", ids(12, None, "mixed"))
def masked_bi_sequences(k):
    model = k.Sequential()
    model.add(k.Embedding(12, 4, mask_zero=True, input_shape=(None,)))
    model.add(k.Bidirectional(k.LSTM(3, return_sequences=True)))
    model.add(k.TimeDistributed(k.Dense(2)))
    return model


@fixture("keras-2.2.4 tfkeras-1.13.1 tfkeras-1.15.5", "lstm bidirectional mask last", padded(None, 4, "mixed", -1.0))
def masked_bi_last(k):
    model = k.Sequential()
    model.add(k.Masking(-1.0, input_shape=(None, 4)))
    model.add(k.Bidirectional(k.LSTM(3), merge_mode="sum"))
    model.add(k.Dense(2))
    return model


@fixture("keras-2.2.4 tfkeras-2.15.1", "gru reset_after multi_output", real(None, 4))
def gru_reset_after(k):
    x = k.Input((None, 4))
    return k.Model(x, [k.GRU(3, reset_after=True)(x), k.GRU(4, reset_after=False, recurrent_activation="sigmoid")(x)])


@fixture("keras-2.2.4", "gru no_bias", real(None, 4))
def gru_without_bias(k):
    """Without a bias no shape tells reset_after from its absence."""
    x = k.Input((None, 4))
    return k.Model(x, k.GRU(5, use_bias=False)(x))


@fixture("keras-2.0.9", "gru cudnnlstm no_reset_after_key", real(None, 4))
def gru_before_reset_after(k):
    x = k.Input((None, 4))
    return k.Model(x, k.Dense(2)(k.GRU(5)(k.CuDNNLSTM(3, return_sequences=True)(x))))


@fixture("keras-2.2.4 tfkeras-2.3.4", "stacked_cells lstm gru simplernn", real(None, 4))
def stacked_cells(k):
    x = k.Input((None, 4))
    mixed = k.StackedRNNCells([k.LSTMCell(4), k.GRUCell(3), k.SimpleRNNCell(5)])
    return k.Model(x, k.RNN(mixed, return_sequences=True)(x))


@fixture("keras-2.2.4", "stacked_cells mask", padded(None, 4, "mixed"))
def masked_stacked_cells(k):
    """Keras 2.2 gives the *first* state of the first cell as the output of a masked step; later Keras repeats."""
    x = k.Input((None, 4))
    cells = k.StackedRNNCells([k.LSTMCell(3), k.GRUCell(3)])
    return k.Model(x, k.RNN(cells, return_sequences=True)(k.Masking()(x)))


@fixture("keras-2.2.4", "lstm mask initial_state", padded(None, 4, "left"), real(3), real(3))
def masked_initial_state(k):
    """Before the first real step Keras 2.2 gives the initial state as its output; later Keras gives zeros."""
    x, h, c = k.Input((None, 4), name="signal"), k.Input((3,), name="h"), k.Input((3,), name="c")
    y = k.LSTM(3, return_sequences=True)(k.Masking()(x), initial_state=[h, c])
    return k.Model([x, h, c], k.TimeDistributed(k.Dense(2))(y))


@fixture("keras-2.3.1", "embedding mask timedistributed nested gru", Feed((3, 6), 12, "pages"))
def hierarchy(k):
    """Words to sentences to documents: the mask lives inside the model that TimeDistributed wraps."""
    words = k.Input((6,))
    sentence = k.Model(words, k.Bidirectional(k.GRU(3))(k.Embedding(12, 4, mask_zero=True)(words)))
    pages = k.Input((3, 6))
    return k.Model(pages, k.Dense(2)(k.LSTM(4)(k.TimeDistributed(sentence)(pages))))


@fixture("keras-2.2.4", "convlstm2d", real(None, 6, 6, 2))
def conv_lstm(k):
    x = k.Input((None, 6, 6, 2))
    y = k.ConvLSTM2D(2, 3, padding="same", return_sequences=True)(x)
    y = k.ConvLSTM2D(3, (3, 2), strides=(2, 1), go_backwards=True)(y)
    return k.Model(x, k.GlobalAveragePooling2D()(y))


@fixture("tfkeras-1.13.1 tfkeras-1.15.5", "bidirectional time_major masked reversed batch", ids(9, None, "mixed"), real(None, 3))
def bi_time_major(k):
    """Up to TensorFlow 2.2 the backward outputs were reversed on the second axis, which is the batch here."""
    tokens, x = k.Input((None,)), k.Input((None, 3))
    y = k.Bidirectional(k.LSTM(4, return_sequences=True, time_major=True))(k.Embedding(9, 5, mask_zero=True)(tokens))
    z = k.Bidirectional(k.GRU(3, return_sequences=True, time_major=True), merge_mode="sum")(x)
    return k.Model([tokens, x], [k.Dense(2)(y), z])
