"""Questions that a file leaves open: each with the assumed answer, and a function that reads the model with another."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from transforms.architecture.graph import Graph, Layer, LayerPath
from transforms.errors import MigrationError, Reason
from transforms.lambda_functions.graph import with_translation_at
from transforms.legacy.release import Release, Writer, preferred_release, release_name, writer_of
from transforms.records.assumptions import Assumption, Choice
from transforms.records.expression import TRANSLATION, Translation
from transforms.records.runtime import Family
from transforms.releases.table import family_facts

if TYPE_CHECKING:
    from transforms.legacy.model import LegacyModel
    from transforms.weights.assignment import Assignment

#: The question of which TensorFlow release wrote a file, among those that record the same version.
RELEASE = "release"


@dataclass(frozen=True)
class OpenQuestion:
    """One question that a file leaves open.

    Attributes:
        assumption: the question, and the answer that is assumed.
        read: reads the model with an answer.
        warning: for the report, unless the question is decided.
    """

    assumption: Assumption
    read: Callable[[LegacyModel, str], LegacyModel]
    warning: str = ""


def with_open_questions(model: LegacyModel, questions: Sequence[OpenQuestion] = ()) -> LegacyModel:
    """The model with the assumed answers stated in its config, and the open questions.

    Only the release is not stated: most models compute the same under each candidate.

    Args:
        model: as stored.
        questions: those that arose while the file was read.
    """
    found = (*questions, *_dim_ordering(model), *_unstored(model), *_tensorflow(model), *_release(model))
    for each in found:
        if each.assumption.question != RELEASE:
            model = each.read(model, each.assumption.assumed)
    warnings = tuple(each.warning for each in found if each.warning)
    return replace(model, open_questions=found, warnings=(*model.warnings, *warnings))


def read_as(model: LegacyModel, choices: Sequence[Choice]) -> LegacyModel:
    """The model read with the chosen answers; the questions that they decide are no longer open.

    Raises MigrationError `internal_error` if a choice answers no open question.
    """
    for choice in choices:
        question = next((each for each in model.open_questions if _asks(each, choice)), None)
        if question is None:
            raise MigrationError(Reason.INTERNAL_ERROR, f"The file does not leave {choice.question!a} open")
        left = tuple(each for each in model.open_questions if each is not question)
        warnings = tuple(warning for warning in model.warnings if warning != question.warning)
        model = replace(question.read(model, choice.answer), open_questions=left, warnings=warnings)
    return model


def _asks(question: OpenQuestion, choice: Choice) -> bool:
    return (question.assumption.question, question.assumption.layer) == (choice.question, choice.layer)


def backend_question(assumed: str) -> OpenQuestion:
    """The backend of a file of Keras 1, which records none."""
    other = "tensorflow" if assumed == "theano" else "theano"
    because = "Keras 1 does not record its backend"
    return OpenQuestion(
        Assumption("backend", "", assumed, (other,), because),
        lambda model, backend: replace(model, runtime=replace(model.runtime, backend=backend)),
        f"The file records no backend: {assumed} is assumed from the form of its weight names.",
    )


def assignment_questions(found: Assignment) -> list[OpenQuestion]:
    """The questions of which array is which weight, if two assignments are possible."""
    other = found.other
    if other is None:
        return []
    assumed, alternative = found.answers

    def read(model: LegacyModel, answer: str) -> LegacyModel:
        if answer == assumed:
            return model
        return replace(model, arrays=other.by_position, named_arrays=other.by_name)

    return [OpenQuestion(Assumption("weights", "", assumed, (alternative,), found.question, alters_shapes=True), read)]


#: Layers of Keras 1 that depend on a data format and store none.
_SILENT_ON_FORMAT = frozenset(
    {"ZeroPadding2D", "ZeroPadding3D", "Cropping2D", "Cropping3D", "UpSampling2D", "UpSampling3D"}
)


def _dim_ordering(model: LegacyModel) -> Iterator[OpenQuestion]:
    """The dim_ordering of layers that do not store it, if no other layer of the model states one."""
    silent = [layer for layer in model.graph.walk() if _is_silent(layer)]
    stated = any(layer.config.get("dim_ordering") for layer in model.graph.walk())
    if model.runtime.is_keras_1 and silent and not stated:
        because = "Keras 1 does not store it, and no other layer states one"
        layer = "/".join(silent[0].path)
        yield OpenQuestion(
            Assumption("dim_ordering", layer, "tf", ("th",), because, alters_shapes=True),
            lambda model, ordering: replace(model, graph=_stated(model.graph, ordering)),
        )


def _stated(graph: Graph, ordering: str) -> Graph:
    return replace(graph, layers=tuple(_stated_layer(layer, ordering) for layer in graph.layers))


def _stated_layer(layer: Layer, ordering: str) -> Layer:
    silent = layer.class_name in _SILENT_ON_FORMAT
    return replace(
        layer,
        config={**layer.config, "dim_ordering": ordering} if silent else layer.config,
        graph=None if layer.graph is None else _stated(layer.graph, ordering),
        slots={slot: _stated_layer(inner, ordering) for slot, inner in layer.slots.items()},
    )


def _is_silent(layer: Layer) -> bool:
    return layer.class_name in _SILENT_ON_FORMAT and "dim_ordering" not in layer.config


#: Options that releases took and did not store, by class: the option, its default, the other values.
_UNSTORED = {
    "UpSampling2D": ("interpolation", "nearest", ("bilinear",)),
    "Normalization": ("invert", "false", ("true",)),
    **dict.fromkeys(("MaxPooling1D", "AveragePooling1D"), ("data_format", "channels_last", ("channels_first",))),
}
#: Answers that are no text in a config.
_VALUES = {"false": False, "true": True}


def _unstored(model: LegacyModel) -> Iterator[OpenQuestion]:
    """Options that a candidate release accepts and does not store."""
    releases = writer_of(model.graph, model.runtime).releases
    for layer in model.graph.walk():
        option, default, others = _UNSTORED.get(layer.class_name, ("", "", ()))
        if not option or option in layer.config or not releases:
            continue
        facts = family_facts(model.runtime.family)
        runs = {release: facts.class_facts(layer.class_name, release) for release in sorted(releases)}
        silent = [release for release, found in runs.items() if any(option in run.takes - run.stores for run in found)]
        if silent:
            because = f"{' and '.join(map(release_name, silent))} did not store it"
            yield OpenQuestion(
                Assumption(option, "/".join(layer.path), default, others, because),
                partial(_with_option, path=layer.path, option=option),
            )


def _with_option(model: LegacyModel, answer: str, path: LayerPath, option: str) -> LegacyModel:
    """The layer with the answered option. The default is not stated; another value must not be read as a sign of a
    later release.
    """
    if answer == _UNSTORED[_layer_at(model.graph, path).class_name][1]:
        return model
    release = preferred_release(writer_of(model.graph, model.runtime).releases)
    graph = _graph_with_option(model.graph, path, option, _VALUES.get(answer, answer))
    return replace(model, graph=graph, runtime=replace(model.runtime, release=release))


def _layer_at(graph: Graph, path: LayerPath) -> Layer:
    return next(layer for layer in graph.walk() if layer.path == path)


def _graph_with_option(graph: Graph, path: LayerPath, option: str, answer: object) -> Graph:
    return replace(graph, layers=tuple(_layer_with_option(layer, path, option, answer) for layer in graph.layers))


def _layer_with_option(layer: Layer, path: LayerPath, option: str, answer: object) -> Layer:
    return replace(
        layer,
        config={**layer.config, option: answer} if layer.path == path else layer.config,
        graph=None if layer.graph is None else _graph_with_option(layer.graph, path, option, answer),
        slots={slot: _layer_with_option(inner, path, option, answer) for slot, inner in layer.slots.items()},
    )


def _tensorflow(model: LegacyModel) -> Iterator[OpenQuestion]:
    """The TensorFlow under standalone Keras 2.3, if a Lambda's function depends on it."""
    earlier = {
        layer.path: found.on_tensorflow_1
        for layer in model.graph.walk()
        if isinstance(found := layer.config.get(TRANSLATION), Translation) and found.on_tensorflow_1 is not None
    }
    if not earlier:
        return

    def read(model: LegacyModel, answer: str) -> LegacyModel:
        return model if answer == "2" else replace(model, graph=with_translation_at(model.graph, earlier))

    layer = "/".join(next(iter(earlier)))
    because = "this Keras ran on both and does not record which, and the layer's function depends on it"
    yield OpenQuestion(Assumption("TensorFlow", layer, "2", ("1",), because), read)


def _release(model: LegacyModel) -> Iterator[OpenQuestion]:
    writer = writer_of(model.graph, model.runtime)
    if model.runtime.family is Family.TF_KERAS and len(writer.releases) > 1:
        names = {release_name(release): release for release in sorted(writer.releases)}
        yield OpenQuestion(
            release_assumption(model, writer),
            lambda model, name: replace(model, runtime=replace(model.runtime, release=names[name])),
        )


def release_assumption(
    model: LegacyModel, writer: Writer, what: str = "", layer: str = "", others: Sequence[Release] | None = None
) -> Assumption:
    """The assumption about which of several releases wrote a file.

    Args:
        model: the model.
        writer: the program that wrote it, as far as known.
        what: their difference, if known.
        layer: of the difference.
        others: releases that differ; None for all others.
    """
    assumed = preferred_release(writer.releases)
    rest = sorted(writer.releases - {assumed}) if others is None else others
    because = f"each of them records the version {model.runtime.recorded}"
    because = f"{because}, and {what} differs among them" if what else because
    return Assumption(RELEASE, layer, release_name(assumed), tuple(map(release_name, rest)), because)
