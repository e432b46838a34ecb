"""Outputs: never in the place of another file unless asked to; devices and pipes are written to as they are."""

import errno
import os
import stat
import threading

import pytest
from vaecodec.cli import files

from vaecodec.errors import OutputError

WRITE = """
import sys
from vaecodec.cli.files import write_bytes
write_bytes(sys.argv[1], b"stream", force=len(sys.argv) > 2)
"""


def during_the_write(monkeypatch, do):
    """Call `do` when the data is written, and not yet under its name."""
    fsync = os.fsync

    def act(number):
        fsync(number)
        do()

    monkeypatch.setattr(os, "fsync", act)


def without_links(monkeypatch):
    """As a file system that has none."""

    def refuse(*arguments, **options):
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(os, "link", refuse)


@pytest.mark.parametrize("links", [True, False])
def test_a_new_file_is_written_whole_and_alone(links, tmp_path, monkeypatch):
    if not links:
        without_links(monkeypatch)
    files.write_bytes("new.vae", b"stream", force=False)
    assert (tmp_path / "new.vae").read_bytes() == b"stream"
    assert os.listdir(tmp_path) == ["new.vae"]
    assert (tmp_path / "new.vae").stat().st_nlink == 1


@pytest.mark.parametrize("links", [True, False])
def test_a_file_that_appears_meanwhile_is_kept_without_force(links, tmp_path, monkeypatch):
    if not links:
        without_links(monkeypatch)
    during_the_write(monkeypatch, lambda: (tmp_path / "new.vae").write_bytes(b"another's"))
    with pytest.raises(OutputError, match=r"new\.vae: exists already; --force"):
        files.write_bytes("new.vae", b"stream", force=False)
    assert (tmp_path / "new.vae").read_bytes() == b"another's"
    assert os.listdir(tmp_path) == ["new.vae"]


def test_a_link_that_appears_meanwhile_is_not_followed_without_force(tmp_path, monkeypatch):
    during_the_write(monkeypatch, lambda: os.path.lexists("new.vae") or os.symlink("elsewhere", "new.vae"))
    with pytest.raises(OutputError, match="exists already"):
        files.write_bytes("new.vae", b"stream", force=False)
    assert os.listdir(tmp_path) == ["new.vae"]


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o666, 0o755])
def test_force_keeps_the_permissions_of_the_file_it_replaces(mode, tmp_path):
    path = tmp_path / "old.vae"
    path.write_bytes(b"old")
    path.chmod(mode)
    files.write_bytes("old.vae", b"stream", force=True)
    assert path.read_bytes() == b"stream"
    assert stat.S_IMODE(path.stat().st_mode) == mode


def test_a_new_file_has_the_permissions_of_any_new_file(tmp_path):
    (tmp_path / "any").write_bytes(b"")
    files.write_bytes("new.vae", b"stream", force=False)
    files.write_bytes("forced.vae", b"stream", force=True)
    assert {path.stat().st_mode for path in tmp_path.iterdir()} == {(tmp_path / "any").stat().st_mode}


def test_a_device_is_written_to_and_stays_one():
    before = os.stat(os.devnull)
    files.write_bytes(os.devnull, b"stream", force=False)
    after = os.stat(os.devnull)
    assert (after.st_ino, after.st_mode) == (before.st_ino, before.st_mode)


def test_a_named_pipe_is_written_to_and_stays_one(tmp_path):
    os.mkfifo("pipe")
    found = []
    reader = threading.Thread(target=lambda: found.append((tmp_path / "pipe").read_bytes()))
    reader.start()
    files.write_bytes("pipe", b"stream", force=False)
    reader.join(10)
    assert found == [b"stream"]
    assert stat.S_ISFIFO(os.stat("pipe").st_mode)
    assert os.listdir(tmp_path) == ["pipe"]


@pytest.mark.skipif(not os.path.exists("/dev/fd/1"), reason="no /dev/fd here")
@pytest.mark.parametrize("name", ["/dev/stdout", "/dev/fd/1"])
@pytest.mark.parametrize("force", [[], ["--force"]])
def test_dev_stdout_goes_on_where_standard_output_stands_even_in_a_file(name, force, python, tmp_path):
    assert python(WRITE, name, *force).stdout == b"stream"
    with open(tmp_path / "out", "wb") as out:
        out.write(b"before ")
        out.flush()
        assert python(WRITE, name, *force, stdout=out).returncode == 0
        out.write(b" after")
    assert (tmp_path / "out").read_bytes() == b"before stream after"


def test_a_descriptor_that_is_not_open_is_an_error_that_names_it():
    with pytest.raises(OSError, match=r"/dev/fd/99"):
        files.write_bytes("/dev/fd/99", b"stream", force=False)


def test_a_folder_is_no_input(tmp_path):
    with pytest.raises(IsADirectoryError):
        files.read_bytes(str(tmp_path), 10)


@pytest.fixture
def block_device(tmp_path):
    """The path of a block device that can be opened; made without a driver behind it, it could not."""
    for name in sorted(os.listdir("/dev")):
        path = os.path.join("/dev", name)
        if stat.S_ISBLK(os.stat(path, follow_symlinks=False).st_mode) and os.access(path, os.R_OK):
            return path
    pytest.skip("no block device here, or none that this user may read")


def test_a_block_device_is_neither_input_nor_output(block_device):
    with pytest.raises(OSError, match="block device"):
        files.read_bytes(block_device, 10)
    for force in (False, True):
        with pytest.raises(OutputError, match="block device"):
            files.check_target(block_device, force)
