"""Composes drawn layers: chains, branches, nested and shared models, passed recurrent states."""

from . import layers_image, layers_sequence
from .draw import Draw

MERGES = ["Add", "Multiply", "Average", "Maximum", "Minimum", "Subtract", "Concatenate", "Concatenate"]
MODES = ["concat", "concat", "sum", "mul", "ave"]


class Graph:
    """A random model under construction. Tensors are symbolic ones of the runtime `k`."""

    def __init__(self, k: object, draw: Draw, batch: "int | None") -> None:
        self.k, self.draw, self.batch = k, draw, batch
        self.features = set()
        self.first = False  # images have their channels first
        self.volumes = False  # (batch, a, b, c, channels) are volumes, not sequences of images
        self.assume_masked = False  # inside a model that will be called on a masked tensor

    # what is known of a tensor
    def shape(self, x: object) -> tuple:
        return tuple(self.k.backend.int_shape(x)[1:])

    def masked(self, x: object) -> bool:
        if self.assume_masked:
            return True
        if self.k.family == "tfkeras":
            return getattr(x, "_keras_mask", None) is not None
        layer, node, index = x._keras_history[:3]
        nodes = getattr(layer, "_inbound_nodes", None) or layer.inbound_nodes
        return nodes[node].output_masks[index] is not None

    @property
    def drops_masks(self) -> bool:
        """tf.keras 1.14 and later let a mask end silently; before, a layer that knows no masks is an error."""
        return self.k.family == "tfkeras" and self.k.version >= (1, 14)

    def input(self, shape: tuple, **options: object) -> object:
        if self.batch:
            return self.k.Input(batch_shape=(self.batch,) + tuple(shape), **options)
        return self.k.Input(tuple(shape), **options)

    # one layer that fits
    def layer(self, shape: tuple, masked: bool) -> object:
        """A layer that keeps the rank."""
        k, draw, rank = self.k, self.draw, len(shape) + 1
        roll = draw.rng.rand()
        if roll < 0.12:
            return layers_sequence.activation(k, draw, rank, None in shape[:-1])
        if roll < 0.18:
            return layers_sequence.harmless(k, draw, rank)
        if roll < 0.28 and not self.first:
            return layers_sequence.normalisation(k, draw, rank)
        if roll < 0.28:
            return k.BatchNormalization(axis=1)
        if rank == 2:
            return layers_sequence.dense(k, draw)
        if rank == 3:
            return self._sequence_layer(shape, masked)
        if rank == 4:
            return layers_image.image(k, draw, shape, self.first)
        if self.volumes:
            return layers_image.volume(k, draw, shape)
        if draw.chance(0.5):
            return layers_image.image_sequence(k, draw, True)
        return k.TimeDistributed(layers_image.image(k, draw, shape[1:], False))

    def _sequence_layer(self, shape: tuple, masked: bool) -> object:
        k, draw = self.k, self.draw
        roll = draw.rng.rand()
        if roll < 0.35:
            return layers_sequence.recurrent(k, draw, True, masked, bool(self.batch), steps=shape[0])
        if roll < 0.58:
            return layers_sequence.bidirectional(k, draw, True, masked, bool(self.batch), draw.pick(MODES))
        if roll < 0.63:
            return layers_sequence.cells(k, draw, True)
        if roll < 0.72:
            return k.TimeDistributed(layers_sequence.dense(k, draw))
        if roll < 0.77:
            return layers_sequence.dense(k, draw)
        if roll < 0.78 and shape[0] and not masked:
            return k.Permute((2, 1))
        if roll < 0.79:
            return k.Masking(draw.pick([0.0, 0.5]))
        if masked and not (self.drops_masks and draw.chance(0.4)):
            return k.TimeDistributed(layers_sequence.dense(k, draw))
        return layers_sequence.convolution(k, draw, shape[0])

    # tensors to tensors
    def step(self, x: object, depth: int) -> object:
        """One move that keeps the rank: a layer, a branch, or a model."""
        draw, rank = self.draw, len(self.shape(x)) + 1
        roll = draw.rng.rand()
        if roll < 0.62 or self.first:
            return self.layer(self.shape(x), self.masked(x))(x)
        if roll < 0.74:
            return self.branch(x)
        if roll < 0.88 and depth < 3:
            return self.nest(x, depth)
        if rank == 3 and roll < 0.96:
            return self.states(x)
        if rank == 3:
            return self.attention(x)
        return self.layer(self.shape(x), self.masked(x))(x)

    def branch(self, x: object) -> object:
        """A skip connection, or two layers side by side."""
        draw, k = self.draw, self.k
        units = self.shape(x)[-1]
        self.features.add("c_skip")
        rank = len(self.shape(x)) + 1
        if rank == 3 and draw.chance(0.5):
            y = layers_sequence.recurrent(k, draw, True, self.masked(x), False, units=units)(x)
        else:
            y = k.Dense(units, activation=draw.pick(["tanh", "elu", "linear"]))(x)
        kind = draw.pick(MERGES)
        options = {"axis": draw.pick([-1, rank - 1, 1])} if kind == "Concatenate" else {}
        if options.get("axis") == 1 and rank > 3:
            options["axis"] = -1
        return getattr(k, kind)(**options)([x, y])

    def chain(self, x: object, steps: int, depth: int) -> object:
        for _ in range(steps):
            x = self.step(x, depth)
        return x

    def nest(self, x: object, depth: int) -> object:
        """A model as a layer; one in three is called twice, and so shared."""
        k, draw = self.k, self.draw
        self.features.add(f"nested{depth + 1}")
        shape = self.shape(x)
        if draw.chance(0.25) and len(shape) == 2:
            return self.nest_two(x, depth)
        outside, self.assume_masked = self.assume_masked, self.masked(x)
        if draw.chance(0.4):
            self.features.add("nested_sequential")
            inner = self.sequential(shape, draw.units(1, 3))
        else:
            self.features.add("nested_model")
            entry = self.input(shape)
            inner = k.Model(entry, self.chain(entry, draw.units(1, 3), depth + 1), **draw.name("model"))
        self.assume_masked = outside
        y = inner(x)
        if draw.chance(0.35) and not self.batch:
            self.features.add("shared_nested")
            z = inner(k.Activation(draw.pick(["tanh", "linear"]))(x))
            return getattr(k, draw.pick(["Average", "Maximum", "Subtract", "Multiply"]))()([y, z])
        return y

    def nest_two(self, x: object, depth: int) -> object:
        """A model of two inputs and two outputs."""
        k, draw = self.k, self.draw
        self.features.add("nested_multi_io")
        a, b = self.input(self.shape(x)), self.input(self.shape(x))
        left = self.chain(a, 1, depth + 1)
        right = layers_sequence.dense(k, draw)(b)
        joint = k.Concatenate()([k.Dense(3)(a), right]) if draw.chance(0.6) else right
        outputs = k.Model([a, b], [left, joint])([x, k.Activation("tanh")(x)])
        return draw.pick(list(outputs))

    def sequential(self, shape: tuple, steps: int) -> object:
        """A Sequential of layers that fit one another."""
        k, draw = self.k, self.draw
        model = k.Sequential(**draw.name("sequential"))
        entry = {"batch_input_shape": (self.batch,) + tuple(shape)} if self.batch else {"input_shape": tuple(shape)}
        if draw.chance(0.3):
            self.features.add("inputlayer_first")
            model.add(k.layers.InputLayer(**entry))
        else:
            model.add(k.Activation("linear", **entry))
        for _ in range(steps):
            last = model.outputs[0]
            model.add(self.layer(self.shape(last), self.masked(last)))
        return model

    def states(self, x: object) -> object:
        """An encoder's states start a decoder, of one direction or of two."""
        k, draw = self.k, self.draw
        masked = self.masked(x)
        kind, units = draw.pick(["LSTM", "GRU", "SimpleRNN"]), draw.units(2, 5)
        same = dict(kind=kind, units=units)
        if draw.chance(0.45):
            self.features.add("c_bistates")
            maker = layers_sequence.recurrent(k, draw, draw.chance(0.5), masked, False, return_state=True, **same)
            mode = draw.pick(MODES)
            found = k.Bidirectional(maker, merge_mode=mode)(x)
            reader = layers_sequence.recurrent(k, draw, True, masked, False, **same)
            if draw.chance(0.3):
                self.features.add("bi_return_state")
                return found[0] if len(self.shape(found[0])) == 2 else k.RepeatVector(3)(k.Concatenate()(found[1:3]))
            return k.Bidirectional(reader, merge_mode=draw.pick(MODES))(x, initial_state=list(found[1:]))
        entry = k.TimeDistributed(k.Dense(3))(x) if draw.chance(0.5) else x
        reader = layers_sequence.recurrent(k, draw, True, masked, False, **same)
        if draw.chance(0.25):
            self.features.add("initial_state_dense")
            last = layers_sequence.recurrent(k, draw, False, masked, False)(x)
            count = 2 if kind == "LSTM" else 1
            return reader(entry, initial_state=[k.Dense(units, activation="tanh")(last) for _ in range(count)])
        self.features.add("c_states")
        maker = layers_sequence.recurrent(k, draw, draw.chance(0.5), masked, False, return_state=True, **same)
        return reader(entry, initial_state=list(maker(x)[1:]))

    def attention(self, x: object) -> object:
        """Scores over the steps, from Dot or from the runtime's attention layers."""
        k, draw = self.k, self.draw
        self.features.add("c_attention")
        kinds = [kind for kind in ("Attention", "AdditiveAttention") if k.has(kind)]
        if kinds and draw.chance(0.6):
            query = k.Dense(self.shape(x)[-1])(x)
            scale = {"use_scale": draw.chance(0.5)}
            return getattr(k, draw.pick(kinds))(**scale)([query, x])
        if k.has("MultiHeadAttention") and draw.chance(0.4):
            return k.MultiHeadAttention(2, 3)(x, x)
        scores = k.Dot(axes=2, normalize=draw.chance(0.4))([k.Dense(self.shape(x)[-1])(x), x])
        weights = k.Activation("softmax")(scores)
        return k.Dot(axes=(2, 1))([weights, x])
