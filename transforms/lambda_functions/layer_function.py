"""The stored functions of one Lambda layer, translated for each kind of input that it has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Any

from transforms.architecture.graph import Layer, input_count
from transforms.errors import MigrationError, Reason
from transforms.lambda_functions.calls import takes
from transforms.lambda_functions.code_object import Unreadable
from transforms.lambda_functions.layer_call import Inputs
from transforms.lambda_functions.shape_function import translated_shape
from transforms.lambda_functions.stored_function import StoredFunction, is_function, looks_dumped, stored_function
from transforms.lambda_functions.trace import Era
from transforms.lambda_functions.translate import NotTranslated, Translated, translate, translate_mask
from transforms.lambda_functions.values import Function
from transforms.limits import Limits
from transforms.records.expression import AS_LIST, Expression, Translation, Variant
from transforms.records.inspection import Shape
from transforms.records.runtime import Family

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


@dataclass(frozen=True)
class _Meaning:
    """What a layer gives for one kind of input, and the mask of that where it computes one."""

    output: Translated
    mask: Translated | None
    kept_mask: Expression | None = None

    @property
    def returns_inputs(self) -> bool:
        return all("input" in ref for ref in self.output.expression.outputs)

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
        mask = self.kept_mask if self.mask is None else self.mask.expression
        return Variant(shapes, by_shape, masked, self.output.expression, results, mask)


@dataclass
class LayerFunction:
    """The function of one Lambda, translated for each kind of input that it has.

    Attributes:
        layer: the Lambda.
        era: the libraries that it was written for.
        constants: values that the operator gives to global names.
        makes_masks: whether any layer of the model makes a mask.
        limits: the budget of the model.
        by_mask: whether masks of the inputs matter.
        found: translations by shapes of the inputs, then by which of them have a mask.
    """

    layer: Layer
    era: Era
    constants: Mapping[str, Any]
    makes_masks: bool
    limits: Limits
    by_mask: bool = False
    found: dict[tuple[Shape | None, ...], dict[tuple[bool, ...], _Meaning]] = field(default_factory=dict)

    def results(self, shapes: Sequence[Shape | None]) -> tuple[Shape | None, ...]:
        """The shapes of the results. Raises MigrationError if the function is not translated."""
        key = tuple(shapes)
        if key not in self.found:
            self.found[key] = self._meanings(key)
        return self._stated(key, list(next(iter(self.found[key].values())).output.shapes))

    def translation(self) -> Translation:
        """The text, and a variant for each kind of input."""
        if not self.found:
            self.results((None,) * input_count(self.layer))
        variants: list[Variant] = []
        for shapes, by_mask in self.found.items():
            for masked, meaning in by_mask.items():
                results = self._stated(shapes, list(meaning.output.shapes))
                variants.append(meaning.variant(shapes, masked, results))
        shown = list(next(iter(self.found.values())).values())[-1]  # with masks, where they matter
        assumed = dict.fromkeys(
            note for by_mask in self.found.values() for each in by_mask.values() for note in each.assumed
        )
        return Translation(shown.text, tuple(variants), tuple(assumed), self.by_mask)

    def _stored(self, option: str) -> StoredFunction:
        value, kind = self.layer.config.get(option), self.layer.config.get(f"{option}_type")
        try:
            return stored_function(value, kind)
        except Unreadable as error:
            raise self._refusal(NotTranslated(f"its {option} cannot be read: {error}", Reason.UNSAFE_LAMBDA)) from error

    def _meanings(self, shapes: tuple[Shape | None, ...]) -> dict[tuple[bool, ...], _Meaning]:
        """The meaning for each combination of masked inputs that the function follows, without masks first."""
        stored = self._stored("function")
        unmasked = (False,) * len(shapes)
        if not self.makes_masks:
            return {unmasked: self._one(stored, shapes, unmasked)}
        found: dict[tuple[bool, ...], _Meaning] = {}
        refused: list[MigrationError] = []
        for masked in product((False, True), repeat=min(len(shapes), _MOST_MASKED + 1)):
            if any(masked) and not self._sees_masks(stored, found):
                return found
            if len(shapes) > _MOST_MASKED and any(masked):
                raise self._unsupported(f"applies the masks of more than {_MOST_MASKED} inputs")
            self.by_mask |= any(masked)
            try:
                found[masked or unmasked] = self._one(stored, shapes, masked if any(masked) else unmasked)
            except MigrationError as error:  # it may never be called so
                if error.reason is Reason.OVER_BUDGET:
                    raise
                refused.append(error)
        if not found:
            raise refused[0]
        return found

    def _sees_masks(self, stored: StoredFunction, found: Mapping[tuple[bool, ...], _Meaning]) -> bool:
        """Whether the function takes masks, computes one, or returns its input with the mask that this has."""
        if self.layer.config.get("mask") is not None:
            return True
        takes_mask = any(takes(Function(code), "mask") for code in stored.codes)
        return takes_mask or not found or any(meaning.returns_inputs for meaning in found.values())

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
            kept = self._kept_mask(output, masked)
            if kept is not None:
                return _Meaning(output, None, kept)
            if self.layer.config.get("mask") is None or (self.era.runtime.is_keras_1 and not any(masked)):
                return _Meaning(output, None)
            mask = translate_mask(self._stored("mask"), inputs, self.era, self.constants, self.limits)
        except NotTranslated as error:
            raise self._refusal(error) from error
        return _Meaning(output, mask)

    def _kept_mask(self, output: Translated, masked: tuple[bool, ...]) -> Expression | None:
        """The mask of an input that is returned itself. TensorFlow 2 and Keras 3 find it on the tensor and compute none
        (`_set_mask_metadata`); earlier runtimes return a copy.
        """
        keeps = self.era.is_keras_3 or (self.era.runtime.family is Family.TF_KERAS and self.era.tensorflow == 2)
        places = [ref["input"] for ref in output.expression.outputs if "input" in ref]
        if not keeps or len(places) < len(output.expression.outputs) or not all(masked[place] for place in places):
            return None
        if len(places) > 1:
            raise self._unsupported("returns several inputs and their masks")
        return Expression((), ({"mask": places[0]},))

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
