"""Where an archive's bytes come from: a file on disk, or any address that fsspec knows.

Reads name their offset (pread), so that threads and forked processes share one open file without sharing a position.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol

from vaecodec.errors import Closed, LimitExceeded, OutputError, Truncated
from vaecodec.files.inputs import open_regular

CLOSED = "archive: it is closed"


class Source(Protocol):
    """Bytes at rest. read() gives exactly n bytes, or raises Truncated."""

    size: int

    def read(self, offset: int, n: int) -> bytes: ...
    def close(self) -> None: ...


class FileSource:
    """A file on disk, open for reading."""

    def __init__(self, path: str | bytes | os.PathLike[str]) -> None:
        self._file = open_regular(path)  # which can be read at any place
        self.size = os.fstat(self._file.fileno()).st_size
        self._lock = threading.Lock()

    def read(self, offset: int, n: int) -> bytes:
        """n bytes at an offset. Raises Truncated, OSError, Closed."""
        if self._file.closed:
            raise Closed(CLOSED)
        if hasattr(os, "pread"):
            data = os.pread(self._file.fileno(), n, offset)
            while len(data) < n and (more := os.pread(self._file.fileno(), n - len(data), offset + len(data))):
                data += more
        else:  # Windows, where nothing forks
            with self._lock:
                self._file.seek(offset)
                data = self._file.read(n)
        return _exactly(data, offset, n)

    def close(self) -> None:
        """Give the file back."""
        self._file.close()


class RemoteSource:
    """An fsspec address: every read is one range request, and nothing is downloaded besides.

    size: where it is known already; then nothing is asked before the first read.
    """

    def __init__(self, address: str, size: int | None = None) -> None:
        self._address = address
        self._process = 0
        self._closed = False
        self._connect()
        with naming(address):
            self.size = int(self._filesystem.size(self._path)) if size is None else size

    def _connect(self) -> None:
        """Once for each process: connections and event loops do not survive a fork."""
        self._filesystem, self._path = connect(self._address, again=bool(self._process))
        self._process = os.getpid()

    def read(self, offset: int, n: int) -> bytes:
        """n bytes at an offset. Raises Truncated, OSError, Closed."""
        if self._closed:
            raise Closed(CLOSED)
        if self._process != os.getpid():
            self._connect()
        with naming(self._address):
            data = bytes(self._filesystem.cat_file(self._path, start=offset, end=offset + n))
        if len(data) > n:
            raise OSError(f"{self._address}: the server gives whole files only, no ranges: copy the archive to disk")
        return _exactly(data, offset, n)

    def close(self) -> None:
        """Nothing is held open, and nothing is read any more."""
        self._closed = True


def import_fsspec(address: str) -> Any:
    """The package, for an address. Raises OutputError where it is not installed."""
    try:
        import fsspec
    except ImportError as error:
        raise OutputError(f"{address}: an address needs the extra fsspec (pip install vaecodec[fsspec])") from error
    return fsspec


def connect(address: str, *, again: bool = False) -> tuple[Any, str]:
    """fsspec's file system of an address, and the path there. again: in a process that was forked off.

    Raises OutputError where fsspec, or what the protocol needs, is not installed; OSError.
    """
    fsspec = import_fsspec(address)
    if again:
        fsspec.asyn.reset_lock()
    with naming(address):
        filesystem, path = fsspec.core.url_to_fs(address, skip_instance_cache=again)
    return filesystem, path


@contextmanager
def naming(address: str) -> Iterator[None]:
    """What fsspec and its file systems raise, which is anything, as an OSError with the address and a reason.

    FileNotFoundError, FileExistsError and PermissionError stay what they are.
    """
    try:
        yield
    except ImportError as error:  # of what the protocol needs
        raise OutputError(f"{address}: {error} (pip install)") from error
    except FileNotFoundError as error:
        raise FileNotFoundError(f"{address}: not found") from error
    except Exception as error:
        kind = next((one for one in (FileExistsError, PermissionError) if isinstance(error, one)), OSError)
        text = " ".join(str(error).split())
        raise kind(f"{address}: {text if text and text != address else type(error).__name__}") from error


def _exactly(data: bytes, offset: int, n: int) -> bytes:
    if len(data) != n:
        raise Truncated(f"archive: need {n} bytes at offset {offset}, have {len(data)}")
    return data


def read_within(source: Source, place: tuple[int, int], most: int, what: str) -> bytes:
    """A record at (offset, bytes), of at most so many bytes. Raises LimitExceeded before anything is read."""
    offset, size = place
    if size > most:
        raise LimitExceeded(f"{what}: {size} bytes, at most {most} allowed")
    return source.read(offset, size)


def is_address(path: str | bytes | os.PathLike[str]) -> bool:
    """Whether this is an fsspec address rather than a path."""
    return "://" in os.fsdecode(path)


def open_source(path: str | bytes | os.PathLike[str]) -> Source:
    """The source of a path or address. Raises OSError."""
    return RemoteSource(os.fsdecode(path)) if is_address(path) else FileSource(path)
