import errno
import os

import pytest

from pipeline.storage.durable_file import read_file, write_file
from pipeline.storage.regular_file import open_folder, open_regular, read_regular

LIMIT = 100


@pytest.fixture
def root(tmp_path):
    """A root with a file, and beside it a secret that nothing below the root may lead to."""
    (tmp_path / "outside/inner").mkdir(parents=True)
    (tmp_path / "outside/secret").write_bytes(b"secret")
    (tmp_path / "outside/inner/file").write_bytes(b"secret")
    (tmp_path / "root/inner").mkdir(parents=True)
    (tmp_path / "root/inner/file").write_bytes(b"mine")
    return tmp_path / "root"


def fifo(place):
    os.mkfifo(place)


def sparse(place):
    with place.open("wb") as stream:
        stream.truncate(1 << 40)


PUT = {
    "link to a file": lambda place: place.symlink_to(place.parents[1] / "outside/secret"),
    "link to a device": lambda place: place.symlink_to("/dev/zero"),
    "link to itself": lambda place: place.symlink_to(place.name),
    "fifo": fifo,
    "folder": lambda place: place.mkdir(),
    "sparse": sparse,
    "too large": lambda place: place.write_bytes(bytes(LIMIT + 1)),
}


@pytest.mark.parametrize("what", PUT)
def test_what_is_no_small_regular_file_is_not_read(root, what):
    PUT[what](root / "file")
    for below in (None, root):
        with pytest.raises(OSError) as caught:
            read_regular(root / "file", LIMIT, below)
        assert str(root / "file") in str(caught.value)


@pytest.mark.parametrize("what", PUT)
def test_what_lies_in_the_place_of_a_half_written_file_is_not_written_through(root, what):
    PUT[what](root / ".file.part")
    outside = (root.parent / "outside/secret").read_bytes()
    if what == "folder":
        with pytest.raises(OSError):
            write_file(str(root / "file"), b"new", root)
    else:
        write_file(str(root / "file"), b"new", root)
        assert (root / "file").read_bytes() == b"new" and not (root / "file").is_symlink()
        assert not os.path.lexists(root / ".file.part")
    assert (root.parent / "outside/secret").read_bytes() == outside


def test_a_link_in_the_place_of_the_file_is_replaced(root):
    (root / "file").symlink_to(root.parent / "outside/secret")
    write_file(str(root / "file"), b"new", root)
    assert read_file(str(root / "file"), LIMIT, root) == b"new"
    assert (root.parent / "outside/secret").read_bytes() == b"secret"


def test_no_folder_below_the_root_is_a_link(root):
    (root / "away").symlink_to(root.parent / "outside")
    for path in (root / "away/secret", root / "away/inner/file"):
        with pytest.raises(OSError) as caught:
            open_regular(path, root)
        assert caught.value.errno == errno.ELOOP and str(root / "away") in str(caught.value)
        with pytest.raises(OSError):
            write_file(str(path), b"new", root)
    assert (root.parent / "outside/secret").read_bytes() == b"secret"
    assert read_regular(root / "inner/file", LIMIT, root) == b"mine"
    assert read_regular(root / "away/secret", LIMIT) == b"secret"  # without a root, the path is trusted


def test_no_part_leads_upwards(root):
    with pytest.raises(OSError), open_folder(root / "inner/../../outside", root):
        pass


def test_missing_is_none_and_size_is_exact(root):
    assert read_file(str(root / "none"), LIMIT, root) is None
    (root / "file").write_bytes(bytes(LIMIT))
    assert len(read_regular(root / "file", LIMIT)) == LIMIT


def test_nothing_is_made_that_no_path_leads_to(root):
    deep = root.joinpath(*["b"] * 3000)
    with pytest.raises(OSError) as caught, open_folder(deep, root, make=True):
        pass
    assert caught.value.errno == errno.ENAMETOOLONG and not (root / "b").exists()
