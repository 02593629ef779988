"""A reader that looks every millisecond while versions are published, replaced and published anew sees whole ones only.

That is what TensorFlow Serving does: it takes any numeric folder as ready.
"""

import hashlib
import multiprocessing
import os
import time

import pytest

from pipeline.publication.layout import RECEIPT
from pipeline.publication.local import publish, staging_area
from pipeline.publication.receipt import Receipt, list_files, parse_receipt
from tests.pipeline.fakes import write_artefact, write_extras
from tests.pipeline.publication.test_receipt import KEY

#: Each is published four times in a row: as a new folder, then over the one before.
VERSIONS = 25


def look(folder, stop, told):
    """Reads each version folder as a whole, every millisecond; tells how many it saw, and what was wrong."""
    seen, partial = 0, []
    while not stop.is_set():
        try:
            names = [name for name in os.listdir(folder) if name.isdigit()]
        except FileNotFoundError:
            names = []
        for name in names:
            # Held by its descriptor, a folder is that version even when another takes its name.
            held = os.open(folder / name, os.O_RDONLY | os.O_DIRECTORY)
            try:
                seen += 1
                problem = problem_of(held)
                if problem and not replaced(held, folder / name):
                    partial.append(f"{name}: {problem}")
            finally:
                os.close(held)
        time.sleep(0.001)
    told.put((seen, partial))


def problem_of(held):
    """What is missing in a version folder, "" for nothing."""
    try:
        receipt = parse_receipt(content(held, RECEIPT))
        if receipt is None:
            return "no receipt"
        for file in receipt.files:
            if hashlib.sha256(content(held, file.path)).hexdigest() != file.sha256:
                return f"{file.path} differs"
    except FileNotFoundError as error:
        return str(error)
    return ""


def content(held, path):
    descriptor = os.open(path, os.O_RDONLY, dir_fd=held)
    with open(descriptor, "rb") as stream:
        return stream.read()


def replaced(held, path):
    """Whether the folder gave its place to a newer one while it was read, and is being removed."""
    try:
        return not os.path.samestat(os.fstat(held), path.stat())
    except FileNotFoundError:
        return True


def check(tmp_path, publishes):
    context = multiprocessing.get_context("spawn")
    stop, told = context.Event(), context.Queue()
    folder = tmp_path / "out/model"
    reader = context.Process(target=look, args=(folder, stop, told))
    reader.start()
    for number in range(publishes):
        destination = folder / str(1 + number // 4)
        with staging_area(tmp_path / "out", destination) as area:
            write_artefact(area.folder, str(number).encode() * 20_000)
            write_extras(area.folder)
            publish(area, Receipt("model", int(destination.name), KEY, list_files(area.folder)))
        time.sleep(0.001)
    stop.set()
    seen, partial = told.get(timeout=60)
    reader.join()
    assert seen >= publishes and partial == []
    assert sorted(os.listdir(folder), key=int) == [str(1 + number) for number in range(publishes // 4)]
    print(f"{publishes} publishes, {seen} looks at a version")


def test_no_partial_version_is_seen(tmp_path):
    check(tmp_path, 4 * VERSIONS)


@pytest.mark.soak
def test_no_partial_version_is_seen_in_a_thousand(tmp_path):
    check(tmp_path, 1000)
