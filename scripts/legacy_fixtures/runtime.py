"""One legacy Keras, whichever package it came in, under one set of names."""

import importlib
import os

import numpy as np

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")

# Where each generation keeps `preprocess_weights_for_loading`. From 2.6 tf.keras is the `keras` package again, and
# what is left under `tensorflow.python.keras` is another copy with other classes.
CONVERSIONS = {
    "keras": ["keras.engine.saving", "keras.engine.topology"],
    "tfkeras": ["tensorflow.python.keras.saving.hdf5_format", "tensorflow.python.keras.engine.saving"],
    "tfkeras-2.6": [
        "keras.saving.hdf5_format",
        "keras.saving.legacy.hdf5_format",
        "keras.src.saving.legacy.hdf5_format",
    ],
}


class Runtime:
    """The layers, models and backend of a runtime such as `keras-2.2.4` or `tfkeras-1.15.5`.

    Recurrent CuDNN layers cannot run on a CPU. `on_cpu` makes `CuDNNLSTM` and `CuDNNGRU` build the layers which the
    runtime itself names as their CPU equivalents, so that one builder gives the model that is saved and, built once
    more, the model that is run.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.family, version = name.split("-", 1)
        self.version = tuple(int(part) for part in version.split("."))
        self.on_cpu = False
        self.has_cudnn = False
        self.tf = importlib.import_module("tensorflow")
        if self.family == "keras":
            self.keras = importlib.import_module("keras")
        else:
            self.keras = self.tf.keras
        found = self.keras.__version__ if self.family == "keras" else self.tf.__version__
        if not found.startswith(version):
            raise RuntimeError(f"this interpreter holds {found}, not {name}")
        self.backend = self.keras.backend
        self.layers = self.keras.layers
        if not self.is_tf2:
            self.tf.compat.v1.logging.set_verbosity("ERROR")
        else:
            self.tf.config.threading.set_intra_op_parallelism_threads(1)
            self.tf.config.threading.set_inter_op_parallelism_threads(1)
        self._cudnn = self.tf.compat.v1.keras.layers if self.is_tf2 else self.layers

    @property
    def is_tf2(self) -> bool:
        return self.family == "tfkeras" and self.version[0] == 2

    @property
    def has_reset_after(self) -> bool:
        return self.family == "tfkeras" or self.version >= (2, 1, 3)

    def __getattr__(self, layer: str) -> object:
        """A layer class, or Model, Sequential and Input."""
        for home in (self.__dict__["layers"], self.__dict__["keras"], self.__dict__["keras"].models):
            if hasattr(home, layer):
                return getattr(home, layer)
        raise AttributeError(f"{self.name} has no {layer}")

    def has(self, layer: str) -> bool:
        return hasattr(self.layers, layer)

    def CuDNNLSTM(self, units: int, **options: object) -> object:
        self.has_cudnn = True
        if self.on_cpu:
            return self.layers.LSTM(units, recurrent_activation="sigmoid", **options)
        return self._cudnn.CuDNNLSTM(units, **options)

    def CuDNNGRU(self, units: int, **options: object) -> object:
        self.has_cudnn = True
        if self.on_cpu:
            return self.layers.GRU(units, recurrent_activation="sigmoid", reset_after=True, **options)
        return self._cudnn.CuDNNGRU(units, **options)

    def preprocess_weights(self, layer: object, weights: "list[np.ndarray]") -> "list[np.ndarray]":
        """The runtime's own conversion of stored weights to what `layer` holds (CuDNN to CPU layouts)."""
        homes = CONVERSIONS[self.family] if self.version < (2, 6) else CONVERSIONS["tfkeras-2.6"]
        for home in homes:
            try:
                convert = importlib.import_module(home).preprocess_weights_for_loading
            except (ImportError, AttributeError):
                continue
            return convert(layer, weights, "2.0.0", "tensorflow")
        raise RuntimeError(f"{self.name} has no weight conversion")

    def clear(self, seed: int) -> None:
        """A fresh graph and session, and known seeds."""
        self.backend.clear_session()
        np.random.seed(seed % (1 << 32))
        self.has_cudnn = False
        if self.is_tf2:
            self.tf.random.set_seed(seed % (1 << 31))
            return
        self.tf.compat.v1.set_random_seed(seed % (1 << 31))
        # a session places its whole graph, CuDNN operations that are never run included, unless told to prune first
        v1 = self.tf.compat.v1
        pruned = v1.GraphOptions(place_pruned_graph=True)
        threads = dict(intra_op_parallelism_threads=1, inter_op_parallelism_threads=1)
        self.backend.set_session(v1.Session(config=v1.ConfigProto(graph_options=pruned, **threads)))
