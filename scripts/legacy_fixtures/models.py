"""Whole random models: what comes in, what is done to it, what goes out."""

from . import layers_image, layers_sequence
from .draw import ANY, Draw
from .feeds import Feed
from .graph import MERGES, Graph

PADS = ["right", "right", "left", "middle", "mixed"]
KINDS = (
    ["text"] * 5 + ["signal"] * 5 + ["image"] * 3 + ["vector"] * 2 + ["volume", "frames"] + ["documents", "pages"] * 2
)


class Composer:
    """Draws one model. Used twice with the same seed, it draws the same model."""

    def __init__(self, k: object, seed: int) -> None:
        self.k, self.draw, self.feeds = k, Draw(seed), []
        self.batch = 3 if self.draw.chance(0.12) else None
        self.graph = Graph(k, self.draw, self.batch)
        if self.batch:
            self.graph.features.add("stateful_model")

    def compose(self) -> object:
        model = self.base()
        if self.draw.chance(0.15) and not self.batch:
            return self.reuse(model)
        return model

    def reuse(self, model: object) -> object:
        """What people did with a trained model: cut its head off, wrap it, move its layers elsewhere."""
        k, draw = self.k, self.draw
        kinds = ["wrapped"] if len(model.inputs) == len(model.outputs) == 1 else ["kept"]
        if type(model).__name__ == "Sequential" and len(model.layers) > 2:
            kinds.append("moved")
        elif len(model.outputs) == 1 and not isinstance(model.layers[-2].output, list):
            kinds.append("cut")
        kind = draw.pick(kinds)
        self.graph.features.add(f"reuse_{kind}")
        if kind == "wrapped":
            entry = self.graph.input(self.feeds[0].shape)
            return k.Model(entry, k.Activation("tanh")(model(entry)))
        if kind == "cut":
            return k.Model(model.inputs, self.pool(model.layers[-2].output))
        if kind == "moved":
            moved = k.Sequential()
            for layer in model.layers[:-1]:
                moved.add(layer)
            moved.add(k.Activation("tanh"))
            return moved
        return model

    def base(self) -> object:
        draw = self.draw
        if draw.chance(0.22):
            return self.plain()
        if draw.chance(0.15):
            return self.siamese()
        vectors, inputs, extra = [], [], []
        for _ in range(draw.pick([1, 1, 1, 2, 2, 3])):
            kind = draw.pick(KINDS)
            x, y = self.entry(kind)
            inputs.append(x)
            y = self.graph.chain(y, draw.units(1, 3), 0)
            if draw.chance(0.15):
                extra.append(y)
            vectors.append(self.pool(y))
        return self.k.Model(inputs, self.head(vectors, extra), **draw.name("model"))

    def entry(self, kind: str) -> tuple:
        """An input of this kind, and what is computed on."""
        k, draw, graph = self.k, self.draw, self.graph
        graph.first = kind == "image" and k.family == "keras" and draw.chance(0.25)
        graph.volumes = kind == "volume"
        steps = None if draw.chance(0.6) else draw.pick([6, 8])
        pad = draw.pick(PADS) if draw.chance(0.55) else ""
        if kind == "text":
            shape, size = (steps,), draw.pick([8, 15])
            self.feeds.append(Feed(shape, size, pad))
        elif kind == "signal":
            shape, value = (steps, draw.units(3, 5)), draw.pick([0.0, 0.5, -1.0])
            self.feeds.append(Feed(shape, 0, pad, value))
        else:
            shape = {
                "image": (draw.units(3, 4), 8, 7) if graph.first else (8, 7, draw.units(1, 4)),
                "volume": (5, 4, 6, 2),
                "frames": (4, 6, 5, 2),
                "documents": (3, 6, 4),
                "pages": (3, 6),
                "vector": (draw.units(3, 8),),
            }[kind]
            self.feeds.append(Feed(shape, 9 if kind == "pages" else 0, "pages" if kind == "pages" and pad else ""))
        if kind in ("text", "signal") and pad:
            graph.features.add(f"mask_pad_{pad}")
        if graph.first:
            graph.features.add("channels_first")
        x = y = graph.input(shape, **draw.name("input"))
        if kind == "text":
            y = k.Embedding(size, draw.units(3, 6), mask_zero=bool(pad), **draw.name("Embedding"))(x)
        elif kind == "signal" and pad:
            y = k.Masking(value, **draw.name("Masking"))(x)
        elif kind in ("documents", "pages"):
            y = self.documents(x, shape, kind == "pages", bool(pad))
        return x, y

    def documents(self, x: object, shape: tuple, words: bool, masked: bool) -> object:
        """TimeDistributed over a model that reads a sentence, of words or of vectors."""
        graph, k, draw = self.graph, self.k, self.draw
        graph.features.add("timedistributed_model")
        outside, graph.batch = graph.batch, None
        if words:
            graph.features.add("td_embedding_mask" if masked else "td_embedding")
            entry = graph.input(shape[1:])
            y = k.Embedding(9, draw.units(3, 5), mask_zero=masked)(entry)
            inner = k.Model(entry, self.pool(graph.chain(y, draw.units(0, 1), 1)))
        elif draw.chance(0.4):
            inner = graph.sequential(shape[1:], draw.units(1, 2))
            inner.add(self.pool_layer(graph.shape(inner.outputs[0]), graph.masked(inner.outputs[0])))
        else:
            entry = graph.input(shape[1:])
            inner = k.Model(entry, self.pool(graph.chain(entry, draw.units(1, 2), 1)))
        graph.batch = outside
        return k.TimeDistributed(inner)(x)

    def pool_layer(self, shape: tuple, masked: bool) -> object:
        """A layer that ends in a vector."""
        k, draw, graph = self.k, self.draw, self.graph
        rank = len(shape) + 1
        if rank == 2:
            return layers_sequence.dense(k, draw)
        if rank == 3:
            free = [] if None in shape or (masked and not graph.drops_masks) else ["Flatten"]
            pools = ["GlobalMaxPooling1D", "GlobalAveragePooling1D"] if not masked or graph.drops_masks else []
            kind = draw.pick(["rnn", "rnn", "bidirectional", "bidirectional", "cells"] + free + pools)
            if kind == "rnn":
                return layers_sequence.recurrent(k, draw, False, masked, bool(self.batch), steps=shape[0])
            if kind == "bidirectional":
                mode = draw.pick(["concat", "concat", "sum", "mul", "ave"])
                return layers_sequence.bidirectional(k, draw, False, masked, bool(self.batch), mode)
            if kind == "cells":
                return layers_sequence.cells(k, draw, False)
            return getattr(k, kind)()
        if rank == 4:
            order = {"data_format": "channels_first"} if graph.first else {}
            if draw.chance(0.4):
                return getattr(k, draw.pick(["GlobalMaxPooling2D", "GlobalAveragePooling2D"]))(**order)
            return k.Flatten(**(order if draw.chance(0.4) and k.version >= (2, 2) else {}))
        if graph.volumes:
            return getattr(k, draw.pick(["GlobalMaxPooling3D", "GlobalAveragePooling3D", "Flatten"]))()
        return draw.pick([k.Flatten(), k.GlobalMaxPooling3D()])

    def pool(self, x: object) -> object:
        k, draw, graph = self.k, self.draw, self.graph
        shape, masked = graph.shape(x), graph.masked(x)
        if len(shape) == 2 and draw.chance(0.12):
            graph.features.add("c_binone")
            both = layers_sequence.bidirectional(k, draw, False, masked, bool(self.batch), None)(x)
            return getattr(k, draw.pick(["Concatenate", "Add", "Maximum"]))()(list(both))
        if len(shape) == 3 and draw.chance(0.2) and not graph.first:
            rows = k.Reshape((shape[0], shape[1] * shape[2]))(x)
            return self.pool(rows)
        if len(shape) == 4 and not graph.volumes and draw.chance(0.5):
            return self.pool(layers_image.image_sequence(k, draw, False)(x))
        return self.pool_layer(shape, masked)(x)

    def siamese(self) -> object:
        """One encoder, layer or model, for two inputs."""
        k, draw, graph = self.k, self.draw, self.graph
        graph.features.update(["c_siamese", "shared_layer"])
        x, y = self.entry("text" if draw.chance(0.5) else "signal")
        first = y._keras_history[0]
        embed = first if y is not x else None
        self.feeds.append(self.feeds[-1])
        other = graph.input(self.feeds[-1].shape)
        z = embed(other) if embed else other
        shape, masked = graph.shape(y), graph.masked(y)
        if draw.chance(0.5):
            entry = graph.input(shape)
            outside, graph.assume_masked = graph.assume_masked, masked
            encoder = k.Model(entry, self.pool(graph.chain(entry, 1, 1)))
            graph.assume_masked = outside
        else:
            encoder = layers_sequence.recurrent(k, draw, False, masked, False)
        if draw.chance(0.3):
            graph.features.add("dangling_call")
            encoder(graph.input(shape))
        a, b = encoder(y), encoder(z)
        if draw.chance(0.4):
            graph.features.add("c_dot")
            out = k.Dot(axes=1, normalize=draw.chance(0.5))([a, b])
        else:
            out = layers_sequence.dense(k, draw)(getattr(k, draw.pick(MERGES))()([a, b]))
        return k.Model([x, other], out)

    def plain(self) -> object:
        """A Sequential, the shape most registries are full of."""
        k, draw, graph = self.k, self.draw, self.graph
        model = k.Sequential(**draw.name("sequential"))
        kind = draw.pick(["text", "text", "signal", "signal", "image", "vector"])
        steps, pad = None if draw.chance(0.6) else 7, draw.pick(PADS) if draw.chance(0.55) else ""
        shape = {"text": (steps,), "signal": (steps, 4), "image": (8, 7, 3), "vector": (6,)}[kind]
        entry = {"batch_input_shape": (self.batch,) + shape} if self.batch else {"input_shape": shape}
        value = draw.pick([0.0, -1.0])
        if kind == "text":
            self.feeds.append(Feed(shape, 12, pad))
            model.add(k.Embedding(12, draw.units(3, 6), mask_zero=bool(pad), **entry))
        elif kind == "signal" and pad:
            self.feeds.append(Feed(shape, 0, pad, value))
            model.add(k.Masking(value, **entry))
        else:
            self.feeds.append(Feed(shape))
            if draw.chance(0.3):
                graph.features.add("model_first")
                model.add(graph.sequential(shape, 1))
            elif draw.chance(0.3):
                graph.features.add("inputlayer_first")
                model.add(k.layers.InputLayer(**entry))
            else:
                model.add(k.Dense(4, **entry))
        if kind in ("text", "signal") and pad:
            graph.features.add(f"mask_pad_{pad}")
        for _ in range(draw.units(1, 4)):
            last = model.outputs[0]
            model.add(graph.layer(graph.shape(last), graph.masked(last)))
        last = model.outputs[0]
        if len(graph.shape(last)) > 1 and draw.chance(0.8):
            model.add(self.pool_layer(graph.shape(last), graph.masked(last)))
        model.add(layers_sequence.dense(k, draw))
        return model

    def head(self, vectors: list, extra: list) -> list:
        """Merge what the branches gave, and end in one to three outputs."""
        k, draw, graph = self.k, self.draw, self.graph
        y = vectors[0]
        if len(vectors) > 1:
            units = draw.units(2, 5)
            kind = draw.pick(["Concatenate", "Concatenate", "Add", "Average", "Maximum", "Multiply"])
            if kind != "Concatenate":
                vectors = [k.Dense(units, activation="tanh")(vector) for vector in vectors]
            y = getattr(k, kind)()(vectors)
        y = graph.chain(y, draw.units(0, 2), 0)
        if draw.chance(0.12):
            steps = k.RepeatVector(4)(y)
            extra = extra + [graph.chain(steps, 1, 1)]
        outputs = [k.Dense(draw.units(1, 5), activation=draw.pick(ANY), **draw.name("out"))(y)] + extra
        if draw.chance(0.15):
            outputs.append(y)
        if draw.chance(0.05):
            graph.features.add("duplicate_output")
            outputs.append(outputs[0])
        return outputs if len(outputs) > 1 else outputs[0]
