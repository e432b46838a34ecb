"""A folder in, a folder of the same shape out: files some at a time, and one that fails does not stop the rest.

IN/a/b.png ──read──┐                      ┌──> OUT/a/b.vae
IN/a/c.png ──read──┴──> convert a batch ──┴──> OUT/a/c.vae
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Generic, TypeVar

import click

from vaecodec.errors import DataError, OutputError, VaecodecError
from vaecodec.files.walk import files_below

from .boundary import plain
from .equal_errors import EqualErrors, Failure
from .files import check_target, say, warn, write_bytes
from .progress import Progress

BATCH_FILES = 128  # enough for the networks to be fast
BATCH_PIXELS = 1 << 22  # of a batch, and the last picture's besides: large photographs are done one by one

Item = TypeVar("Item")
Result = TypeVar("Result")


class Mirror(Generic[Item, Result]):
    """Makes outputs that end in `suffix` of the files whose suffix is one of `suffixes`.

    read: an item of a path. pixels: how many an item has, which bounds what is held at once. convert: a result of each
    item, all or an error. pack: the bytes of a result. Failures, unreadable folders among them, are kept, and
    said by end(), equal ones together. Raises DataError where there is nothing to do, OutputError where `target` is no
    folder.
    """

    def __init__(
        self,
        source: str,
        target: str,
        *,
        suffixes: Collection[str],
        suffix: str,
        read: Callable[[str], Item],
        pixels: Callable[[Item], int],
        convert: Callable[[Sequence[Item]], Sequence[Result]],
        pack: Callable[[Result], bytes],
        force: bool,
        progress: Progress,
    ) -> None:
        if os.path.lexists(target) and not os.path.isdir(target):
            raise OutputError(f"{target}: is a file, expected a folder for the outputs of a folder")
        self._errors = EqualErrors()
        found = files_below(source, suffixes)
        if not (found.files or found.unreadable):
            raise DataError(f"{source}: found no file that ends in {' '.join(sorted(suffixes))}")
        self.files = found.files
        self._unreadable = found.unreadable
        say_linked(source, found.linked)
        self._source, self._target, self._suffix = source, target, suffix
        self._read, self._pixels, self._convert, self._pack = read, pixels, convert, pack
        self._force, self._progress = force, progress
        self._taken: dict[str, str] = {}

    def run(self) -> Iterator[tuple[str, Item, Result]]:
        """(file, item, result) of each file, a relative path, for which an output was written."""
        for one in self._unreadable:
            self._fail(one.path, DataError(one.reason))
        for batch in self._batches():
            for (file, place, item), result in self._results(batch):
                try:
                    write_bytes(make_parents(self._target, place), self._pack(result), force=self._force)
                except (VaecodecError, OSError) as error:
                    self._fail(file, error)
                    continue
                yield file, item, result

    @property
    def failed(self) -> list[Failure]:
        """The files of which no output was made; relative paths."""
        return self._errors.failed

    def end(self) -> None:
        """Say what failed, equal errors together, and end with exit code 1 if something did."""
        if self.failed:
            self._errors.say(plain(os.path.join(self._source, "")))
            warn(f"vaecodec: error: {len(self.failed)} of {len(self.files) + len(self._unreadable)} files failed")
            raise click.exceptions.Exit(1)

    def _batches(self) -> Iterator[list[tuple[str, str, Item]]]:
        """What could be read, some files at a time."""
        batch: list[tuple[str, str, Item]] = []
        pixels = 0
        for file in self.files:
            read = self._item(file)
            if read is not None:
                batch.append(read)
                pixels += self._pixels(read[2])
            if len(batch) == BATCH_FILES or pixels >= BATCH_PIXELS:
                yield batch
                batch, pixels = [], 0
        yield batch

    def _item(self, file: str) -> tuple[str, str, Item] | None:
        """The file, the path of its output and what was read; None where that failed."""
        place = os.path.join(self._target, os.path.splitext(file)[0] + self._suffix)
        try:
            other = self._taken.setdefault(place, file)
            if other != file:
                raise OutputError(f"{place} is the output of {other} already")
            check_below(self._target, place)
            check_target(place, self._force)
            return file, place, self._read(os.path.join(self._source, file))
        except (VaecodecError, OSError) as error:
            self._fail(file, error)
            return None

    def _results(self, items: list[tuple[str, str, Item]]) -> Iterator[tuple[tuple[str, str, Item], Result]]:
        """Where a batch fails, each of its halves, until what remains is the file that is to blame."""
        if not items:
            return
        try:
            results = self._convert([item for _, _, item in items])
        except VaecodecError as error:
            if len(items) == 1:
                self._fail(items[0][0], error)
                return
            middle = len(items) // 2
            yield from self._results(items[:middle])
            yield from self._results(items[middle:])
            return
        yield from zip(items, results, strict=True)

    def _fail(self, file: str, error: Exception) -> None:
        self._errors.add(file, error, path=os.path.join(self._source, file))


def say_linked(folder: str, linked: Sequence[str]) -> None:
    """Say which folders are left out because a link leads to them."""
    for path in linked:
        say(f"vaecodec: note: {plain(os.path.join(folder, path))}: a link to a folder, which is left out")


def make_parents(folder: str, place: str) -> str:
    """The place, whose folders are made. Raises OutputError where a link on the way leads out of the folder."""
    os.makedirs(folder, exist_ok=True)
    check_below(folder, place)
    os.makedirs(os.path.dirname(place), exist_ok=True)
    return place


def check_below(folder: str, place: str) -> None:
    """Raises OutputError for a place that is not below the folder once links, its own too, are followed."""
    if not is_below(folder, place):
        raise OutputError(f"{place}: a link leads out of the folder")


def is_below(folder: str, place: str) -> bool:
    """Whether a place is below the folder once links, its own too, are followed."""
    root, found = os.path.realpath(folder), os.path.realpath(place)
    return os.path.commonpath([root, found]) == root and found != root
