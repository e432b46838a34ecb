"""The files below a folder, by suffix; what cannot be read is named and not passed over.

folder ──os.walk──> a/b.png, ...          regular files, links to them followed
                    unreadable            folders without permission, named pipes, links that lead nowhere
                    linked folders        not followed: they may lead in a circle
"""

from __future__ import annotations

import os
import stat
from collections.abc import Collection
from dataclasses import dataclass

from vaecodec.files.inputs import NOT_REGULAR


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A path below the folder, relative to it, and why nothing was read from it."""

    path: str
    reason: str


@dataclass(frozen=True, slots=True)
class Walk:
    """Relative paths, in order: the files of a folder, then its subfolders. linked: folders behind links."""

    files: tuple[str, ...]
    unreadable: tuple[Unreadable, ...]
    linked: tuple[str, ...]


def files_below(folder: str | os.PathLike[str], suffixes: Collection[str]) -> Walk:
    """The files whose suffix is one of these, in lower case with its dot; hidden files and folders are left out."""
    files, unreadable, linked = [], [], []

    def relative(path: str) -> str:
        return os.path.relpath(path, folder)

    def note(error: OSError) -> None:
        unreadable.append(Unreadable(relative(os.fspath(error.filename)), error.strerror or str(error)))

    for parent, folders, names in os.walk(folder, onerror=note):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        linked += [relative(path) for name in folders if os.path.islink(path := os.path.join(parent, name))]
        for name in sorted(names):
            if name.startswith(".") or os.path.splitext(name)[1].lower() not in suffixes:
                continue
            path = os.path.join(parent, name)
            reason = _why_not(path)
            if reason is None:
                files.append(relative(path))
            else:
                unreadable.append(Unreadable(relative(path), reason))
    return Walk(tuple(files), tuple(unreadable), tuple(linked))


def _why_not(path: str) -> str | None:
    """Why a path is no file to be read, or None if it is one."""
    try:
        mode = os.stat(path).st_mode
    except OSError as error:
        return error.strerror or str(error)
    return None if stat.S_ISREG(mode) else NOT_REGULAR
