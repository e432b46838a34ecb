"""Archive: many images in one file, or in the shards of a folder, read as a sequence.

    with vaecodec.Archive("digits.vaea") as archive:
        archive[7]                 # uint8 (h, w)
        archive["train/7.png"]     # by name
        archive[100:200]           # a list of images
        archive.labels[7], archive.names[7], archive.metadata
        archive.shape, archive[:9, 7:21, 7:21]   # as an array, for np.asarray() and dask too

Opening reads the index, an image its block (64 to 128 images in one coder stream). Many threads and processes may read
one file, forked ones through the same open archive.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from types import EllipsisType
from typing import TYPE_CHECKING, Any, overload

import numpy as np
import numpy.typing as npt

from vaecodec.archive.blocks import Blocks
from vaecodec.archive.directory import Directory, read_directory
from vaecodec.archive.models import ArchiveModels, as_codec, fingerprints_at_hand
from vaecodec.archive.names import Names, number_within, whole_number
from vaecodec.archive.selection import numbers_of, select
from vaecodec.archive.sharded import Shards, open_shards
from vaecodec.archive.source import CLOSED, Source, open_source, read_within
from vaecodec.archive.verify import ArchiveInfo, Verification, describe_archive, verify_archive
from vaecodec.arrays import Pixels
from vaecodec.bitstream.archive.limits import MAX_METADATA_BYTES
from vaecodec.bitstream.archive.metadata import unpack_metadata
from vaecodec.codec.codec import Codec
from vaecodec.errors import Closed, FormatError, ImageSizeError
from vaecodec.files.inputs import path_text
from vaecodec.modelfile.model import Model

if TYPE_CHECKING:
    from vaecodec.archive.models import ModelLike
    from vaecodec.bitstream.window import Values, Window
    from vaecodec.codec.codec import AnyCodec
    from vaecodec.codec.photograph import PhotographCodec
    from vaecodec.codec.picture import Picture

SHOWN, SHOWN_COLUMNS = 48, 12  # images of a notebook's picture
FILLED_IMAGES = 1024  # that are made at once on the way into one array
DEFAULT_CACHE_BYTES = 1 << 26  # the symbols of some 60,000 images and more


class Archive(Sequence[Pixels]):
    """An archive, open for reading; a context manager.

    path: of a file, or of a folder that holds a manifest of shards; an address of either. model: what to decode with: a
    codec, or a model's name or path, or several of these. Without it an archive is decoded with the model that it
    carries, or with an installed one. cache_bytes: of decoded symbols that are kept.
    Raises OSError, FormatError's children, ModelMismatch; reading an image raises FormatError's children where its
    block is lost, and ModelNotFound.
    """

    def __init__(
        self,
        path: str | bytes | os.PathLike[str],
        *,
        model: ModelLike | Sequence[ModelLike] | None = None,
        cache_bytes: int = DEFAULT_CACHE_BYTES,
    ) -> None:
        codecs, cache_bytes = _codecs(model), whole_number(cache_bytes, "cache_bytes")
        path = path_text(path)
        self._arguments = (path, codecs, cache_bytes)
        self._shards = shards = open_shards(path)
        self._source: Source = open_source(path) if shards is None else shards.source
        try:
            self._directory = _read_directory(self._source, shards, codecs)
            beside = None if shards is None else shards.model_file
            self._models = ArchiveModels(self._source, self._directory, codecs, beside)
            self._models.check_given()
        except BaseException:
            self._source.close()
            raise
        self._blocks = Blocks(self._source, self._directory, self._models, cache_bytes)
        self._names = Names(self._source, self._directory, self._blocks)
        self._labels: npt.NDArray[np.int64] | None = None
        self._image_shape: tuple[int, ...] | None = None
        self._closed = False

    def __enter__(self) -> Archive:
        if self._closed:
            raise Closed(CLOSED)
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give the file back, and what was kept of it. Whoever uses the archive after that gets Closed."""
        self._closed = True
        self._source.close()
        self._blocks.forget()
        self._names.forget()
        self._labels = None

    def __reduce__(self) -> tuple[Any, ...]:
        """A pickled archive is opened again where it arrives: in a worker process, with a file of its own."""
        path, codecs, cache_bytes = self._arguments
        return _reopen, (path, [codec.model if isinstance(codec, Codec) else codec for codec in codecs], cache_bytes)

    def __repr__(self) -> str:
        return f"<Archive {self._arguments[0]}: {len(self)} images>"

    def _repr_html_(self) -> str:
        """For notebooks: what the archive is, and _repr_png_()."""
        from vaecodec.codec.notebook import html_of

        path = str(self._arguments[0])
        facts = [("images", f"{len(self):,}"), ("first shown", f"{min(len(self), SHOWN):,}")]
        return html_of(path, facts, self._repr_png_())

    def _repr_png_(self) -> bytes | None:
        """For notebooks: the first images; None of an empty archive. Raises as reading images does."""
        from vaecodec.codec.notebook import contact_sheet, png

        first = self.images(range(min(len(self), SHOWN)))
        return png(contact_sheet(first, SHOWN_COLUMNS)) if first else None

    # images

    def __len__(self) -> int:
        return self._directory.images

    @overload
    def __getitem__(self, key: int | str | tuple[Any, ...] | EllipsisType) -> Pixels: ...
    @overload
    def __getitem__(self, key: slice | range | list[int] | npt.NDArray[Any]) -> list[Pixels]: ...
    def __getitem__(self, key: Any) -> Pixels | list[Pixels]:
        """The image of a number or name, uint8 (h, w) or (h, w, 3); a list, of a slice or of several numbers.

        An array of truth values chooses as it does in numpy. An index for images and pixels, archive[:9, 7], gives one
        array, of images of one size. Raises IndexError, KeyError, WrongType, ImageSizeError, FormatError's children,
        Closed.
        """
        if isinstance(key, tuple) or key is Ellipsis:
            return self._selected(key if isinstance(key, tuple) else (key,))
        if isinstance(key, slice | list | range) or (isinstance(key, np.ndarray) and key.ndim):
            return self._blocks.images(numbers_of(key, len(self)).tolist())
        number = self.number_of(key) if isinstance(key, str) else number_within(len(self), key)
        return self._blocks.images([number])[0]

    def _selected(self, key: tuple[Any, ...]) -> Pixels:
        selection = select(key, self.shape)
        if selection.one:
            pixels: Pixels = self._blocks.images(selection.numbers.tolist())[0][selection.pixels]
            return pixels
        taken = np.empty(self.shape[1:], np.uint8)[selection.pixels].shape
        found = np.empty((len(selection.numbers), *taken), np.uint8)
        for first in range(0, len(found), FILLED_IMAGES):
            part = selection.numbers[first : first + FILLED_IMAGES].tolist()
            for k, image in enumerate(self._blocks.images(part), first):
                found[k] = image[selection.pixels]
        return found

    # as an array

    @property
    def shape(self) -> tuple[int, ...]:
        """(n, h, w) or (n, h, w, 3). Read at the first use, from every block.

        Raises ImageSizeError where the images differ in size, or there is none; ModelNotFound, FormatError's children.
        """
        if self._image_shape is None:
            shapes = set().union(*(self._blocks.shapes(k) for k in range(len(self._directory.firsts))))
            if len(shapes) != 1:
                found = f"of several sizes: {sorted(shapes)}" if shapes else "there is none"
                raise ImageSizeError(f"as an array an archive has images of one size; {found}")
            (self._image_shape,) = shapes
        return (len(self), *self._image_shape)

    @property
    def ndim(self) -> int:
        """3, or 4 in colour. Raises as shape does."""
        return len(self.shape)

    @property
    def dtype(self) -> np.dtype[np.uint8]:
        """uint8."""
        return np.dtype(np.uint8)

    def __array__(self, dtype: npt.DTypeLike = None, copy: bool | None = None) -> npt.NDArray[Any]:
        """All pixels, for np.asarray(). Raises as shape and reading images do; ValueError for copy=False."""
        if copy is False:
            raise ValueError("an archive's pixels are made when they are asked for: there is no array but a copy")
        return self[...].astype(np.uint8 if dtype is None else dtype, copy=False)

    def __contains__(self, value: object) -> bool:
        """Whether an image has this name, or, of an array, whether an image equals it, which decodes them all."""
        return value in self.names if isinstance(value, str) else any(True for _ in self._numbers_of(value))

    def index(self, value: Any, start: int = 0, stop: int | None = None) -> int:
        """The first number, in a range, of an image of this name or that equals this array. Raises ValueError."""
        among = range(len(self))[start:stop]
        number = next((number for number in self._numbers_of(value) if number in among), None)
        if number is None:
            raise ValueError("no image of this archive is called or looks like this")
        return number

    def count(self, value: Any) -> int:
        """How many images have this name or equal this array."""
        return sum(1 for _ in self._numbers_of(value))

    def _numbers_of(self, value: object) -> Iterator[int]:
        if isinstance(value, str):
            yield from (number for number, name in enumerate(self.names) if name == value)
        elif isinstance(value, np.ndarray):
            yield from (number for number, image in enumerate(self) if np.array_equal(image, value))

    def __iter__(self) -> Iterator[Pixels]:
        """All images, block by block. Raises FormatError's children where one is lost; readable() leaves those out."""
        number = 0
        for first, count in zip(self._directory.firsts.tolist(), self._directory.counts.tolist(), strict=True):
            if first > number:
                self._directory.block_of(number)
            yield from self._blocks.images_lazily(range(first, first + count))
            number = first + count
        if number < len(self):
            self._directory.block_of(number)

    def images(self, numbers: Sequence[int] | npt.NDArray[np.int64]) -> list[Pixels]:
        """The images of these numbers (negative ones count from the end), each block decoded once.

        Raises as archive[number] does.
        """
        return self._blocks.images([number_within(len(self), number) for number in numbers])

    def pictures(self, numbers: Sequence[int] | npt.NDArray[np.int64]) -> Iterator[Picture]:
        """The images of these numbers with what came with their pixels, if they are photographs: alpha, ICC, EXIF, XMP.

        Decoded while they are asked for. Raises as archive[number] does.
        """
        return self._blocks.pictures([number_within(len(self), number) for number in numbers])

    def window(self, number: int) -> Window | None:
        """The window that made an image of values of more than 8 bits, None where it was made of pixels.

        Raises as archive[number] does.
        """
        return self._blocks.window(number_within(len(self), number))

    def restore(self, number: int) -> Values:
        """archive[number], scaled back to the values that it was made of, in their dtype, where a window made it."""
        window, pixels = self.window(number), self[number]
        return pixels if window is None else window.restore(pixels)

    def batch(self, numbers: Sequence[int] | npt.NDArray[np.int64]) -> Pixels:
        """images() as one array uint8 (n, h, w) or (n, h, w, 3). Raises ImageSizeError where their sizes differ."""
        images = self.images(numbers)
        if len({image.shape for image in images}) > 1:
            raise ImageSizeError(f"images of several sizes do not fit one array: {sorted({i.shape for i in images})}")
        return np.stack(images) if images else np.empty((0, 0, 0), np.uint8)

    def readable(self) -> Iterator[tuple[int, list[Pixels]]]:
        """(first number, images) of every block that is whole, in order; lost blocks are left out."""
        for first, count in zip(self._directory.firsts.tolist(), self._directory.counts.tolist(), strict=True):
            try:
                images = self._blocks.images(range(first, first + count))
            except FormatError:
                continue
            yield first, images

    # what is known of them

    @property
    def names(self) -> Names:
        """The name of each image (None where it has none), read as they are asked for."""
        return self._names

    def number_of(self, name: str) -> int:
        """The number of the first image of this name. Raises KeyError, WrongType."""
        number = self._names.find(name)
        if number is None:
            raise KeyError(name)
        return number

    @property
    def labels(self) -> npt.NDArray[np.int64] | None:
        """Labels int64 (n,), or (n, columns) where there are several; None where no image, or not each, has them.

        Read at the first use, from every block. Raises FormatError's children where one is lost.
        """
        if self._labels is None:
            parts: list[npt.NDArray[np.int64]] = []
            for k in range(len(self._directory.firsts)):
                labels = self._blocks.read(k).labels
                if labels is None or (parts and labels.shape[1] != parts[0].shape[1]):
                    return None
                parts.append(labels)
            if not parts or sum(map(len, parts)) != len(self):
                return None
            whole = np.concatenate(parts)
            self._labels = whole[:, 0] if whole.shape[1] == 1 else whole
        return self._labels

    def label(self, number: int) -> npt.NDArray[np.int64] | None:
        """The labels (columns,) of one image; None where it has none."""
        return self._blocks.label(number_within(len(self), number))

    @property
    def blocks(self) -> BlockTable:
        """Which images each block holds: they are read, and decoded, together."""
        directory = self._directory
        files = np.searchsorted(directory.file_starts, directory.offsets, side="right") - 1
        return BlockTable(directory.firsts, directory.counts, files)

    @property
    def label_columns(self) -> int | None:
        """How many labels every image has, 0 for none, where the archive is of shards that all have as many; else None,
        which only labels can tell."""
        return None if self._shards is None else self._shards.manifest.label_columns

    @property
    def metadata(self) -> dict[str, Any]:
        """The archive's JSON record; empty where there is none. Raises FormatError's children where it is damaged."""
        place = self._directory.metadata
        if place is None:
            return {}
        return unpack_metadata(read_within(self._source, place, MAX_METADATA_BYTES, "metadata"))

    # the whole

    @property
    def problems(self) -> tuple[str, ...]:
        """What was found wrong while opening (a torn tail, a damaged index), one line each; verify() looks further."""
        return tuple(self._directory.problems)

    def verify(self) -> Verification:
        """Read and decode everything, and say which images are lost. Raises ModelNotFound."""
        found = verify_archive(self._source, self._directory, self._blocks, self._models, self._names)
        changed = () if self._shards is None else tuple(self._shards.changed())
        return replace(found, problems=found.problems + changed)

    def info(self) -> ArchiveInfo:
        """What the archive is, from its index alone."""
        return describe_archive(self._source, self._directory, self._models)

    def embedded_model(self, number: int = 0) -> bytes | None:
        """The model file that the archive carries, None where it does not.

        Raises FormatError's children, BadChecksum where it is another model than the archive says.
        """
        embedded = self._models.embedded(number) if number in self._directory.models else None
        return None if embedded is None else embedded.file


@dataclass(frozen=True, slots=True, eq=False)
class BlockTable:
    """Of each block, in order, int64 (blocks,): the number of its first image, how many it has, its shard's number."""

    firsts: npt.NDArray[np.int64]
    counts: npt.NDArray[np.int64]
    shards: npt.NDArray[np.int64]


def _read_directory(source: Source, shards: Shards | None, codecs: list[AnyCodec]) -> Directory:
    def candidates() -> set[bytes]:
        return fingerprints_at_hand(codecs)

    return read_directory(source, candidates) if shards is None else shards.directory()


def _codecs(model: object) -> list[AnyCodec]:
    """Of one or several. Raises WrongType, ModelNotFound, FormatError."""
    if model is None:
        return []
    several = isinstance(model, Iterable) and not isinstance(model, str | bytes)
    return [as_codec(one) for one in (model if several else [model])]  # type: ignore[attr-defined]


def _reopen(path: str, models: list[Model | PhotographCodec], cache_bytes: int) -> Archive:
    codecs = [Codec(model) if isinstance(model, Model) else model for model in models]
    return Archive(path, model=codecs, cache_bytes=cache_bytes)
