"""The table of what each release has, as scripts/release_facts.py distilled it."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, TypeAlias

from transforms.records.runtime import Family

#: A release of TensorFlow, e.g. (1, 15), or of standalone Keras, e.g. (2, 2, 4).
Release: TypeAlias = tuple[int, ...]

#: Keys that any layer may store.
GENERAL_OPTIONS = frozenset(
    "name trainable dtype batch_input_shape input_shape batch_size weights input_dtype dynamic autocast".split()
)


@dataclass(frozen=True)
class ClassFacts:
    """A class in a run of releases that agree on it.

    Attributes:
        since, until: the run.
        stores: options that every instance stores.
        takes: further options that one may store, or takes and never stores.
        defaults: of options whose default changed between releases, and of those in `takes`.
    """

    since: Release
    until: Release
    stores: frozenset[str]
    takes: frozenset[str]
    defaults: Mapping[str, Any]


@dataclass(frozen=True)
class FamilyFacts:
    """What the releases of one family have.

    Attributes:
        releases: those that were read, in order.
        classes: runs of releases by class name.
        activations: spans of releases by name.
    """

    releases: tuple[Release, ...]
    classes: Mapping[str, tuple[ClassFacts, ...]]
    activations: Mapping[str, tuple[tuple[Release, Release], ...]]

    def read_as(self, release: Release) -> tuple[Release, ...]:
        """The releases that speak for one: itself, or, where it was not read, its neighbours."""
        if release in self.releases:
            return (release,)
        earlier = [each for each in self.releases if each < release]
        later = [each for each in self.releases if each > release]
        return (*earlier[-1:], *later[:1])

    def class_facts(self, class_name: str, release: Release) -> tuple[ClassFacts, ...]:
        """What a class is in a release: nothing where it is unknown, two runs for a release between two that differ."""
        read = self.read_as(release)
        runs = self.classes.get(class_name, ())
        return tuple(run for run in runs if any(run.since <= each <= run.until for each in read))

    def has_activation(self, name: str, release: Release) -> bool:
        """Whether a release has an activation function of that name."""
        spans = self.activations.get(name, ())
        return any(first <= each <= last for each in self.read_as(release) for first, last in spans)


_NAMES = {Family.KERAS: "keras", Family.TF_KERAS: "tf.keras"}


@functools.cache
def family_facts(family: Family) -> FamilyFacts:
    """The facts of standalone Keras or of tf.keras. Raises KeyError for Keras 3, whose files name their modules."""
    stored = _table()[_NAMES[family]]
    return FamilyFacts(
        releases=tuple(map(_release, stored["releases"])),
        classes={name: tuple(map(_class_facts, runs)) for name, runs in stored["layers"].items()},
        activations={
            name: tuple((_release(first), _release(last)) for first, last in spans)
            for name, spans in stored["activations"].items()
        },
    )


@functools.cache
def releases_by_recorded_version() -> Mapping[str, frozenset[Release]]:
    """Releases of TensorFlow by the `keras_version` that their files bear, where it is not their own number."""
    return {version: frozenset(map(_release, releases)) for version, releases in _table()["recorded"].items()}


@functools.cache
def _table() -> Mapping[str, Any]:
    found: Mapping[str, Any] = json.loads((files("transforms.releases") / "facts.json").read_text("utf-8"))
    return found


def _class_facts(stored: Mapping[str, Any]) -> ClassFacts:
    return ClassFacts(
        since=_release(stored["since"]),
        until=_release(stored["until"]),
        stores=frozenset(stored["stores"].split()),
        takes=frozenset(stored["takes"].split()),
        defaults=stored["defaults"],
    )


def _release(text: str) -> Release:
    return tuple(int(part) for part in text.split("."))
