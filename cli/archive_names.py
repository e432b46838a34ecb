"""Image names as file names: what `archive extract` writes them as, and which names it refuses everywhere alike."""

from __future__ import annotations

import re

from .pictures import DEFAULT_SUFFIX

MAX_SHOWN = 20  # warnings of an archive
MAX_FILE_NAME_BYTES = 255  # of one part of a path, on most file systems
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)  # names that Windows gives to devices


def file_name(name: str, suffix: str = DEFAULT_SUFFIX) -> str:
    """The relative path, with forward slashes, that an image of this name is extracted to; suffix: of its format."""
    return name if name.lower().endswith(suffix) else f"{name}{suffix}"


def why_refused(name: str) -> str | None:
    """Why an image of this name is not extracted to a file; None if it is."""
    parts = name.split("/")
    if any(part in ("", ".", "..") for part in parts):
        return "not a file name below the folder"
    if any("\\" in part or ":" in part or _RESERVED.fullmatch(part) for part in parts):
        return "not a file name on every system"
    if any(not part.isprintable() or part != part.strip() for part in parts):
        return "spaces around it, or letters that do not print"
    if any(len(part.encode(errors="replace")) > MAX_FILE_NAME_BYTES for part in file_name(name).split("/")):
        return f"longer than {MAX_FILE_NAME_BYTES} bytes between slashes"
    return None


class NameCheck:
    """The names of an archive that is being written: which of them extraction will refuse, or find a second time."""

    def __init__(self) -> None:
        self._seen: set[int] = set()  # hashes: a million names take less memory
        self._warnings: list[str] = []
        self._more = 0

    def add(self, name: str | None) -> None:
        """One image's, None if it has none."""
        if name is None:
            return
        place, reason = hash(file_name(name)), why_refused(name)
        if reason is None and place in self._seen:
            reason = "the name of an image before it too"
        self._seen.add(place)
        if reason is not None and len(self._warnings) < MAX_SHOWN:
            self._warnings.append(f"{name}: extracting will refuse this name: {reason}")
        elif reason is not None:
            self._more += 1

    def warnings(self) -> list[str]:
        """A line for each name, and how many more there are."""
        return [*self._warnings, *([f"{self._more} more names that extracting will refuse"] if self._more else [])]
