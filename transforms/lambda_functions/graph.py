"""Translates the stored functions of a model, each for the inputs that it has in the graph."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import product
from typing import Any

from transforms.architecture.graph import Graph, Layer, LayerPath, input_count
from transforms.errors import MigrationError, Reason
from transforms.lambda_functions.calls import takes
from transforms.lambda_functions.constants import constants_of, refuse_strangers
from transforms.lambda_functions.layer_call import Inputs
from transforms.lambda_functions.marshal_reader import Unreadable
from transforms.lambda_functions.shape_function import translated_shape
from transforms.lambda_functions.stored_function import StoredFunction, is_function, looks_dumped, stored_function
from transforms.lambda_functions.trace import Era
from transforms.lambda_functions.translate import NotTranslated, Translated, translate, translate_mask
from transforms.lambda_functions.values import Function
from transforms.layer_specs.output_shapes import output_shapes
from transforms.limits import DEFAULT_LIMITS, Limits
from transforms.records.assumptions import Assumption
from transforms.records.expression import AS_LIST, TRANSLATION, Translation, Variant
from transforms.records.inspection import Shape
from transforms.records.runtime import Family

#: The class of a layer that holds a function.
LAMBDA = "Lambda"

#: Maximum number of masked inputs, of which every combination is translated.
_MOST_MASKED = 3

_ADVICE = (
    "Give a function of this meaning in the manifest's `custom_objects` column, named after the layer, and pass "
    "--allow-custom-code."
)
_MISSING_ADVICE = (
    "Where it stands for a value, give that in the manifest's column `constants`; else give a function of this meaning "
    "in column `custom_objects`, named after the layer, and pass --allow-custom-code."
)


def with_functions_of_merge(graph: Graph) -> Graph:
    """Replaces `Merge(mode=function)` of Keras 1 and 2 by the equivalent Lambda, which is called with a list, even of
    one tensor.
    """
    return replace(graph, layers=tuple(map(_as_lambda, graph.layers)))


def _as_lambda(layer: Layer) -> Layer:
    if layer.graph is not None:
        return replace(layer, graph=with_functions_of_merge(layer.graph))
    config = layer.config
    if layer.class_name != "Merge" or not is_function(config.get("mode"), config.get("mode_type")):
        return replace(layer, slots={slot: _as_lambda(inner) for slot, inner in layer.slots.items()})
    renamed = {"mode": "function", "mode_type": "function_type", "output_mask": "mask", "output_mask_type": "mask_type"}
    options = {renamed.get(key, key): value for key, value in config.items() if key != "layers"}
    return replace(layer, class_name=LAMBDA, config={**options, AS_LIST: True})


def with_translations(
    graph: Graph,
    era: Era,
    constants: Mapping[str, Mapping[str, Any]] | None = None,
    limits: Limits = DEFAULT_LIMITS,
) -> Graph:
    """The graph, with the translation of each Lambda in its config.

    Args:
        graph: of known classes and without cycles.
        era: the libraries that its functions were written for.
        constants: values that the operator gives to global names, by layer.
        limits: the budget of the model.

    Raises:
        MigrationError: `unsafe_lambda`, `custom_objects_needed` (a name that the file does not define), `over_budget`,
            `unsupported_layer`.
    """
    lambdas = {layer.path: layer for layer in graph.walk() if layer.class_name == LAMBDA}
    given = constants or {}
    refuse_strangers(given, lambdas.values())
    if not lambdas:
        return graph
    makes_masks = any(_makes_mask(layer) for layer in graph.walk())
    functions = {
        path: _LayerFunction(layer, era, constants_of(layer, given), makes_masks, limits)
        for path, layer in lambdas.items()
    }
    output_shapes(graph, era.runtime, lambda layer, inputs: functions[layer.path].results(inputs))
    return _translated(graph, functions)


def taken_for_granted(graph: Graph) -> Iterator[Assumption]:
    """The assumptions about each Lambda: the meanings of its global names, which the file does not record."""
    for layer in graph.walk():
        translation = layer.config.get(TRANSLATION)
        if isinstance(translation, Translation):
            for note in translation.assumed:
                name, _, meaning = note.partition(" is ")
                yield Assumption(name, "/".join(layer.path), meaning, (), "the file records the name, not its meaning")


def _makes_mask(layer: Layer) -> bool:
    """Whether a layer may output a mask where none came in, or names one in a call."""
    if layer.class_name == LAMBDA:
        return layer.config.get("mask") is not None
    named = any(call.kwargs.get("mask") is not None for call in layer.calls)
    return named or layer.class_name == "Masking" or bool(layer.config.get("mask_zero"))


def _translated(graph: Graph, functions: Mapping[LayerPath, _LayerFunction]) -> Graph:
    return replace(graph, layers=tuple(_with_translation(layer, functions) for layer in graph.layers))


def _with_translation(layer: Layer, functions: Mapping[LayerPath, _LayerFunction]) -> Layer:
    if layer.class_name == LAMBDA:
        return replace(layer, config={**layer.config, TRANSLATION: functions[layer.path].translation()})
    slots = {slot: _with_translation(inner, functions) for slot, inner in layer.slots.items()}
    return replace(layer, slots=slots, graph=None if layer.graph is None else _translated(layer.graph, functions))


@dataclass(frozen=True)
class _Meaning:
    """What a layer gives for one kind of input, and the mask of that where it computes one."""

    output: Translated
    mask: Translated | None

    @property
    def assumed(self) -> tuple[str, ...]:
        return (*self.output.assumed, *(self.mask.assumed if self.mask else ()))

    @property
    def text(self) -> str:
        if self.mask is None:
            return self.output.text
        return "\n".join([self.output.text, *(f"# its mask: {line}" for line in self.mask.text.splitlines())])

    def variant(self, shapes: tuple[Shape | None, ...], masked: tuple[bool, ...], results: Any) -> Variant:
        by_shape = self.output.depends_on_shapes or (self.mask is not None and self.mask.depends_on_shapes)
        mask = None if self.mask is None else self.mask.expression
        return Variant(shapes, by_shape, masked, self.output.expression, results, mask)


@dataclass
class _LayerFunction:
    """The function of one Lambda, translated for each kind of input that it has.

    Attributes:
        layer: the Lambda.
        era: the libraries that it was written for.
        constants: values that the operator gives to global names.
        makes_masks: whether any layer of the model makes a mask.
        limits: the budget of the model.
        found: translations by shapes of the inputs, then by which of them have a mask.
    """

    layer: Layer
    era: Era
    constants: Mapping[str, Any]
    makes_masks: bool
    limits: Limits
    found: dict[tuple[Shape | None, ...], dict[tuple[bool, ...], _Meaning]] = field(default_factory=dict)

    def results(self, shapes: Sequence[Shape | None]) -> tuple[Shape | None, ...]:
        """The shapes of the results. Raises MigrationError if the function is not translated."""
        key = tuple(shapes)
        if key not in self.found:
            stored = self._stored("function")
            self.found[key] = {masked: self._one(stored, key, masked) for masked in self._patterns(stored, len(key))}
        return self._stated(key, list(self.found[key][(False,) * len(key)].output.shapes))

    def translation(self) -> Translation:
        """The text, and a variant for each kind of input."""
        if not self.found:
            self.results((None,) * input_count(self.layer))
        variants: list[Variant] = []
        for shapes, by_mask in self.found.items():
            for masked, meaning in by_mask.items():
                results = self._stated(shapes, list(meaning.output.shapes))
                variants.append(meaning.variant(shapes, masked, results))
        first = next(iter(next(iter(self.found.values())).values()))
        assumed = dict.fromkeys(
            note for by_mask in self.found.values() for each in by_mask.values() for note in each.assumed
        )
        return Translation(first.text, tuple(variants), tuple(assumed))

    def _stored(self, option: str) -> StoredFunction:
        value, kind = self.layer.config.get(option), self.layer.config.get(f"{option}_type")
        try:
            return stored_function(value, kind)
        except Unreadable as error:
            raise self._refusal(NotTranslated(f"its {option} cannot be read: {error}", Reason.UNSAFE_LAMBDA)) from error

    def _patterns(self, stored: StoredFunction, count: int) -> list[tuple[bool, ...]]:
        """The possible combinations of masked inputs, as far as the function uses masks; the one without masks
        first.
        """
        takes_mask = any(takes(Function(code), "mask") for code in stored.codes)
        if not self.makes_masks or not (takes_mask or self.layer.config.get("mask") is not None):
            return [(False,) * count]
        if count > _MOST_MASKED:
            raise self._unsupported(f"applies the masks of more than {_MOST_MASKED} inputs")
        return list(product((False, True), repeat=count))

    def _unsupported(self, what: str) -> MigrationError:
        message = f"The Lambda's function {what}, which is not translated"
        return MigrationError(Reason.UNSUPPORTED_LAYER, message, layer=self.layer.path, advice=_ADVICE)

    def _one(self, stored: StoredFunction, shapes: tuple[Shape | None, ...], masked: tuple[bool, ...]) -> _Meaning:
        as_list = len(shapes) > 1 or bool(self.layer.config.get(AS_LIST))
        arguments = self.layer.config.get("arguments") or {}
        if not isinstance(arguments, Mapping):
            raise MigrationError(Reason.INVALID_CONFIG, "The arguments are not an object", layer=self.layer.path)
        try:
            inputs = Inputs(shapes, masked, as_list, arguments)
            output = translate(stored, inputs, self.era, self.constants, self.limits)
            if self.layer.config.get("mask") is None or (self.era.runtime.is_keras_1 and not any(masked)):
                return _Meaning(output, None)
            mask = translate_mask(self._stored("mask"), inputs, self.era, self.constants, self.limits)
        except NotTranslated as error:
            raise self._refusal(error) from error
        return _Meaning(output, mask)

    def _stated(self, inputs: tuple[Shape | None, ...], known: list[Shape | None]) -> tuple[Shape | None, ...]:
        """The shapes of the results by the layer's `output_shape`, which standalone Keras uses unchecked."""
        option, kind = self.layer.config.get("output_shape"), self.layer.config.get("output_shape_type")
        if option is None or self.era.runtime.family is Family.TF_KERAS:
            return tuple(known)
        if is_function(option, kind) and not looks_like_extents(option):
            stated = self._computed_shape(inputs)
        else:
            batch = next((shape[0] for shape in inputs if shape), None)
            stated = (batch, *option) if looks_like_extents(option) else None
        if stated is None or len(known) != 1:
            return tuple(known)
        return (stated,)

    def _computed_shape(self, inputs: tuple[Shape | None, ...]) -> Shape | None:
        """The shapes computed by a function as `output_shape`. Raises MigrationError if it is not translated."""
        stored = self._stored("output_shape")
        as_list = len(inputs) > 1 or bool(self.layer.config.get(AS_LIST))
        try:
            return translated_shape(stored, inputs, as_list, self.era, self.constants, self.limits)
        except NotTranslated as error:
            raise self._refusal(error) from error

    def _refusal(self, error: NotTranslated) -> MigrationError:
        missing = error.reason is Reason.CUSTOM_OBJECTS_NEEDED
        return MigrationError(
            error.reason,
            f"The function of the Lambda cannot be translated, and is never run: {error.what}",
            layer=self.layer.path,
            advice=_MISSING_ADVICE if missing else _ADVICE,
            detail=error.text,
        )


def looks_like_extents(option: object) -> bool:
    """Whether an `output_shape` is a shape by itself."""
    return (
        isinstance(option, list)
        and not looks_dumped(option)
        and all(extent is None or isinstance(extent, int) for extent in option)
    )
