"""Files that were found rather than named: a pipe or device among them must be an error, not a wait without end."""

from __future__ import annotations

import errno
import os
import stat
from io import FileIO

from vaecodec.errors import WrongType

NOT_REGULAR = "not a regular file"


def path_text(path: object) -> str:
    """A path as text, of text, bytes or a path's object. Raises WrongType; OSError where no file can be called so."""
    try:
        text = os.fsdecode(path)  # type: ignore[arg-type]
    except TypeError as error:
        raise WrongType(f"path: expected text, bytes or a pathlib.Path, found {type(path).__name__}") from error
    if "\0" in text:
        raise OSError(errno.EINVAL, "a name that holds a zero byte", text)
    return text


def open_regular(path: str | bytes | os.PathLike[str]) -> FileIO:
    """The file, open for reading, unbuffered. Raises OSError, for whatever is no regular file too."""
    # Without O_NONBLOCK the open itself would wait for somebody to write into a named pipe.
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
    try:
        descriptor = os.open(path, flags)
    except OSError as error:
        if error.errno == errno.ENXIO:  # a socket
            raise OSError(errno.EINVAL, NOT_REGULAR, os.fspath(path)) from error
        raise
    mode = os.fstat(descriptor).st_mode
    if stat.S_ISREG(mode):
        return FileIO(descriptor, "rb")
    os.close(descriptor)
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), os.fspath(path))
    raise OSError(errno.EINVAL, NOT_REGULAR, os.fspath(path))
