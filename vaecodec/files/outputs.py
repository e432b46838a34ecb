"""Output files: all of a file or nothing of it, and never in the place of another one unless that is asked for.

new file:         temporary file beside it ──link──> name; fails where the name has come to be taken meanwhile
overwrite:        temporary file beside it ──rename──> name, links followed, with the permissions of what was there
device or pipe:   written to as it is, as it comes; /dev/stdout and /dev/fd/N mean this process' own open files

Of a killed process a temporary file may stay: the next that writes into the folder, an hour later, removes it. A
program that a signal ends calls remove_unfinished(), for the signal may come where no `except` stands yet.
"""

from __future__ import annotations

import os
import re
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import BytesIO
from typing import Protocol

from vaecodec.errors import OutputError, OutputExists

NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
TEMPORARY_NAME = re.compile(r"\.vaecodec-\d+-[0-9a-f]{8}\.tmp")
ABANDONED_S = 3600  # a temporary file of this age that nobody has locked was left by a process that was killed

_swept: set[str] = set()  # folders that were looked through for abandoned files
_unfinished: set[str] = set()  # temporary files that are not published, nor removed


class OutputFile(Protocol):
    """What is written until commit() is seen by nobody; abort() leaves what was there before. Raise OSError."""

    def write(self, data: bytes | memoryview) -> None: ...
    def sync(self) -> None: ...
    def commit(self) -> None: ...
    def abort(self) -> None: ...


def check_output(target: str, *, overwrite: bool) -> None:
    """Refuse, before the work is done, what open_output() would refuse after it. Raises OutputError, OutputExists."""
    if not target:
        raise OutputError("the output's name is empty")
    mode = _mode(target)
    if stat.S_ISDIR(mode):
        raise OutputError(f"{target}: is a folder, expected a file name for the output")
    if stat.S_ISBLK(mode):
        raise OutputError(f"{target}: is a block device, expected a file name for the output")
    if os.path.lexists(target) and not _is_written_straight(target) and not overwrite:
        raise _exists(target)


def open_output(target: str, *, overwrite: bool) -> OutputFile:
    """The output, to be written piece by piece. Raises OutputError, OutputExists, OSError, all of which name it."""
    check_output(target, overwrite=overwrite)
    return _StraightFile(target) if _is_written_straight(target) else WholeFile(target, overwrite=overwrite)


def write_file(target: str, data: bytes | memoryview, *, overwrite: bool) -> None:
    """Write a file as a whole. Raises as open_output(); then nothing of it is left."""
    file = open_output(target, overwrite=overwrite)
    try:
        file.write(data)
    except BaseException:
        file.abort()
        raise
    file.commit()


@contextmanager
def replacing(target: str | os.PathLike[str]) -> Iterator[BytesIO]:
    """What is written here takes the target's place as a whole at the end, if no exception comes. Raises OSError."""
    content = BytesIO()
    yield content
    write_file(os.fspath(target), content.getbuffer(), overwrite=True)


def remove_unfinished() -> None:
    """Remove the temporary files that this process has left: nothing writes to them any more."""
    own = f".vaecodec-{os.getpid()}-"  # a forked child knows its parent's too
    for path in [path for path in _unfinished if os.path.basename(path).startswith(own)]:
        with suppress(OSError):
            os.unlink(path)
        _unfinished.discard(path)


