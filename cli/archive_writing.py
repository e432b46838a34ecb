"""What create and append do: images from their sources into a writer, and what is said of them.

sources ──Sources──> images ──writer──> blocks ──measured──> fidelity ──> metadata, --misfits, what is said
             └ left out: unreadable, unsuitable, target missed ──> lines on stderr, exit code 1
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any

import click

from vaecodec.archive.shards import SourceImage
from vaecodec.codec.picture import Picture, as_picture
from vaecodec.codec.window import is_deep
from vaecodec.errors import ConfigError, DataError, ImageError, LimitExceeded, TargetMissed, VaecodecError

from .archive_fidelity import KEY
from .archive_names import NameCheck
from .archive_sources import Unread, files_of, read_sources
from .boundary import plain
from .equal_errors import EqualErrors
from .files import print_json, say, warn, write_bytes
from .progress import Progress
from .windows import WindowCount, one_window, parse_window

if TYPE_CHECKING:
    from vaecodec.archive.encode import Missed
    from vaecodec.archive.writer import ArchiveWriter
    from vaecodec.arrays import Pixels
    from vaecodec.codec.target import Target

    from .archive_fidelity import ArchiveFidelity


class Sources:
    """The images of the command line's sources, and those that are left out. options: as create and append have them.

    window: of --window, for all where --one-window asks for that.
    """

    def __init__(self, sources: Sequence[str], options: dict[str, Any]) -> None:
        self.left = EqualErrors()
        self.strict: bool = options["strict"]
        self.window = parse_window(options["window"])
        if options["one_window"]:
            if self.window is None:
                raise click.UsageError("--one-window: with --window")
            self.window = one_window(files_of(sources), self.window) or self.window
        self._found = read_sources(
            sources,
            jobs=options["jobs"],
            named=not options["no_names"],
            strip=options["strip"],
            data_dir=options["data_dir"],
            window=self.window,
        )

    @property
    def missed(self) -> Missed | None:
        """For the writer, which leaves out what misses its target, unless the command is strict."""
        return None if self.strict else self._leave_out

    def first(self) -> Picture | Pixels:
        """The first image; it comes again with the others. Raises DataError where there is none."""
        first = next(self.images(), None)
        if first is None:
            raise self.nothing()
        self._found = chain([first], self._found)
        return first.image

    def nothing(self) -> DataError:
        """The error where no image is left: what was wrong with them, in one line where that is one thing."""
        lines = self.left.lines()
        if len(lines) > 1:
            self.left.say("vaecodec: left out: ")
            return DataError(f"no image is left of {len(self.left.failed):,}")
        return DataError(lines[0] if lines else "the sources hold no image")

    def images(self) -> Iterator[SourceImage]:
        """Those that could be read. Raises the error of one that could not, if strict."""
        for image in self._found:
            if isinstance(image, SourceImage):
                yield image
            elif self.strict:
                raise image.error
            else:
                self.leave_unread(image)

    def leave_unread(self, image: Unread) -> None:
        """A file that could not be read."""
        self.left.add(image.path, image.error)

    def leave(self, image: SourceImage, number: int, error: VaecodecError) -> None:
        """An image that the model does not take; number: of all that were read. Raises the error, if strict."""
        name = image.name or f"image {number} of the sources"
        if self.strict:
            error.args = (f"{name}: {error}",)
            raise error
        self.left.add(name, error)

    def _leave_out(self, number: int, name: str | None, error: TargetMissed) -> None:
        self.left.add(name or f"image {number} of the sources", error)


class Writing:
    """One creation or append. target: the archive's name; wanted: what was asked for."""

    def __init__(
        self, writer: ArchiveWriter, sources: Sources, fidelity: ArchiveFidelity | None, wanted: Target, target: str
    ) -> None:
        self._writer, self._sources, self._fidelity = writer, sources, fidelity
        self._wanted, self._target = wanted, target
        self._names, self._windows = NameCheck(), WindowCount()
        self._before, self._size_before = len(writer), writer.size_bytes
        self._source_bytes, self._started = 0, time.monotonic()

    def run(
        self,
        metadata: dict[str, Any] | None,
        misfits: str | None,
        *,
        as_json: bool,
        before: dict[str, Any] | None = None,
    ) -> None:
        """All of it, and exit code 1 where an image was left out.

        metadata: that was given, None where none was; before: that the archive had. misfits: the file to list them in.
        """
        if misfits is not None and self._fidelity is None:
            self._writer.abort()
            raise click.UsageError("--misfits: which they are is not known with --no-verify")
        bar = Progress(quiet=as_json)
        with self._writer:
            self._add_all(bar)
            self._writer.flush()
            if len(self._writer) == self._before:
                raise self._sources.nothing()
            if self._fidelity is not None and self._fidelity.images:
                self._writer.metadata = self._with_fidelity(metadata, before or {}, self._fidelity)
        bar.clear()
        if misfits is not None and self._fidelity is not None:
            write_bytes(misfits, self._fidelity.list_of_misfits(), force=True)
        self._report(as_json)
        if self._sources.left.failed:
            raise click.exceptions.Exit(1)

    def _add_all(self, bar: Progress) -> None:
        for number, image in enumerate(self._sources.images()):
            try:
                picture = self._scaled(image.image)
                self._writer.add(picture, image.name, image.label)
            except (ImageError, LimitExceeded) as error:
                self._sources.leave(image, number, error)
                continue
            except TargetMissed:  # names the image itself, which may be one before this one
                raise
            except ValueError as error:
                if image.name is not None:
                    error.args = (f"{image.name}: {error}",)
                raise
            self._names.add(image.name)
            if isinstance(picture, Picture):
                self._windows.add(picture)
            self._source_bytes += image.source_bytes
            if bar.due():
                bar.draw(self._progress())

    def _scaled(self, image: Picture | Pixels) -> Picture | Pixels:
        """An image of a data set that has more than 8 bits, by the window; files are scaled when they are read."""
        window = self._sources.window
        return image if window is None or not is_deep(image) else as_picture(image, window)

    @staticmethod
    def _with_fidelity(
        given: dict[str, Any] | None, before: dict[str, Any], fidelity: ArchiveFidelity
    ) -> dict[str, Any]:
        """The metadata with what was measured now, after what was measured before."""
        if given is not None and KEY in given:
            raise ConfigError(f"metadata: the key {KEY!r} is kept for what is measured; --no-verify leaves it to you")
        measured = before.get(KEY, [])
        kept = dict(before) if given is None else dict(given)
        return kept | {KEY: [*(measured if isinstance(measured, list) else []), fidelity.fields()]}

    def _report(self, as_json: bool) -> None:
        images, fidelity = len(self._writer) - self._before, self._fidelity
        warnings = list(self._names.warnings())
        if fidelity is not None and images:
            spent = self._writer.size_bytes - (self._size_before if self._before else 0)
            warnings += fidelity.warnings(self._writer.codec, self._wanted, spent / images)
        failed = self._sources.left.failed
        if as_json:
            print_json(
                {
                    "output": self._target,
                    "images": self._before + images,
                    "added": images,
                    "file_bytes": self._writer.size_bytes,
                    "source_bytes": self._source_bytes,
                    "elapsed_s": time.monotonic() - self._started,
                    "fidelity": fidelity.fields() if fidelity is not None and images else None,
                    **self._windows.fields(),
                    "warnings": warnings,
                    "left_out": [{"image": failure.file, "error": failure.error} for failure in failed],
                }
            )
        else:
            said = f", {fidelity.words()}" if fidelity is not None and images else ""
            say(f"{self._target}: {self._progress()}{said}")
            if self._windows.words:
                say(f"{self._target}: {self._windows.words}")
        for warning in warnings:
            warn(f"vaecodec: warning: {plain(warning)}")
        if failed:
            self._sources.left.say("vaecodec: left out: ")
            warn(f"vaecodec: error: {len(failed):,} images were left out")

    def _progress(self) -> str:
        images = len(self._writer) - self._before
        elapsed_s = time.monotonic() - self._started
        size_bytes = self._writer.size_bytes - (self._size_before if self._before else 0)
        ratio = f", {self._source_bytes / size_bytes:.1f} times smaller" if size_bytes else ""
        return f"{images} images, {images / max(elapsed_s, 1e-3):.0f} images/s, {size_bytes} bytes{ratio}"
