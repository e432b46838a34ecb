"""What went wrong with many files, told in few lines: equal errors are one line with a count.

(a.png, "16 bits a pixel; …") (b.png, the same) … ──> a.png and 19,999 more: 16 bits a pixel; …
"""

from __future__ import annotations

from dataclasses import dataclass

from .boundary import describe, plain
from .files import warn

MAX_LINES = 20  # different errors that are said; --json has every one


@dataclass(frozen=True, slots=True)
class Failure:
    """A file or an image, and why nothing was made of it."""

    file: str
    error: str


class EqualErrors:
    """Failures in the order in which they came."""

    def __init__(self) -> None:
        self.failed: list[Failure] = []

    def add(self, file: str, error: Exception, *, path: str | None = None) -> None:
        """One more. path: what the error may begin with besides the file's name."""
        message = describe(error)
        for name in (path, file):
            message = message if name is None else message.removeprefix(f"{plain(name)}: ")
        self.failed.append(Failure(file, message))

    def lines(self) -> list[str]:
        """A line for each different error: the first file, how many more there are, and the error."""
        files: dict[str, list[str]] = {}
        for failure in self.failed:
            files.setdefault(failure.error, []).append(failure.file)
        found = []
        for error, names in list(files.items())[:MAX_LINES]:
            more = f" and {len(names) - 1:,} more" if len(names) > 1 else ""
            found.append(f"{plain(names[0])}{more}: {error}")
        if len(files) > MAX_LINES:
            rest = sum(map(len, list(files.values())[MAX_LINES:]))
            found.append(f"{rest:,} more files, of {len(files) - MAX_LINES:,} other errors; --json lists them")
        return found

    def say(self, before: str = "") -> None:
        """Say the lines on stderr, --quiet or not."""
        for line in self.lines():
            warn(f"{before}{line}")
