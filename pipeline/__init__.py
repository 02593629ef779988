"""How a registry of legacy Keras models is moved: manifest, Beam graph, isolation, publishing and report."""

__version__ = "0.1.0"
