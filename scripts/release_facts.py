"""Distils what each release of Keras calls its own into transforms/releases/facts.json.

python scripts/release_facts.py keras_releases.json            writes it
python scripts/release_facts.py keras_releases.json --check    exit status 1 when it is behind

`keras_releases.json` was read by introspection under 33 releases of Keras (1.0.2 to 2.3.1) and 24 of tf.keras
(TensorFlow 1.4 to 2.15), with none of their code in it: for each class the keys of `get_config()` of an instance made
with the fewest arguments (`stores`), the arguments of its constructor (`takes`), those of them that such a config
leaves out (`unstored`) and the default of each. What introspection cannot see is added here, each with its source.

Of the defaults are kept: those that changed from one release to another, and those of arguments that are not stored.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

TABLE = Path(__file__).parents[1] / "transforms" / "releases" / "facts.json"

#: Options that a layer stores only when they are used and that its constructor takes by `**kwargs`.
#: `RNN.get_config` in keras/layers/recurrent.py from Keras 2.0.9 and TensorFlow 1.5 on, and from TensorFlow 1.13 on;
#: `Bidirectional.get_config` in keras/layers/wrappers.py from Keras 2.1.6 and TensorFlow 1.9 on;
#: `BatchNormalizationBase.get_config` in keras/layers/normalization of TensorFlow 2.5 on.
RECURRENT = ("RNN", "SimpleRNN", "GRU", "LSTM", "ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D", "ConvRNN2D", "UnifiedLSTM")
STORED_WHEN_USED = [
    ("keras", RECURRENT, "2.0.9", "num_constants"),
    ("keras", ("Bidirectional",), "2.1.6", "num_constants"),
    ("tf.keras", RECURRENT, "1.8.0", "num_constants"),
    ("tf.keras", ("Bidirectional",), "1.9.0", "num_constants"),
    ("tf.keras", RECURRENT, "1.13.1", "zero_output_for_mask"),
    *(
        ("tf.keras", ("BatchNormalization", "SyncBatchNormalization"), "2.5.3", option)
        for option in ("renorm", "renorm_clipping", "renorm_momentum", "virtual_batch_size")
    ),
]
#: Keys that any layer may store, so that they tell nothing.
GENERAL = {
    *("name", "trainable", "dtype", "batch_input_shape", "input_shape", "batch_size", "weights", "input_dtype"),
    *("dynamic", "autocast"),
}
#: Options that some instances leave out: the recurrent layers of Keras 1 store `batch_input_shape` in their place where
#: they are stateful (`Recurrent.get_config` in keras/layers/recurrent.py, 1.0.2 to 1.2.2).
NOT_ALWAYS_STORED = [
    ("keras", ("SimpleRNN", "GRU", "LSTM", "ConvLSTM2D"), "1.2.2", ("input_dim", "input_length")),
]
#: Arguments that no instance stores: these classes have no `get_config` (`dense_attention.py` of the two releases).
NEVER_STORED = [("tf.keras", ("Attention", "AdditiveAttention"), ("1.14.0", "2.0.4"), "use_scale")]
#: Classes that the pre-releases of TensorFlow 2.0 stored, or 1.13 with the behaviour of 2.0, each with the class of
#: which it has the options (`recurrent.py`, `normalization.py` of these releases).
UNSEEN = {"UnifiedGRU": ("GRU", "1.14.0"), "BatchNormalizationV2": ("BatchNormalizationV1", "1.13.1")}
UNSEEN_SPAN = ("1.13.1", "2.0.4")
#: Activations of Keras's own models: `relu6` in keras/applications/mobilenet.py, which their files name.
OF_APPLICATIONS = {"keras": {"relu6": [["2.0.6", "2.2.4"]]}, "tf.keras": {"relu6": [["1.4.0", "1.12.0"]]}}

#: The `keras_version` that releases record which the introspection did not read or could not ask:
#: keras/__init__.py of each; TensorFlow 2.1.0 records another than its patch release 2.1.4.
RECORDED = {
    "1.5": "2.1.2-tf",
    "1.6": "2.1.3-tf",
    "1.7": "2.1.4-tf",
    "1.8": "2.1.5-tf",
    "1.10": "2.1.6-tf",
    "2.1": "2.2.4-tf",
}


def distilled(facts: Mapping[str, Any]) -> dict[str, Any]:
    """The table: for each family its releases, classes and activations; releases of tf.keras as "1.13"."""
    return {
        "origin": "Written by scripts/release_facts.py from introspection of the releases listed.",
        "recorded": _recorded(facts["writes"]),
        **{family: _family(family, facts[family]) for family in ("keras", "tf.keras")},
    }


def _recorded(writes: Mapping[str, str]) -> dict[str, list[str]]:
    """Releases of TensorFlow by the `keras_version` that their files bear."""
    found: dict[str, set[str]] = {}
    read = {_named("tf.keras", name.split()[1]): v for name, v in writes.items() if name.startswith("tf.keras")}
    for release, version in (*read.items(), *RECORDED.items()):
        if version.endswith("-tf") or version == "2.4.0":
            found.setdefault(version, set()).add(release)
    return {
        version: sorted(releases, key=_key) for version, releases in sorted(found.items(), key=lambda x: _key(x[0]))
    }


def _family(family: str, facts: Mapping[str, Any]) -> dict[str, Any]:
    releases = facts["releases"]
    layers = {name: _runs(family, name, runs, releases) for name, runs in facts["layers"].items()}
    if family == "tf.keras":
        for name, (model, release) in UNSEEN.items():
            (like,) = (run for run in layers[model] if _covers(run, _named(family, release)))
            layers[name] = [{**like, "since": _named(family, UNSEEN_SPAN[0]), "until": _named(family, UNSEEN_SPAN[1])}]
    return {
        "releases": [_named(family, each) for each in releases],
        "activations": {
            name: [[_named(family, first), _named(family, last)] for first, last in spans]
            for name, spans in _activations(family, facts["activations"]).items()
        },
        "layers": dict(sorted(layers.items())),
    }


def _activations(family: str, read: Mapping[str, Any]) -> dict[str, Any]:
    more = OF_APPLICATIONS[family]
    return {name: [*more.get(name, []), *read.get(name, [])] for name in {*read, *more}}


def _runs(family: str, name: str, runs: Iterable[Mapping[str, Any]], releases: list[str]) -> list[dict[str, Any]]:
    """The runs of releases that agree on a class, once what is not asked about is left out."""
    told = _told_defaults(list(runs))
    found: list[dict[str, Any]] = []
    for release in releases:
        run = next((run for run in runs if _key(run["from"]) <= _key(release) <= _key(run["to"])), None)
        if run is None:
            continue
        facts = _class_facts(family, name, release, run, told)
        known = found[-1] if found else None
        follows = known is not None and known.pop("_last") == releases.index(release) - 1
        if known is not None and follows and all(known[key] == value for key, value in facts.items()):
            known["until"] = _named(family, release)
        else:
            found.append({"since": _named(family, release), "until": _named(family, release), **facts})
        found[-1]["_last"] = releases.index(release)
    for run in found:
        run.pop("_last", None)
    return found


def _class_facts(family: str, name: str, release: str, run: Mapping[str, Any], told: set[str]) -> dict[str, Any]:
    stores, takes = set(run.get("stores", ())), set(run.get("takes", ()))
    for of, classes, since, option in STORED_WHEN_USED:
        if of == family and name in classes and _key(release) >= _key(since):
            takes.add(option)
    for of, classes, releases, option in NEVER_STORED:
        if of == family and name in classes and release in releases:
            takes.discard(option)
    for of, classes, until, options in NOT_ALWAYS_STORED:
        if of == family and name in classes and _key(release) <= _key(until):
            takes |= stores.intersection(options)
            stores -= set(options)
    defaults = {option: value for option, value in sorted(run.get("defaults", {}).items()) if option in told - GENERAL}
    return {
        "stores": " ".join(sorted(stores)),
        "takes": " ".join(sorted(takes - stores - GENERAL)),
        "defaults": defaults,
    }


def _told_defaults(runs: list[Mapping[str, Any]]) -> set[str]:
    """Options of a class whose default changed, or that are not stored."""
    seen: dict[str, set[str]] = {}
    for run in runs:
        for option, value in run.get("defaults", {}).items():
            seen.setdefault(option, set()).add(json.dumps(value))
    changed = {option for option, values in seen.items() if len(values) > 1}
    return changed | {option for run in runs for option in run.get("unstored", ())}


def _covers(run: Mapping[str, Any], release: str) -> bool:
    return _key(run["since"]) <= _key(release) <= _key(run["until"])


def _named(family: str, release: str) -> str:
    """A release as the table names it: of TensorFlow the minor release, whose patches write the same."""
    return ".".join(release.split(".")[:2]) if family == "tf.keras" else release


def _key(release: str) -> tuple[int, ...]:
    return tuple(int(part) for part in release.removesuffix("-tf").split("."))


def text(table: Mapping[str, Any]) -> str:
    """The file: one line for each run of a class, so that a change reads as one."""
    lines = ["{", f' "origin": {json.dumps(table["origin"])},', f' "recorded": {json.dumps(table["recorded"])},']
    for family in ("keras", "tf.keras"):
        facts = table[family]
        lines.append(f' "{family}": {{')
        lines.append(f'  "releases": {json.dumps(facts["releases"])},')
        lines.append(f'  "activations": {json.dumps(facts["activations"], sort_keys=True)},')
        lines.append('  "layers": {')
        layers = [
            f'   "{name}": [\n' + ",\n".join(f"    {json.dumps(run)}" for run in runs) + "\n   ]"
            for name, runs in facts["layers"].items()
        ]
        lines.append(",\n".join(layers))
        lines.append("  }" + "\n }" + ("," if family == "keras" else ""))
    return "\n".join([*lines, "}", ""])


def main() -> int:
    """Returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("facts", type=Path)
    parser.add_argument("--check", action="store_true")
    arguments = parser.parse_args()
    written = text(distilled(json.loads(arguments.facts.read_text("utf-8"))))
    if arguments.check:
        return int(not TABLE.is_file() or TABLE.read_text("utf-8") != written)
    TABLE.write_text(written, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
