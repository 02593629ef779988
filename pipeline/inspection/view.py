"""Text output of `inspect`: a tree on a terminal, indented lines elsewhere, with the same words."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipeline.printable import printable
from transforms.records.runtime import FAMILY_NAMES, Family
from transforms.records.signature import SignatureTensor

if TYPE_CHECKING:
    from rich.tree import Tree

_EVIDENCE = {
    "reference": "reference: an independent NumPy forward pass over the original arrays",
    "assumed": "assumed: the same forward pass, resting on what the file does not say, where that changes the outputs",
    "rebuilt": "rebuilt only, the weakest: the reference has no rule for",
}


@dataclass(frozen=True)
class _Entry:
    """One line of the view: `depth` of indentation, `style` on a terminal."""

    depth: int
    text: str
    style: str = ""


def lines_of(description: Mapping[str, Any]) -> Iterator[str]:
    """The view as plain lines without control characters."""
    for entry in _entries(description):
        yield "  " * entry.depth + entry.text


def tree_of(description: Mapping[str, Any]) -> Tree:
    """The view as a tree for rich's console."""
    from rich.text import Text
    from rich.tree import Tree

    entries = list(_entries(description))
    root = Tree(Text(entries[0].text, style=entries[0].style), guide_style="dim")
    above = [root]
    for entry in entries[1:]:
        del above[entry.depth :]
        above.append(above[-1].add(Text(entry.text, style=entry.style)))
    return root


def _entries(description: Mapping[str, Any]) -> Iterator[_Entry]:
    for entry in _refused(description) if not description["accepted"] else _accepted(description):
        yield _Entry(entry.depth, printable(entry.text), entry.style)


def _refused(description: Mapping[str, Any]) -> Iterator[_Entry]:
    yield _Entry(0, description["file"], "bold")
    if "dialect" in description:
        yield _Entry(1, f"dialect: {description['dialect']}", "dim")
    yield _Entry(1, f"would be refused: {description['reason']} ({description['meaning']})", "yellow")
    layer = f" (layer {description['layer']})" if description["layer"] else ""
    yield _Entry(1, f"why: {description['message']}{layer}")
    if description["advice"]:
        yield _Entry(1, f"remedy: {description['advice']}", "bold")
    yield from (_Entry(1, f"detail: {line}", "dim") for line in description["detail"])


def _accepted(description: Mapping[str, Any]) -> Iterator[_Entry]:
    yield _Entry(0, description["file"], "bold")
    yield _Entry(1, _written_by(description))
    if "dialect" in description:
        yield _Entry(1, f"dialect: {description['dialect']}", "dim")
    yield _Entry(1, f"{description['parameters']:,} parameters in {description['source_bytes']:,} bytes", "dim")
    rewrites: dict[str, list[str]] = defaultdict(list)
    for rewrite in description["rewrites"]:
        rewrites[rewrite["layer"]].append(_rewrite(rewrite))
    yield _Entry(1, f"layers: {len(description['layers'])}")
    above = [""]
    for layer in description["layers"]:
        del above[layer["depth"] :]
        yield _Entry(1 + layer["depth"], _layer(layer, layer["path"].removeprefix(above[-1])))
        above.append(f"{layer['path']}/")
        yield from (_Entry(2 + layer["depth"], line, "cyan") for line in layer["function"].splitlines())
        for rewrite in rewrites.pop(layer["path"], ()):
            yield _Entry(2 + layer["depth"], rewrite, "cyan")
    for path, elsewhere in rewrites.items():
        for rewrite in elsewhere:
            yield _Entry(1, f"{rewrite} at {path or 'the model'}", "cyan")
    for kind in ("inputs", "outputs"):
        yield from (_Entry(1, f"{kind[:-1]} {_tensor(each)}") for each in description["signature"][kind])
    if description["tensorflow_min"]:
        lowest = description["tensorflow_min_lowest"]
        option = "" if lowest == description["tensorflow_min"] else f", with --tensorflow-min {lowest} from {lowest} on"
        yield _Entry(1, f"would load from TensorFlow {description['tensorflow_min']} on{option}")
    yield from (_Entry(1, f"warning: {warning}", "yellow") for warning in description["warnings"])
    yield from (_Entry(1, f"would be assumed: {each}", "yellow") for each in description["assumptions"])
    uncovered = ", ".join(description["uncovered"])
    yield _Entry(1, f"evidence to expect: {_EVIDENCE[description['evidence']]}{' ' if uncovered else ''}{uncovered}")
    yield _Entry(1, "would be migrated; samples with expected outputs make the evidence golden", "green")


def _written_by(description: Mapping[str, Any]) -> str:
    family = FAMILY_NAMES[Family(description["family"])]
    version = description["keras_version"] or "of no recorded version"
    return f"written by {family} {version} on {description['backend'] or 'a backend that is not recorded'}"


def _layer(layer: Mapping[str, Any], name: str) -> str:
    shape = _shape(layer["output_shape"])
    parameters = f"{layer['parameters']:,} parameters" if layer["parameters"] else ""
    return "  ".join(part for part in (name, layer["class_name"], shape, parameters) if part)


def _shape(shape: Sequence[int | None] | None) -> str:
    return "" if shape is None else f"({', '.join('?' if extent is None else str(extent) for extent in shape)})"


def _tensor(stated: Mapping[str, Any]) -> str:
    shape = stated["shape"]
    return str(SignatureTensor(**{**stated, "shape": None if shape is None else tuple(shape)}))


def _rewrite(rewrite: Mapping[str, str]) -> str:
    return f"rewrite {rewrite['rule']}" + (f": {rewrite['detail']}" if rewrite["detail"] else "")
