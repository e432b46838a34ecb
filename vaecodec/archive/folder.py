"""Folder: named objects at one place, on disk or at any address that fsspec knows; each is there whole or not at all.

disk               a temporary file ──rename──> name                       files/outputs.py
object store       one PUT, which is seen when it is whole
other addresses    a temporary object ──moved──> name
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from vaecodec.archive.source import FileSource, RemoteSource, Source, import_fsspec, is_address, naming
from vaecodec.errors import OutputError
from vaecodec.files.outputs import WholeFile

T = TypeVar("T")
WHOLE_WHEN_SEEN = frozenset({"abfs", "abfss", "adl", "az", "gcs", "gs", "memory", "oci", "s3", "s3a"})  # protocols
PAUSES_S = (0.2, 1.0, 5.0)  # a store that answers 503 asks for a pause; file systems try again themselves, too
COPY_BYTES = 1 << 20


class Folder(Protocol):
    """Errors are OSError, FileNotFoundError where an object is not there; all name the object."""

    @property
    def address(self) -> str: ...
    def read(self, name: str) -> bytes: ...
    def read_range(self, name: str, start: int, end: int) -> bytes: ...
    def sizes(self) -> dict[str, int]: ...
    def publish(self, name: str, data: bytes) -> None: ...
    def publish_file(self, name: str, path: str) -> None: ...
    def create(self, name: str, data: bytes) -> bool: ...
    def remove(self, name: str) -> None: ...
    def source(self, name: str, size: int) -> Source: ...


@dataclass(frozen=True, slots=True)
class LocalFolder:
    """On disk; made where it is not there."""

    address: str

    def path(self, name: str) -> str:
        """Where an object lies."""
        return os.path.join(self.address, name)

    def read(self, name: str) -> bytes:
        """All of an object."""
        with open(self.path(name), "rb") as file:
            return file.read()

    def read_range(self, name: str, start: int, end: int) -> bytes:
        """Bytes start to end - 1, as many as there are."""
        with open(self.path(name), "rb") as file:
            file.seek(start)
            return file.read(end - start)

    def sizes(self) -> dict[str, int]:
        """Bytes of each object, hidden files left out; nothing where the folder is not there."""
        found: dict[str, int] = {}
        with suppress(FileNotFoundError), os.scandir(self.address) as entries:
            for entry in entries:
                if not entry.name.startswith("."):
                    with suppress(FileNotFoundError):  # replaced meanwhile
                        found[entry.name] = entry.stat().st_size
        return found

    def publish(self, name: str, data: bytes) -> None:
        """Put an object there, in the place of what had its name."""
        os.makedirs(self.address, exist_ok=True)
        file = WholeFile(self.path(name), overwrite=True)
        try:
            file.write(data)
        except BaseException:
            file.abort()
            raise
        file.commit()

    def publish_file(self, name: str, path: str) -> None:
        """As publish(), of the bytes of a file."""
        os.makedirs(self.address, exist_ok=True)
        file = WholeFile(self.path(name), overwrite=True)
        try:
            with open(path, "rb") as source:
                while data := source.read(COPY_BYTES):
                    file.write(data)
        except BaseException:
            file.abort()
            raise
        file.commit()

    def create(self, name: str, data: bytes) -> bool:
        """Put an object there if nothing has its name; whether it was put."""
        os.makedirs(self.address, exist_ok=True)
        file = WholeFile(self.path(name), overwrite=False)
        try:
            file.write(data)
            file.commit()
        except FileExistsError:
            file.abort()
            return False
        return True

    def remove(self, name: str) -> None:
        """Take an object away; one that is not there is none."""
        with suppress(FileNotFoundError):
            os.unlink(self.path(name))

    def source(self, name: str, size: int) -> Source:
        """An object to read by place; its size is the file's own."""
        return FileSource(self.path(name))


