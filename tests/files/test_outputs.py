"""Outputs: never in the place of another file unless asked to; devices and pipes are written to as they are.

Each law holds for write_file() and for an archive's writer alike.
"""

import errno
import os
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

import vaecodec
from vaecodec.errors import OutputError, OutputExists
from vaecodec.files import outputs

ROOT = Path(__file__).parents[2]
TINY = ROOT / "tests" / "golden" / "v1" / "tiny.vaem"
WRITE = """
import sys
from vaecodec.files.outputs import write_file
write_file(sys.argv[1], b"stream", overwrite=len(sys.argv) > 2)
"""


def write_stream(target, overwrite):
    outputs.write_file(target, b"stream", overwrite=overwrite)


def write_archive(target, overwrite):
    with vaecodec.ArchiveWriter.create(target, vaecodec.load(TINY), overwrite=overwrite) as writer:
        writer.add(np.zeros((28, 28), np.uint8))


@pytest.fixture(params=[write_stream, write_archive])
def write(request, tmp_path, monkeypatch):
    """write(target, overwrite): with an empty folder as the place where it happens."""
    monkeypatch.chdir(tmp_path)
    return request.param


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    """What write_archive() writes."""
    path = tmp_path_factory.mktemp("expected") / "a.vaea"
    write_archive(str(path), False)
    return path.read_bytes()


@pytest.fixture
def expected(write, archive):
    return b"stream" if write is write_stream else archive


def during_the_write(monkeypatch, do):
    """Call `do` when the data is written, and not yet under its name."""
    fsync = os.fsync

    def act(number):
        fsync(number)
        do()

    monkeypatch.setattr(os, "fsync", act)


@pytest.fixture(params=[True, False])
def links(request, monkeypatch):
    """On a file system with links, and on one that has none."""

    def refuse(*arguments, **options):
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))

    if not request.param:
        monkeypatch.setattr(os, "link", refuse)


def test_a_new_file_is_written_whole_and_alone(write, expected, tmp_path, monkeypatch, links):
    write("new", False)
    assert (tmp_path / "new").read_bytes() == expected
    assert os.listdir(tmp_path) == ["new"]
    assert (tmp_path / "new").stat().st_nlink == 1


def test_a_file_that_appears_meanwhile_is_kept(write, tmp_path, monkeypatch, links):
    during_the_write(monkeypatch, lambda: (tmp_path / "new").write_bytes(b"another's"))
    with pytest.raises(OutputExists, match="new: exists already"):
        write("new", False)
    assert (tmp_path / "new").read_bytes() == b"another's"
    assert os.listdir(tmp_path) == ["new"]


def test_a_link_that_appears_meanwhile_is_not_followed(write, tmp_path, monkeypatch, links):
    during_the_write(monkeypatch, lambda: os.path.lexists("new") or os.symlink("elsewhere", "new"))
    with pytest.raises(OutputExists):
        write("new", False)
    assert os.listdir(tmp_path) == ["new"]


def test_of_two_that_write_one_file_one_fails(write, tmp_path, monkeypatch, links):
    """The gap between look and link, as wide as it gets: both have written before either takes the name."""
    barrier, ended = threading.Barrier(2, timeout=20), []
    publish = outputs.WholeFile._publish

    def together(file):
        barrier.wait()
        publish(file)

    monkeypatch.setattr(outputs.WholeFile, "_publish", together)

    def one():
        try:
            write("new", False)
            ended.append("written")
        except OutputExists:
            ended.append("exists")

    threads = [threading.Thread(target=one) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(ended) == ["exists", "written"]
    assert os.listdir(tmp_path) == ["new"]


def test_an_existing_file_stays_unless_it_is_to_be_overwritten(write, expected, tmp_path):
    (tmp_path / "old").write_bytes(b"old")
    with pytest.raises(FileExistsError, match="old: exists already"):
        write("old", False)
    assert (tmp_path / "old").read_bytes() == b"old"
    write("old", True)
    assert (tmp_path / "old").read_bytes() == expected
    assert os.listdir(tmp_path) == ["old"]


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o666, 0o755])
def test_overwriting_keeps_the_permissions(write, expected, mode, tmp_path):
    path = tmp_path / "old"
    path.write_bytes(b"old")
    path.chmod(mode)
    write("old", True)
    assert path.read_bytes() == expected
    assert stat.S_IMODE(path.stat().st_mode) == mode


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root may give files away")
def test_overwriting_keeps_the_owner(write, tmp_path):
    (tmp_path / "old").write_bytes(b"old")
    os.chown(tmp_path / "old", 1234, 4321)
    write("old", True)
    found = (tmp_path / "old").stat()
    assert (found.st_uid, found.st_gid) == (1234, 4321)


def test_overwriting_writes_through_a_link_and_leaves_it_a_link(write, expected, tmp_path):
    (tmp_path / "real").write_bytes(b"old")
    os.symlink("real", "link")
    os.symlink("new", "dangling")
    for name, real in (("link", "real"), ("dangling", "new")):
        write(name, True)
        assert os.readlink(name) == real
        assert (tmp_path / real).read_bytes() == expected


