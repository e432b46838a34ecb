"""Reading and writing whole files: bounded, `-` for the standard streams, and all of an output or nothing of it.

new file:          temporary file beside it ──link──> name; fails where the name has come to be taken meanwhile
--force:           temporary file beside it ──rename──> name, with the permissions of what was there
device or pipe:    written to as it is; `-`, /dev/stdout and /dev/fd/N mean this process' own streams
"""

from __future__ import annotations

import errno
import json
import os
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import click

from vaecodec.errors import OutputError, VaecodecError

STANDARD = "-"


def read_bytes(source: str, limit: int) -> bytes:
    """The bytes of a file, or of standard input for `-`, at most limit + 1 of them: one too many shows the excess.

    Raises OSError.
    """
    if source == STANDARD:
        if sys.stdin is None:
            raise OutputError("standard input is closed")
        return sys.stdin.buffer.read(limit + 1)
    with open(source, "rb") as file:
        if stat.S_ISBLK(os.fstat(file.fileno()).st_mode):
            raise OSError(errno.EINVAL, "is a block device, expected a file", source)
        return file.read(limit + 1)


def check_target(target: str, force: bool) -> None:
    """Refuse, before the work is done, what write_bytes() would refuse after it. Raises OutputError."""
    if target == STANDARD:
        if sys.stdout is None:
            raise OutputError("standard output is closed")
        if sys.stdout.isatty() and not force:
            raise OutputError("standard output is a terminal: redirect it, name a file, or use --force")
        return
    mode = _mode(target)
    if stat.S_ISDIR(mode):
        raise OutputError(f"{target}: is a folder, expected a file name for the output")
    if stat.S_ISBLK(mode):
        raise OutputError(f"{target}: is a block device, expected a file name for the output")
    if os.path.lexists(target) and not _is_written_straight(target) and not force:
        raise _exists(target)


def write_bytes(target: str, data: bytes, *, force: bool) -> None:
    """Write a file as a whole, as the head of this file says; `-` is standard output.

    Raises OutputError where the file exists and `force` is not set, OSError where it cannot be written; then nothing of
    it is left.
    """
    check_target(target, force)
    with _named("standard output" if target == STANDARD else target):
        if target == STANDARD:
            sys.stdout.buffer.write(data)
            sys.stdout.buffer.flush()
        elif _is_written_straight(target):
            number = _own_descriptor(target)
            _write_straight(target if number is None else os.dup(number), data)
        elif force:
            _replace(os.path.realpath(target), data)
        else:
            _create(target, data)


def _write_straight(target: str | int, data: bytes) -> None:
    with open(target, "wb", buffering=0) as device:
        written = 0
        while written < len(data):
            written += device.write(data[written:]) or 0


def _create(target: str, data: bytes) -> None:
    """A new file, whole or not at all, never in the place of another."""
    temporary = _write_temporary(target, data)
    try:
        os.link(temporary, target)
    except FileExistsError as error:
        raise _exists(target) from error
    except OSError:  # a file system without links: here a kill can leave a part of the file
        _write_exclusively(target, target, data)
    finally:
        with suppress(OSError):
            os.unlink(temporary)


def _replace(target: str, data: bytes) -> None:
    """A file in the place of another, whole or not at all; its permissions are the other's."""
    mode = _mode(target)
    temporary = _write_temporary(target, data, 0o666 if mode == 0 else stat.S_IMODE(mode) & 0o666)
    try:
        if mode:
            os.chmod(temporary, stat.S_IMODE(mode))
        os.replace(temporary, target)
    except BaseException:
        with suppress(OSError):
            os.unlink(temporary)
        raise


def _write_temporary(target: str, data: bytes, mode: int = 0o666) -> str:
    # Not tempfile, which makes files that only their owner can read, and costs 10 ms to import.
    temporary = os.path.join(os.path.dirname(target), f".vaecodec-{os.getpid()}-{os.urandom(4).hex()}.tmp")
    _write_exclusively(temporary, target, data, mode)
    return temporary


def _write_exclusively(path: str, target: str, data: bytes, mode: int = 0o666) -> None:
    """Make and fill `path`, which must not be there yet; of a failure nothing is left. target: for the message."""
    try:
        number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), mode)
    except FileExistsError as error:
        raise _exists(target) from error
    try:
        with open(number, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        with suppress(OSError):
            os.unlink(path)
        raise


def _exists(target: str) -> OutputError:
    return OutputError(f"{target}: exists already; --force overwrites it")


@contextmanager
def _named(target: str) -> Iterator[None]:
    """Errors name the file that the user asked for, not the temporary one."""
    try:
        yield
    except OSError as error:
        if error.errno is None:
            raise
        raise OSError(error.errno, error.strerror, target) from error


@contextmanager
def naming(source: str) -> Iterator[None]:
    """Errors about the bytes of a file say which file."""
    try:
        yield
    except VaecodecError as error:
        error.args = (f"{'standard input' if source == STANDARD else source}: {error}",)
        raise


def print_json(value: dict[str, Any] | list[Any]) -> None:
    """One JSON document on standard output."""
    click.echo(json.dumps(value, indent=1))


def say(text: str) -> None:
    """Talk, on stderr."""
    click.echo(text, err=True)


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


def _mode(target: str) -> int:
    """What the file is and its permissions, links followed; 0 where there is none."""
    try:
        return os.stat(target).st_mode
    except OSError:
        return 0