def sync_folder(target: str) -> None:
    """Make the name of a new file last, where the system can."""
    with suppress(OSError):
        descriptor = os.open(os.path.dirname(os.path.realpath(target)), os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


class WholeFile:
    """A temporary file that takes the target's name at the end. temporary: its path until then, for whoever checks it.

    What killed processes left in the folder is removed first.
    """

    def __init__(self, target: str, *, overwrite: bool) -> None:
        self._target, self._overwrite = target, overwrite
        self._place = os.path.realpath(target) if overwrite else target
        self._replaced = _stat(self._place) if overwrite else None
        folder = os.path.dirname(self._place)
        _remove_abandoned(folder)
        # Not tempfile, which makes files that only their owner can read, and costs 10 ms to import.
        self.temporary = os.path.join(folder, f".vaecodec-{os.getpid()}-{os.urandom(4).hex()}.tmp")
        mode = 0o666 if self._replaced is None else stat.S_IMODE(self._replaced.st_mode) & 0o666
        _unfinished.add(self.temporary)
        with _named(target):
            self._descriptor = os.open(self.temporary, NEW_FILE, mode)
        _lock(self._descriptor)
        self._open = True

    def write(self, data: bytes | memoryview) -> None:
        with _named(self._target):
            _write_all(self._descriptor, data)

    def sync(self) -> None:
        with _named(self._target):
            os.fsync(self._descriptor)

    def commit(self) -> None:
        try:
            with _named(self._target):
                os.fsync(self._descriptor)
                self._close()
                self._publish()
        except BaseException:
            self.abort()
            raise
        _unfinished.discard(self.temporary)

    def abort(self) -> None:
        self._close()
        with suppress(OSError):
            os.unlink(self.temporary)
        _unfinished.discard(self.temporary)

    def _close(self) -> None:
        if self._open:
            self._open = False
            os.close(self._descriptor)

    def _publish(self) -> None:
        if self._overwrite:
            if self._replaced is not None:
                _become(self.temporary, self._replaced)
            os.replace(self.temporary, self._place)
            return
        try:
            os.link(self.temporary, self._place)
        except FileExistsError as error:
            raise _exists(self._target) from error
        except OSError:  # a file system without links
            self._reserve()
            os.replace(self.temporary, self._place)
        else:
            with suppress(OSError):
                os.unlink(self.temporary)

    def _reserve(self) -> None:
        """Take the name by an empty file, which is then replaced: a kill in between leaves it."""
        try:
            os.close(os.open(self._place, NEW_FILE, 0o666))
        except FileExistsError as error:
            raise _exists(self._target) from error


class _StraightFile:
    """A device, a pipe, or one of this process' own open files: what is written is there at once."""

    def __init__(self, target: str) -> None:
        self._target = target
        number = _own_descriptor(target)
        with _named(target):
            self._file = open(target if number is None else os.dup(number), "wb", buffering=0)  # noqa: SIM115

    def write(self, data: bytes | memoryview) -> None:
        with _named(self._target):
            _write_all(self._file.fileno(), data)

    def sync(self) -> None:
        """Pipes and most devices cannot."""

    def commit(self) -> None:
        with _named(self._target):
            self._file.close()

    def abort(self) -> None:
        with suppress(OSError):
            self._file.close()


def _write_all(descriptor: int, data: bytes | memoryview) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def _become(path: str, like: os.stat_result) -> None:
    """Give the file the owner, where that is allowed, and the permissions of another."""
    own = os.stat(path)
    if hasattr(os, "chown") and (own.st_uid, own.st_gid) != (like.st_uid, like.st_gid):
        with suppress(OSError):
            os.chown(path, like.st_uid, like.st_gid)
    os.chmod(path, stat.S_IMODE(like.st_mode))


def _exists(target: str) -> OutputExists:
    return OutputExists(f"{target}: exists already")


@contextmanager
def _named(target: str) -> Iterator[None]:
    """Errors name the file that was asked for, not the temporary one."""
    try:
        yield
    except OSError as error:
        if error.errno is None:
            raise
        raise OSError(error.errno, error.strerror, target) from error


def _remove_abandoned(folder: str) -> None:
    """Remove temporary files of processes that were killed: old ones that nobody holds a lock on."""
    folder = os.path.abspath(folder)
    if folder in _swept:
        return
    _swept.add(folder)
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if TEMPORARY_NAME.fullmatch(entry.name):
                with suppress(OSError):
                    age_s = time.time() - entry.stat(follow_symlinks=False).st_mtime
                    if age_s > ABANDONED_S and _is_unlocked(entry.path):
                        os.unlink(entry.path)


def _is_unlocked(path: str) -> bool:
    descriptor = os.open(path, os.O_RDWR | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
    try:
        return _lock(descriptor)
    finally:
        os.close(descriptor)


def _lock(descriptor: int) -> bool:
    """Whether this process now holds the file's lock, until it closes the file. Never on Windows, which has no such."""
    try:
        import fcntl

        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (ImportError, OSError):
        return False
    return True


def _is_written_straight(target: str) -> bool:
    mode = _mode(target)
    return _own_descriptor(target) is not None or stat.S_ISCHR(mode) or stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)


def _own_descriptor(target: str) -> int | None:
    """The number of the open file that a name as /dev/stdout means, which may be a plain file that must not go."""
    folder, _, name = target.rpartition("/")
    if target in ("/dev/stdout", "/dev/stderr"):
        return 1 if name == "stdout" else 2
    if folder in ("/dev/fd", "/proc/self/fd") and name.isascii() and name.isdecimal() and len(name) < 6:
        return int(name)
    return None


def _stat(target: str) -> os.stat_result | None:
    try:
        return os.stat(target)
    except OSError:
        return None


def _mode(target: str) -> int:
    """What the file is and its permissions, links followed; 0 where there is none."""
    found = _stat(target)
    return 0 if found is None else found.st_mode