def test_a_new_file_has_the_permissions_of_any_new_file(write, tmp_path):
    (tmp_path / "any").write_bytes(b"")
    write("new", False)
    write("forced", True)
    assert {path.stat().st_mode for path in tmp_path.iterdir()} == {(tmp_path / "any").stat().st_mode}


@pytest.mark.parametrize("overwrite", [False, True])
def test_a_device_is_written_to_and_stays_one(write, overwrite):
    before = os.stat(os.devnull)
    write(os.devnull, overwrite)
    after = os.stat(os.devnull)
    assert (after.st_ino, after.st_mode, after.st_rdev) == (before.st_ino, before.st_mode, before.st_rdev)


@pytest.mark.parametrize("overwrite", [False, True])
def test_a_named_pipe_is_written_to_and_stays_one(write, expected, overwrite, tmp_path):
    os.mkfifo("pipe")
    found = []
    reader = threading.Thread(target=lambda: found.append((tmp_path / "pipe").read_bytes()))
    reader.start()
    write("pipe", overwrite)
    reader.join(10)
    assert found == [expected]
    assert stat.S_ISFIFO(os.stat("pipe").st_mode)
    assert os.listdir(tmp_path) == ["pipe"]


@pytest.mark.skipif(not os.path.exists("/dev/fd/1"), reason="no /dev/fd here")
@pytest.mark.parametrize("name", ["/dev/stdout", "/dev/fd/1"])
@pytest.mark.parametrize("overwrite", [[], ["overwrite"]])
def test_dev_stdout_goes_on_where_standard_output_stands_even_in_a_file(name, overwrite, tmp_path):
    command = [sys.executable, "-P", "-c", WRITE, name, *overwrite]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    assert subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE).stdout == b"stream"
    with open(tmp_path / "out", "wb") as out:
        out.write(b"before ")
        out.flush()
        subprocess.run(command, env=environment, check=True, stdout=out)
        out.write(b" after")
    assert (tmp_path / "out").read_bytes() == b"before stream after"


def test_what_cannot_be_written_is_an_error_that_names_it(write, tmp_path):
    (tmp_path / "folder").mkdir()
    reasons = {"folder": "is a folder", "nowhere/new": "No such file", "/dev/fd/99": "Bad file", "": "empty"}
    for name, reason in reasons.items():
        with pytest.raises(OSError, match=reason) as caught:
            write(name, False)
        assert name in f"{caught.value} {caught.value.filename}"


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full here")
def test_a_full_disk_is_an_error_that_names_the_file(write):
    with pytest.raises(OSError, match="No space left on device") as caught:
        write("/dev/full", False)
    assert caught.value.filename == "/dev/full"


@pytest.fixture
def block_device():
    """The path of a block device that can be opened; made without a driver behind it, it could not."""
    for name in sorted(os.listdir("/dev")):
        path = os.path.join("/dev", name)
        if stat.S_ISBLK(os.stat(path, follow_symlinks=False).st_mode) and os.access(path, os.R_OK):
            return path
    pytest.skip("no block device here, or none that this user may read")


def test_a_block_device_is_no_output(block_device):
    for overwrite in (False, True):
        with pytest.raises(OutputError, match="block device"):
            outputs.check_output(block_device, overwrite=overwrite)


def test_what_a_killed_process_left_is_removed_by_the_next_one(write, tmp_path):
    names = [f".vaecodec-{k}-0123456{k}.tmp" for k in range(3)]
    for name in (*names, ".vaecodec-1-x.tmp"):
        (tmp_path / name).write_bytes(b"a part")
    old_s = time.time() - 2 * outputs.ABANDONED_S
    os.utime(names[0], (old_s, old_s))
    os.utime(names[1], (old_s, old_s))
    with open(names[1], "rb+") as held:
        assert outputs._lock(held.fileno())
        write("new", False)
    assert sorted(os.listdir(tmp_path)) == sorted([*names[1:], ".vaecodec-1-x.tmp", "new"])


def test_what_is_replaced_is_the_old_file_or_the_new_one(tmp_path):
    path = tmp_path / "a"
    with outputs.replacing(path) as file:
        file.write(b"old")
    with pytest.raises(TypeError), outputs.replacing(path) as file:
        file.write(b"half of the new", None)
    assert path.read_bytes() == b"old"
    with outputs.replacing(path) as file:
        file.write(b"new")
    assert (path.read_bytes(), os.listdir(tmp_path)) == (b"new", ["a"])


def test_what_a_process_has_not_finished_is_removed_and_nothing_else(tmp_path):
    other = tmp_path / f".vaecodec-{os.getpid() + 1}-01234567.tmp"
    other.write_bytes(b"of another process")
    done = outputs.open_output(str(tmp_path / "done"), overwrite=False)
    done.commit()
    outputs.open_output(str(tmp_path / "begun"), overwrite=False).write(b"half")
    outputs._unfinished.add(str(other))  # as a forked child knows its parent's
    assert len(os.listdir(tmp_path)) == 3
    outputs.remove_unfinished()
    outputs._unfinished.clear()
    assert sorted(os.listdir(tmp_path)) == sorted([other.name, "done"])
