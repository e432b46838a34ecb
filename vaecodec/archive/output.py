"""Where a writer puts its bytes so that a kill at any moment leaves the old archive or the new one.

new:    an output file (vaecodec/files/outputs.py): seen when it is whole; into a pipe it goes as it comes; upload.py
append: blocks at the end ──> sync ──> footer ──> sync
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from vaecodec.archive.directory import Directory, read_directory
from vaecodec.archive.models import ArchiveModels
from vaecodec.archive.source import FileSource, is_address
from vaecodec.archive.tail import End, find_end
from vaecodec.archive.upload import Upload
from vaecodec.bitstream.archive.limits import HEADER_BYTES
from vaecodec.bitstream.archive.record import pack_header, pack_trailer
from vaecodec.errors import BadChecksum, ModelNotFound, OutputError
from vaecodec.files.inputs import path_text
from vaecodec.files.outputs import OutputFile, open_output, sync_folder

if TYPE_CHECKING:
    from vaecodec.codec.codec import AnyCodec

BUFFER_BYTES = 1 << 16


class Output:
    """A file that is written at its end. start: where the segment begins; images, fingerprints: there before."""

    def __init__(self, file: OutputFile, *, position: int, images: int, fingerprints: tuple[bytes, ...]) -> None:
        self.position = position
        self.start = position
        self.images = images
        self.fingerprints = fingerprints
        self.closed = False
        self._file = file
        self._buffer = bytearray()

    def write(self, data: bytes) -> None:
        """Append bytes, buffered. Raises OSError."""
        self._buffer += data
        self.position += len(data)
        if len(self._buffer) >= BUFFER_BYTES:
            self._flush()

    def _flush(self) -> None:
        self._file.write(bytes(self._buffer))
        self._buffer.clear()

    def commit(self, footer: bytes) -> None:
        """Sync all that was written, then write the footer and sync that, then make it visible. Raises OSError."""
        self._flush()
        self._file.sync()
        self.write(footer)
        self._flush()
        self.closed = True
        self._file.commit()

    def abort(self) -> None:
        """Undo what was written."""
        if not self.closed:
            self.closed = True
            self._file.abort()


class NewArchive:
    """An output file whose name lasts once it is there."""

    def __init__(self, target: str, *, overwrite: bool) -> None:
        self._target = target
        self._file = open_output(target, overwrite=overwrite)

    def write(self, data: bytes | memoryview) -> None:
        self._file.write(data)

    def sync(self) -> None:
        self._file.sync()

    def commit(self) -> None:
        self._file.commit()
        sync_folder(self._target)

    def abort(self) -> None:
        self._file.abort()


class Appending:
    """An archive that is written on at `position`, locked until it is closed."""

    def __init__(self, descriptor: int, target: str, position: int) -> None:
        self._descriptor, self._target, self._position = descriptor, target, position

    def write(self, data: bytes | memoryview) -> None:
        view = memoryview(data)
        while view:
            try:
                view = view[os.write(self._descriptor, view) :]
            except OSError as error:
                raise OSError(error.errno, error.strerror, self._target) from error

    def sync(self) -> None:
        os.fsync(self._descriptor)

    def commit(self) -> None:
        try:
            os.fsync(self._descriptor)
        except BaseException:
            self.abort()
            raise
        os.close(self._descriptor)

    def abort(self) -> None:
        try:
            os.ftruncate(self._descriptor, self._position)
        finally:
            os.close(self._descriptor)


def open_new(path: str | bytes | os.PathLike[str], *, overwrite: bool) -> Output:
    """A new archive. Raises OutputExists where `path` exists and overwrite is False, OutputError where it cannot be."""
    target = path_text(path)
    file: OutputFile
    try:
        file = Upload(target, overwrite=overwrite) if is_address(target) else NewArchive(target, overwrite=overwrite)
    except OutputError:
        raise
    except OSError as error:
        if error.strerror is None:  # of an address, which the error names
            raise
        raise OutputError(f"{target}: cannot be written: {error.strerror}") from error
    output = Output(file, position=0, images=0, fingerprints=())
    output.write(pack_header())
    output.start = HEADER_BYTES
    return output


def open_for_append(path: str | bytes | os.PathLike[str], codec: AnyCodec | None) -> tuple[Output, AnyCodec]:
    """The end of an archive, locked, and the codec to go on with (the one used last, where None is given).

    What follows the last footer is cut off. Raises OutputError where it is locked, FormatError's children where it is
    no archive or its index is damaged, ModelNotFound.
    """
    path = path_text(path)
    if is_address(path):
        raise OutputError(f"{path}: archives on disk only can be appended to")
    try:
        descriptor = os.open(path, os.O_RDWR | getattr(os, "O_BINARY", 0))
    except PermissionError as error:
        raise OutputError(f"{path}: cannot be written: {error.strerror}") from error
    try:
        _lock(descriptor, path)
        source = FileSource(path)
        try:
            end, directory = find_end(source), read_directory(source)
            if not directory.indexed:
                raise BadChecksum(f"{path}: the index is damaged; extract what is whole into a new archive")
            if codec is None:
                codec = _last_codec(source, directory)
        finally:
            source.close()
        position = _cut(descriptor, end)
    except BaseException:
        os.close(descriptor)
        raise
    output = Output(
        Appending(descriptor, path, position),
        position=position,
        images=directory.images,
        fingerprints=tuple(directory.models[k].fingerprint for k in range(len(directory.models))),
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


def _last_codec(source: FileSource, directory: Directory) -> AnyCodec:
    if not directory.models:
        raise ModelNotFound("the archive has no model yet: give one")
    return ArchiveModels(source, directory, ()).codec(max(directory.models))


def _lock(descriptor: int, path: str) -> None:
    """One writer at a time, until the file is closed."""
    try:
        import fcntl
    except ImportError:  # Windows has no such lock
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        raise OutputError(f"{path}: another process is writing to it") from error
