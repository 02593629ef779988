"""Determines the program that wrote a model, as narrowly as its file allows.

The recorded version names a standalone Keras exactly. Under tf.keras it denotes several TensorFlow releases, `2.2.4-tf`
five of them, which handle masks differently; signs in the configs exclude some of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from transforms.architecture.custom_names import is_custom
from transforms.architecture.graph import Graph, Layer, LayerPath
from transforms.records.runtime import Family, Runtime
from transforms.releases.ownership import is_looked_up, is_stored_by_keras, may_have_written, releases_that_store
from transforms.releases.table import Release as Release


class UndecidedRelease(Exception):
    """The candidate releases differ on a question.

    Attributes:
        what: the question on which they differ.
        layer: where it arose.
    """

    def __init__(self, what: str, layer: LayerPath = ()) -> None:
        super().__init__(f"{'/'.join(layer)}: {what}" if layer else what)
        self.what = what
        self.layer = layer


#: True for a release that may have written a config.
Sign: TypeAlias = Callable[[Release], bool]


@dataclass(frozen=True)
class Writer:
    """The program that wrote a model.

    Attributes:
        standalone: version of standalone Keras, else None.
        releases: TensorFlow releases that may have written the file; empty for standalone Keras.
        backend: `tensorflow`, `theano` or `cntk`.
    """

    standalone: Release | None
    releases: frozenset[Release]
    backend: str

    def agree_on(self, rule: Callable[[Release], bool], what: str, path: LayerPath) -> bool:
        """The answer to a question on which releases of TensorFlow differ. Raises UndecidedRelease if the candidates
        differ.
        """
        answers = {rule(release) for release in self.releases}
        if len(answers) == 1:
            return answers.pop()
        names = ", ".join(".".join(map(str, release)) for release in sorted(self.releases))
        raise UndecidedRelease(
            f"{what} differs among the TensorFlow releases ({names}) that may have written the file", path
        )

    def candidates(self) -> list[Writer]:
        """One writer for each release that may have written the file."""
        return [replace(self, releases=frozenset({release})) for release in sorted(self.releases)]


def preferred_release(releases: Iterable[Release]) -> Release:
    """The release assumed to have written a file, among the candidates; empty if there are none.

    The last 1.x release and 1.13, which were widely used, are preferred to their neighbours.
    """
    candidates = frozenset(releases)
    preferred = [release for release in ((1, 15), (1, 13)) if release in candidates]
    return preferred[0] if preferred else max(candidates, default=())


def release_name(release: Release) -> str:
    """The release as text, for display."""
    return f"TensorFlow {'.'.join(map(str, release))}"


def writer_of(graph: Graph, runtime: Runtime) -> Writer:
    """The writer, from the recorded version and the configs of the whole model."""
    backend = runtime.backend or "tensorflow"
    if runtime.family is Family.KERAS:
        return Writer(runtime.version, frozenset(), backend)
    if runtime.family is Family.KERAS_3:
        return Writer(None, frozenset({runtime.version[:2]}), "tensorflow")
    if runtime.release:
        return Writer(None, frozenset({runtime.release}), "tensorflow")
    releases = frozenset(may_have_written(runtime))
    complete = is_stored_by_keras(graph)
    for layer in graph.walk():
        if is_looked_up(layer, runtime) and not is_custom(layer.class_name):
            releases = releases.intersection(releases_that_store(layer, runtime, complete)) or releases
    for sign in _signs(graph):
        # Signs that contradict the recorded version come from a model that was loaded and saved again.
        releases = frozenset(filter(sign, releases)) or releases
    return Writer(None, releases, "tensorflow")


def _signs(graph: Graph) -> Iterator[Sign]:
    """Yields, for each sign in the configs, the test for releases that write it."""
    for layer in _stored_inputs(graph):
        yield _stores_ragged("ragged" in layer.config)
    for layer in graph.walk():
        if layer.class_name == "BatchNormalizationV1":
            yield lambda release: release == (1, 13)
        elif layer.class_name == "UpSampling2D":
            yield _since((1, 15), "interpolation" in layer.config)
        elif layer.class_name == "Bidirectional":
            yield from _signs_of_bidirectional(layer)
        yield from _signs_of_initializers(layer.config)


def _since(first: Release, has: bool) -> Sign:
    """The test for a feature introduced with a release: if present, that release or later; if absent, an earlier
    one.
    """
    return lambda release: (release >= first) == has


def _stores_ragged(has: bool) -> Sign:
    """`InputLayer.get_config` stores it in TensorFlow 1.15 and from 2.1 on, not in 2.0."""
    return lambda release: (release == (1, 15) or release >= (2, 1)) == has


def _stored_inputs(graph: Graph) -> Iterator[Layer]:
    """Input layers stored in the file. A Sequential's is often implied, and then shows no signs."""
    for layer in graph.layers:
        if layer.graph is not None:
            yield from _stored_inputs(layer.graph)
        elif layer.class_name == "InputLayer" and (graph.class_name != "Sequential" or "ragged" in layer.config):
            yield layer


def _signs_of_bidirectional(layer: Layer) -> Iterator[Sign]:
    """1.13 sets `zero_output_for_mask` on every layer it wraps; `backward_layer` came with 1.14."""
    wrapped = layer.slots["forward"]
    # The CuDNN layers and ConvLSTM2D never had the option.
    if wrapped.class_name in ("SimpleRNN", "LSTM", "GRU", "RNN") and not wrapped.config.get("return_sequences", False):
        yield _since((1, 14), not wrapped.config.get("zero_output_for_mask", False))
    if "backward" in layer.slots:
        yield _since((1, 14), True)


def _signs_of_initializers(config: Mapping[str, Any]) -> Iterator[Sign]:
    """The initializers of TensorFlow 1.x store a `dtype`, those of 2.x do not."""
    for key in ("kernel_initializer", "embeddings_initializer", "gamma_initializer", "depthwise_initializer"):
        initializer = config.get(key)
        stored = initializer.get("config") if isinstance(initializer, Mapping) else None
        if isinstance(stored, Mapping):
            yield _since((2, 0), "dtype" not in stored)