class RemoteFolder:
    """At an fsspec address. What fails is tried again after each of PAUSES_S, but for what is not there."""

    def __init__(self, address: str) -> None:
        self.address = address.rstrip("/")
        self._process = 0
        self._connect()

    def _connect(self) -> None:
        """Once for each process: connections and event loops do not survive a fork."""
        fsspec = import_fsspec(self.address)
        if self._process:
            fsspec.asyn.reset_lock()
        self._filesystem: Any
        with naming(self.address):
            again = bool(self._process)
            self._filesystem, self._path = fsspec.core.url_to_fs(self.address, skip_instance_cache=again)
        protocol = self._filesystem.protocol
        self._whole_when_seen = not WHOLE_WHEN_SEEN.isdisjoint([protocol] if isinstance(protocol, str) else protocol)
        self._process = os.getpid()

    def _try(self, name: str, do: Callable[[Any, str], T]) -> T:
        """do(file system, the object's path), several times where it fails for no lasting reason."""
        if self._process != os.getpid():
            self._connect()
        pauses = iter(PAUSES_S)
        while True:
            try:
                with naming(f"{self.address}/{name}" if name else self.address):
                    return do(self._filesystem, f"{self._path}/{name}" if name else self._path)
            except (FileNotFoundError, FileExistsError, PermissionError, OutputError):
                raise
            except OSError:
                pause_s = next(pauses, None)
                if pause_s is None:
                    raise
                time.sleep(pause_s)

    def read(self, name: str) -> bytes:
        """All of an object."""
        # From a place, even if it is the first: s3fs would ask for the object's size before it reads a whole one.
        return bytes(self._try(name, lambda fs, path: fs.cat_file(path, start=0)))

    def read_range(self, name: str, start: int, end: int) -> bytes:
        """Bytes start to end - 1, as many as there are."""
        return bytes(self._try(name, lambda fs, path: fs.cat_file(path, start=start, end=end)))

    def sizes(self) -> dict[str, int]:
        """Bytes of each object, hidden ones left out, as they are now; nothing where the folder is not there."""

        def listed(fs: Any, path: str) -> list[dict[str, Any]]:
            fs.invalidate_cache(path)
            found: list[dict[str, Any]] = fs.ls(path, detail=True)
            return found

        try:
            entries = self._try("", listed)
        except FileNotFoundError:
            return {}
        named = ((entry["name"].rpartition("/")[2], entry) for entry in entries if entry["type"] == "file")
        return {name: int(entry["size"]) for name, entry in named if not name.startswith(".")}

    def publish(self, name: str, data: bytes) -> None:
        """Put an object there, in the place of what had its name."""
        self._put(name, lambda fs, path: fs.pipe_file(path, data))

    def publish_file(self, name: str, path: str) -> None:
        """As publish(), of the bytes of a file."""
        self._put(name, lambda fs, target: fs.put_file(path, target))

    def _put(self, name: str, put: Callable[[Any, str], None]) -> None:
        if self._whole_when_seen:
            self._try(name, put)
            return
        temporary = f".vaecodec-{os.getpid()}-{os.urandom(4).hex()}.tmp"

        def put_and_move(fs: Any, path: str) -> None:
            folder = path.rpartition("/")[0]
            fs.makedirs(folder, exist_ok=True)
            put(fs, f"{folder}/{temporary}")
            fs.mv(f"{folder}/{temporary}", path)

        self._try(name, put_and_move)

    def create(self, name: str, data: bytes) -> bool:
        """Put an object there if nothing has its name; whether it was put."""
        try:
            self._try(name, lambda fs, path: fs.pipe_file(path, data, mode="create"))
        except FileExistsError:
            return False
        return True

    def remove(self, name: str) -> None:
        """Take an object away; one that is not there is none."""
        with suppress(FileNotFoundError):
            self._try(name, lambda fs, path: fs.rm_file(path))

    def source(self, name: str, size: int) -> Source:
        """An object of this size, to read by place; nothing is asked for it until then."""
        return RemoteSource(f"{self.address}/{name}", size)


def open_folder(address: str) -> Folder:
    """The folder of a path or address. Raises OutputError where an address needs a package that is missing, OSError."""
    if address.startswith("file://"):
        address = address.removeprefix("file://")
    return RemoteFolder(address) if is_address(address) else LocalFolder(address)


def objects_below(address: str) -> Iterator[tuple[str, str]]:
    """(address, path relative to where the search begins) of every object that an address means, in order.

    An object; a folder, searched to its depths; a pattern with * or ?. Raises OutputError, OSError.
    """
    fsspec = import_fsspec(address)
    with naming(address):
        filesystem, path = fsspec.core.url_to_fs(address)
        if any(letter in path for letter in "*?["):
            found, base = sorted(filesystem.glob(path)), path[: min(path.find(c) for c in "*?[" if c in path)]
            base = base.rpartition("/")[0]
        elif filesystem.isdir(path):
            found, base = sorted(filesystem.find(path)), path.rstrip("/")
        else:
            found, base = [path], path.rpartition("/")[0]
        for one in found:
            yield filesystem.unstrip_protocol(one), one[len(base) :].lstrip("/")


def read_object(address: str) -> bytes:
    """All of the object at an address. Raises OutputError, OSError."""
    folder, _, name = address.rpartition("/")
    return RemoteFolder(folder).read(name)
