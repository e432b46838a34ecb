"""Reading and writing whole files: bounded, `-` for the standard streams, and all of an output or nothing of it."""

from __future__ import annotations

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
        return file.read(limit + 1)


def check_target(target: str, force: bool) -> None:
    """Refuse, before the work is done, what write_bytes() would refuse after it. Raises OutputError."""
    if target == STANDARD:
        if sys.stdout is None:
            raise OutputError("standard output is closed")
        if sys.stdout.isatty() and not force:
            raise OutputError("standard output is a terminal: redirect it, name a file, or use --force")
    elif os.path.isdir(target):
        raise OutputError(f"{target}: is a folder, expected a file name for the output")
    elif os.path.lexists(target) and not _is_device(target) and not force:
        raise OutputError(f"{target}: exists already; --force overwrites it")


def write_bytes(target: str, data: bytes, *, force: bool) -> None:
    """Write a file as a whole, by a temporary one beside it and a rename; `-` is standard output.

    Devices and pipes are written to as they are. Raises OutputError where the file exists and `force` is not set,
    OSError where it cannot be written; then nothing of it is left.
    """
    check_target(target, force)
    if target == STANDARD:
        with _named("standard output"):
            sys.stdout.buffer.write(data)
            sys.stdout.buffer.flush()
    elif _is_device(target):
        with _named(target), open(target, "wb", buffering=0) as device:
            written = 0
            while written < len(data):
                written += device.write(data[written:]) or 0
    else:
        _replace(os.path.realpath(target), data)


def _replace(target: str, data: bytes) -> None:
    folder = os.path.dirname(target)
    temporary = os.path.join(folder, f".vaecodec-{os.getpid()}-{os.urandom(4).hex()}.tmp")
    with _named(target):
        # Not tempfile, which makes files that only their owner can read, and costs 10 ms to import.
        number = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o666)
        try:
            with open(number, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, target)
        except BaseException:
            with suppress(OSError):
                os.unlink(temporary)
            raise


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


def _is_device(target: str) -> bool:
    try:
        mode = os.stat(target).st_mode
    except OSError:
        return False
    return stat.S_ISCHR(mode) or stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)
