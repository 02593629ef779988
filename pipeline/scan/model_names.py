"""Proposes names and versions for files from their paths alone."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from pipeline.publication.layout import RESERVED
from pipeline.scan.epochs import series

_SUFFIXES = (".h5", ".hdf5", ".hdf", ".h5py", ".keras", ".ckpt")
_NUMBER = re.compile(r"[1-9][0-9]{0,8}")
#: "tagger_v3" and "tagger-3": a base, the form of the ending, a number.
_ENDING = re.compile(r"(?P<base>.+?)(?P<form>[_-]v|-)(?P<number>[0-9]{1,9})")
_PART_CHARACTERS = 200


@dataclass(frozen=True)
class Proposal:
    """The proposed name and version of a file.

    Attributes:
        model, version: columns of the manifest; `model` is a valid name.
        notes: what the reader should check; sentences without a full stop.
    """

    model: str
    version: int = 1
    notes: tuple[str, ...] = ()


def propose(paths: Sequence[tuple[str, PurePosixPath]]) -> list[Proposal]:
    """Proposes a name and version for each file; no two share an output on any file system.

    Args:
        paths: the name of the scanned folder, and the file's path below it.
    """
    by_root: dict[str, list[int]] = defaultdict(list)
    for index, (root, _) in enumerate(paths):
        by_root[root].append(index)
    proposals: list[Proposal] = [Proposal("")] * len(paths)
    for root, indices in by_root.items():
        parts = [_parts(paths[index][1]) for index in indices]
        for index, proposal in zip(indices, _versioned(root, parts), strict=True):
            proposals[index] = proposal
    return list(_told_apart(map(_legalised, proposals)))


def legal_name(name: str) -> str:
    """`name` with all characters that a model name may not contain replaced by "_"."""
    parts = [re.sub(r"[^A-Za-z0-9._-]", "_", part)[:_PART_CHARACTERS] for part in name.split("/")]
    parts = [part if re.match(r"[A-Za-z0-9_]", part) else f"_{part}" for part in parts]
    return "/".join([f"_{parts[0]}" if parts[0] == RESERVED else parts[0], *parts[1:]])


def _parts(path: PurePosixPath) -> tuple[str, ...]:
    stem = path.name
    for suffix in _SUFFIXES:
        if stem.lower().endswith(suffix) and len(stem) > len(suffix):
            stem = stem[: -len(suffix)]
            break
    return (*path.parts[:-1], stem)


def _versioned(root: str, files: Sequence[tuple[str, ...]]) -> Iterator[Proposal]:
    """Proposals for the files below one folder, with versions where the paths are unambiguous."""
    in_folder = _numeric_folders(files)
    endings, epochs = _series(files), series(files)
    for parts in files:
        base = parts[:-2]
        if len(parts) > 1 and _NUMBER.fullmatch(parts[-2]):
            name = base if in_folder[base] else (*base, parts[-1])
            yield Proposal("/".join(name) or root, int(parts[-2]))
        elif parts in epochs:
            epoch, mark = epochs[parts]
            note = f"version {epoch.epoch} is the epoch in the name {parts[-1]!r}"
            name = (*parts[:-1], *filter(None, [epoch.base]))
            yield Proposal("/".join(name) or root, epoch.epoch, (f"{note}, {mark} of the series" if mark else note,))
        elif parts in endings:
            series_name, version = endings[parts]
            yield Proposal(
                series_name, version, (f"version {version} is taken from the end of the name {parts[-1]!r}",)
            )
        else:
            ending = _ENDING.fullmatch(parts[-1])
            notes = (f"the {ending['number']} in {parts[-1]!r} is taken for part of the name",) if ending else ()
            yield Proposal("/".join(parts), 1, notes)


def _numeric_folders(files: Iterable[tuple[str, ...]]) -> dict[tuple[str, ...], bool]:
    """Folders whose subfolders are numbers with files in them -> True if each number holds only one file."""
    held: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for parts in files:
        if len(parts) > 1 and _NUMBER.fullmatch(parts[-2]):
            held[parts[:-2]].append(parts[-2])
    return {base: len(set(numbers)) == len(numbers) for base, numbers in held.items()}


def _series(files: Sequence[tuple[str, ...]]) -> dict[tuple[str, ...], tuple[str, int]]:
    """Files whose names end like "_v3" or "-3" and form a series in one folder -> base name and version.

    A single such ending may be part of a name (mobilenet_v2), and so may a series with gaps (resnet-50, resnet-101).
    """
    groups: dict[tuple[tuple[str, ...], str, str], list[tuple[tuple[str, ...], int]]] = defaultdict(list)
    for parts in files:
        if ending := _ENDING.fullmatch(parts[-1]):
            groups[parts[:-1], ending["base"], ending["form"]].append((parts, int(ending["number"])))
    there = set(files)
    found: dict[tuple[str, ...], tuple[str, int]] = {}
    for (folder, base, _), members in groups.items():
        numbers = sorted(number for _, number in members)
        first = numbers[0]
        gapless = numbers == list(range(first, first + len(numbers)))
        if len(numbers) > 1 and first > 0 and gapless and (*folder, base) not in there:
            found |= {parts: ("/".join((*folder, base)), number) for parts, number in members}
    return found


def _legalised(proposal: Proposal) -> Proposal:
    legal = legal_name(proposal.model)
    return replace(proposal, model=legal)


def _told_apart(proposals: Iterable[Proposal]) -> Iterator[Proposal]:
    """The proposals, with a number after the name if two would share a folder or one would be inside the other."""
    spelled: dict[str, str] = {}
    renamed: dict[str, str] = {}
    outputs: set[str] = set()
    around: set[str] = set()
    versioned: set[str] = set()
    for proposal in proposals:
        wanted = _outside_versions(_beside(renamed.get(proposal.model, proposal.model), outputs), spelled)
        name, number = wanted, 2
        while (
            spelled.get(name.casefold(), name) != name
            or name.casefold() in versioned
            or _meets(_output(name, proposal), outputs, around)
        ):
            name, number = f"{wanted}-{number}", number + 1
        notes = proposal.notes
        twin = spelled.get(proposal.model.casefold(), proposal.model)
        if twin != proposal.model:
            renamed[proposal.model] = name
            notes = (*notes, f"{twin!r} and {proposal.model!r} differ only in case")
        elif name != proposal.model:
            notes = (*notes, f"the place of {proposal.model}/{proposal.version} is taken by another file")
        spelled.setdefault(name.casefold(), name)
        output = _output(name, proposal)
        outputs.add(output)
        around.update(_around(output))
        versioned.update(_version_places(name.casefold()))
        yield replace(proposal, model=name, notes=notes)


def _beside(name: str, outputs: set[str]) -> str:
    """`name`, its parts joined if it would otherwise be inside another's output: "a/1/b" becomes "a/1_b"."""
    for folder in sorted(_around(name.casefold()), key=len):
        if folder in outputs:
            return _beside(f"{name[: len(folder)]}_{name[len(folder) + 1 :]}", outputs)
    return name


def _outside_versions(name: str, spelled: Mapping[str, str]) -> str:
    """`name`, with a number joined to the part before it if that is a model: "a/2/b" beside "a" becomes "a_2/b"."""
    for place in _version_places(name):
        if place.casefold() in spelled:
            return _outside_versions(f"{place}_{name[len(place) + 1 :]}", spelled)
    return name


def _version_places(name: str) -> Iterator[str]:
    """The folders in which a number of the name would be a version."""
    parts = name.split("/")
    for index, part in enumerate(parts):
        if index and part.isdigit():
            yield "/".join(parts[:index])


def _output(name: str, proposal: Proposal) -> str:
    return f"{name}/{proposal.version}".casefold()


def _around(output: str) -> Iterator[str]:
    while "/" in output:
        output = output.rpartition("/")[0]
        yield output


def _meets(output: str, outputs: set[str], around: set[str]) -> bool:
    return output in outputs or output in around or any(folder in outputs for folder in _around(output))
