"""Where a writer puts its bytes so that a kill at any moment leaves the old archive or the new one.

new:    temporary file in the same folder ──> sync ──> rename ──> sync the folder
append: blocks at the end ──> sync ──> footer ──> sync
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from pathlib import Path

from vaecodec.archive.directory import Directory, read_directory
from vaecodec.archive.models import ArchiveModels
from vaecodec.archive.source import FileSource, is_address
from vaecodec.archive.tail import End, find_end
from vaecodec.bitstream.archive.limits import HEADER_BYTES
from vaecodec.bitstream.archive.record import pack_header, pack_trailer
from vaecodec.codec.codec import Codec
from vaecodec.errors import BadChecksum, ModelNotFound, OutputError

BUFFER_BYTES = 1 << 16


class Output:
    """An open file that is written at its end. start: where the segment begins; images, fingerprints: there before."""

    def __init__(
        self,
        descriptor: int,
        *,
        position: int,
        images: int,
        fingerprints: tuple[bytes, ...],
        publish: Callable[[], None],
        retract: Callable[[int], None],
    ) -> None:
        self.position = position
        self.start = position
        self.images = images
        self.fingerprints = fingerprints
        self.closed = False
        self._descriptor = descriptor
        self._buffer = bytearray()
        self._publish = publish
        self._retract = retract

    def write(self, data: bytes) -> None:
        """Append bytes, buffered. Raises OSError."""
        self._buffer += data
        self.position += len(data)
        if len(self._buffer) >= BUFFER_BYTES:
            self._flush()

    def _flush(self) -> None:
        view = memoryview(bytes(self._buffer))
        while view:
            view = view[os.write(self._descriptor, view) :]
        self._buffer.clear()

    def commit(self, footer: bytes) -> None:
        """Sync all that was written, then write the footer and sync that, then make it visible. Raises OSError."""
        self._flush()
        os.fsync(self._descriptor)
        self.write(footer)
        self._flush()
        os.fsync(self._descriptor)
        self.closed = True
        os.close(self._descriptor)
        self._publish()

    def abort(self) -> None:
        """Undo what was written."""
        if not self.closed:
            self.closed = True
            self._retract(self._descriptor)
            os.close(self._descriptor)


def open_new(path: str | os.PathLike[str], *, overwrite: bool) -> Output:
    """A new archive. Raises OutputError where `path` exists and overwrite is False, or where its folder is missing."""
    if is_address(path):
        raise OutputError(f"{path}: archives are written to disk; copy the finished file there")
    place = Path(path)
    if place.exists() and not overwrite:
        raise OutputError(f"{place} exists already")
    temporary = place.with_name(f".{place.name}.{secrets.token_hex(4)}.partial")
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o666)
    except OSError as error:
        raise OutputError(f"{place}: cannot be written: {error.strerror}") from error

    def publish() -> None:
        if place.exists() and not overwrite:  # made by another process meanwhile
            temporary.unlink()
            raise OutputError(f"{place} exists already")
        temporary.replace(place)
        _sync_folder(place.parent)

    output = Output(
        descriptor,
        position=0,
        images=0,
        fingerprints=(),
        publish=publish,
        retract=lambda _: temporary.unlink(missing_ok=True),
    )
    output.write(pack_header())
    output.start = HEADER_BYTES
    return output


def open_for_append(path: str | os.PathLike[str], codec: Codec | None) -> tuple[Output, Codec]:
    """The end of an archive, locked, and the codec to go on with (the one used last, where None is given).

    What follows the last footer is cut off. Raises OutputError where it is locked, FormatError's children where it is
    no archive or its index is damaged, ModelNotFound.
    """
    if is_address(path):
        raise OutputError(f"{path}: archives on disk only can be appended to")
    try:
        descriptor = os.open(path, os.O_RDWR | getattr(os, "O_BINARY", 0))
    except PermissionError as error:
        raise OutputError(f"{os.fspath(path)}: cannot be written: {error.strerror}") from error
    try:
        _lock(descriptor, path)
        source = FileSource(path)
        try:
            end, directory = find_end(source), read_directory(source)
            if not directory.indexed:
                raise BadChecksum(f"{os.fspath(path)}: the index is damaged; extract what is whole into a new archive")
            if codec is None:
                codec = _last_codec(source, directory)
        finally:
            source.close()
        position = _cut(descriptor, end)
    except BaseException:
        os.close(descriptor)
        raise
    output = Output(
        descriptor,
        position=position,
        images=directory.images,
        fingerprints=tuple(directory.models[k].fingerprint for k in range(len(directory.models))),
        publish=lambda: None,
        retract=lambda opened: os.ftruncate(opened, position),
    )
    return output, codec


def _cut(descriptor: int, end: End) -> int:
    """Cut off what follows the last footer, and mend its trailer where that is damaged: where the archive now ends."""
    position = end.end
    if end.footer is None:
        os.ftruncate(descriptor, position)
    else:  # without its trailer the footer still counts, so this may be interrupted too
        os.ftruncate(descriptor, sum(end.footer))
        trailer = pack_trailer(end.footer[1])
        position = sum(end.footer) + len(trailer)
        os.lseek(descriptor, 0, os.SEEK_END)
        os.write(descriptor, trailer)
    os.lseek(descriptor, position, os.SEEK_SET)
    return position


def _last_codec(source: FileSource, directory: Directory) -> Codec:
    if not directory.models:
        raise ModelNotFound("the archive has no model yet: give one")
    return ArchiveModels(source, directory, ()).codec(max(directory.models))


def _lock(descriptor: int, path: str | os.PathLike[str]) -> None:
    """One writer at a time, until the file is closed."""
    try:
        import fcntl
    except ImportError:  # Windows has no such lock
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        raise OutputError(f"{os.fspath(path)}: another process is writing to it") from error


def _sync_folder(folder: Path) -> None:
    """Make a rename last; not every system can."""
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError:
        return
    try:
        os.fsync(descriptor)
    except OSError:
        pass
    finally:
        os.close(descriptor)
