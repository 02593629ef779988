"""Determines whether a stored layer is Keras's own: which candidate releases store such a layer.

The class must exist in the release; every option in the file must be one that it stores or accepts; and none that it
always stores may be missing. Otherwise the layer is a custom class with the same name.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from transforms.architecture.attention import CALL_OPTIONS
from transforms.architecture.graph import Graph, Layer
from transforms.architecture.parsing import IMPLIED
from transforms.records.runtime import Family, Runtime
from transforms.releases.table import (
    GENERAL_OPTIONS,
    ClassFacts,
    FamilyFacts,
    Release,
    family_facts,
    releases_by_recorded_version,
)

#: Structural layers of the graph, and those defined by a function: they are checked elsewhere.
_APART = frozenset({"Lambda"})
#: Marks the config of a tf-keras layer built by custom code in this process, which no old release stored.
BUILT_NOW = "built_now"
#: The options that an InputLayer stores in place of its others (`InputLayer.get_config`, TensorFlow 2.5 on).
_TYPE_SPEC = "type_spec"


def may_have_written(runtime: Runtime) -> tuple[Release, ...]:
    """The releases that record the file's version, in order; none for Keras 3, whose files name their modules."""
    if runtime.family is Family.KERAS_3:
        return ()
    facts = family_facts(runtime.family)
    if runtime.family is Family.KERAS:
        if runtime.recorded:
            return (runtime.version,)
        return tuple(each for each in facts.releases if each[0] == max(1, runtime.version[0]))
    if runtime.release:
        return (runtime.release,)
    by_version = releases_by_recorded_version()
    number = ".".join(map(str, runtime.version))
    known = by_version.get(f"{number}-tf", by_version.get(number, frozenset()))
    if known or runtime.version >= (2, 5):
        return tuple(sorted(known)) or (runtime.version[:2],)
    return _neighbours(runtime.version)


def _neighbours(version: Release) -> tuple[Release, ...]:
    """For a version that no known release records, the releases of the versions before and after it."""
    recorded = sorted(
        (tuple(int(part) for part in each.removesuffix("-tf").split(".")), releases)
        for each, releases in releases_by_recorded_version().items()
    )
    earlier = [releases for each, releases in recorded if each < version][-1:]
    later = [releases for each, releases in recorded if each > version][:1]
    return tuple(sorted({release for releases in (*earlier, *later) for release in releases}))


def is_looked_up(layer: Layer, runtime: Runtime) -> bool:
    """False for layers outside the table: models, implied inputs, functions, Keras 3."""
    return (
        runtime.family is not Family.KERAS_3
        and layer.graph is None
        and layer.class_name not in _APART
        and not layer.class_name.startswith("tf.")
        and IMPLIED not in layer.config
        and BUILT_NOW not in layer.config
    )


def is_stored_by_keras(graph: Graph) -> bool:
    """False for a config written by hand: `Layer.get_config` of every release stores `trainable`."""
    return any("trainable" in layer.config for layer in graph.walk())


def releases_that_store(layer: Layer, runtime: Runtime, complete: bool = True) -> tuple[Release, ...]:
    """The candidate releases that may have stored the layer.

    Args:
        layer: as stored.
        runtime: the Keras that wrote the file.
        complete: whether Keras itself stored the config, and so every option that the class always stores.


    If none of these did, an earlier release of the same generation may have: a config may be older than the version
    beside it, since an architecture is often stored apart from its weights.
    """
    facts = family_facts(runtime.family)
    candidates = may_have_written(runtime)
    found = tuple(each for each in candidates if _stores(facts, layer, each, complete))
    if found or not candidates:
        return found
    earlier = [each for each in facts.releases if each < candidates[0] and each[0] == candidates[0][0]]
    return tuple(each for each in earlier if _stores(facts, layer, each, complete))


def _stores(facts: FamilyFacts, layer: Layer, release: Release, complete: bool) -> bool:
    return any(not _misfits(run, layer, complete) for run in facts.class_facts(layer.class_name, release))


def _misfits(run: ClassFacts, layer: Layer, complete: bool = True) -> tuple[str, ...]:
    """The options that such a class never stores, then those that it always stores but the layer lacks."""
    held = layer.config.keys() - CALL_OPTIONS.keys()  # those were added from the calls
    if layer.class_name == "InputLayer" and _TYPE_SPEC in held:
        return ()
    strange = held - run.stores - run.takes - GENERAL_OPTIONS
    missing = run.stores - held if complete else frozenset()
    return (*sorted(strange), *(f"no {name}" for name in sorted(missing)))


def why_foreign(layer: Layer, runtime: Runtime) -> str:
    """Why a layer is not Keras's own: the releases with the class, or the options that differ."""
    facts = family_facts(runtime.family)
    written_by = _names(may_have_written(runtime), runtime)
    runs = facts.classes.get(layer.class_name, ())
    if not runs:
        return _known_elsewhere(layer.class_name, runtime)
    fitting = [run for each in may_have_written(runtime) for run in facts.class_facts(layer.class_name, each)]
    if not fitting:
        known = ", ".join(f"{_name(run.since, runtime)} to {_name(run.until, runtime)}" for run in _joined(runs))
        return f"{written_by} had no such class; known to {known}"
    misfits = min((_misfits(run, layer) for run in fitting), key=len)
    strange = [each for each in misfits if not each.startswith("no ")]
    missing = [each.removeprefix("no ") for each in misfits if each.startswith("no ")]
    told = []
    if strange:
        told.append(f"stores {_listed(strange)}, which the class of {written_by} does not have")
    if missing:
        told.append(f"lacks {_listed(missing)}, which the class of {written_by} always stores")
    return " and ".join(told)


def _known_elsewhere(class_name: str, runtime: Runtime) -> str:
    """A note if the other family has such a class: standalone Keras and tf.keras do not read each other's classes."""
    other = Family.KERAS if runtime.family is Family.TF_KERAS else Family.TF_KERAS
    runs = family_facts(other).classes.get(class_name, ())
    if not runs:
        return ""
    elsewhere = replace(runtime, family=other)
    span = f"{_name(runs[0].since, elsewhere)} to {_name(runs[-1].until, elsewhere)}"
    return f"{_names(may_have_written(runtime), runtime)} had no such class; known to {span}"


def _joined(runs: tuple[ClassFacts, ...]) -> list[ClassFacts]:
    """One run from the first to the last, ignoring gaps."""
    first, last = runs[0], runs[-1]
    return [ClassFacts(first.since, last.until, first.stores, first.takes, first.defaults)]


def _listed(names: list[str]) -> str:
    return ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")


def _names(releases: Iterable[Release], runtime: Runtime) -> str:
    names = [_name(each, runtime) for each in releases]
    return " or ".join(names) if len(names) < 6 else f"{names[0]} to {names[-1]}"


def _name(release: Release, runtime: Runtime) -> str:
    family = "TensorFlow" if runtime.family is Family.TF_KERAS else "Keras"
    return f"{family} {'.'.join(map(str, release))}"


def releases_with_activation(name: str, runtime: Runtime) -> tuple[Release, ...]:
    """The candidate releases with an activation function of that name."""
    facts = family_facts(runtime.family)
    return tuple(each for each in may_have_written(runtime) if facts.has_activation(name, each))
