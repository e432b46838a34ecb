"""ArchiveWriter: makes an archive, or appends to one, with the memory of one block.

    images ──a block at a time──> symbols ──one coder stream──> block ──> file            segment.py
                                   lengths, counts, name hashes ──────> spool ──> names' table, footer

A new archive is written beside its place and moved there when it is whole. An append writes blocks, syncs, writes the
footer and syncs: killed at any moment, the archive is the old one or the new one.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from vaecodec.archive.encode import (
    Label,
    PendingImage,
    aim_for,
    encode_block,
    label_row,
    may_share_a_block,
    paired,
)
from vaecodec.archive.models import as_codec
from vaecodec.archive.names import whole_number
from vaecodec.archive.output import Output, open_for_append, open_new
from vaecodec.archive.photographs import PendingStream, code_photograph, is_full, stream_block
from vaecodec.archive.segment import Segment
from vaecodec.bitstream.archive.columns import encode_name
from vaecodec.bitstream.archive.limits import MAX_BLOCK_IMAGES
from vaecodec.codec.choice import special_pixels
from vaecodec.codec.codec import Codec
from vaecodec.codec.picture import Picture
from vaecodec.codec.target import Target, one_target
from vaecodec.errors import Closed, ConfigError, OutputError

if TYPE_CHECKING:
    from vaecodec.archive.models import ModelLike
    from vaecodec.codec.codec import AnyCodec
    from vaecodec.codec.photograph import PictureLike

GIVEN_UP = "archive: given up after an image that could not be written"
FINISHED = "archive: its writer is closed"
EXACT_BLOCK_IMAGES = 32  # a tenth of a second to read one image; 128 save 0.5 bytes an image, of 110 (digits) or 5.8


class ArchiveWriter:
    """Writes images into an archive; use create() or append(), and `with`: an exception leaves the old state.

    metadata: may be set until the end; None keeps what an archive that is appended to has.
    """

    def __init__(
        self,
        output: Output,
        codec: AnyCodec,
        *,
        target: Target,
        block_images: int | None,
        embed_model: bool,
        metadata: Mapping[str, Any] | None,
    ) -> None:
        self.metadata = metadata
        self._codec = codec
        self._block_images = block_images
        self._pending: list[PendingImage | PendingStream] = []
        self._failed = False
        try:
            self._segment = Segment(output)
        except BaseException:  # its temporary files found no place
            output.abort()
            raise
        try:
            if block_images is not None and not 1 <= whole_number(block_images, "block_images") <= MAX_BLOCK_IMAGES:
                raise ConfigError(f"block_images: expected 1..{MAX_BLOCK_IMAGES}, found {block_images}")
            self._aim = _aim(codec, target)
            self._model = self._segment.model_number(codec, embed=embed_model)
        except BaseException:
            self.abort()
            raise

    @classmethod
    def create(
        cls,
        path: str | bytes | os.PathLike[str],
        model: ModelLike,
        *,
        level: int | None = None,
        effort: int = 0,
        target: Target | None = None,
        block_images: int | None = None,
        embed_model: bool = False,
        metadata: Mapping[str, Any] | None = None,
        overwrite: bool = False,
    ) -> ArchiveWriter:
        """A new archive, which appears at `path` when it is whole.

        level and effort, or target: of images that are added without one, else the model's default; a target's bytes
        are those of a stream of the image's own, which in an archive takes less. block_images: 1 to 128; reading one
        image decodes its block, so that without it exact images, which take milliseconds each, stand 32 in a block, and
        others 128. embed_model: the archive carries the model file. Raises OutputError where `path` exists and
        overwrite is not set.
        """
        return cls(
            target=one_target(level, effort, target),
            codec=as_codec(model),
            output=open_new(path, overwrite=overwrite),  # last: whatever fails before leaves no file
            block_images=block_images,
            embed_model=embed_model,
            metadata=metadata,
        )

    @classmethod
    def append(
        cls,
        path: str | bytes | os.PathLike[str],
        model: ModelLike | None = None,
        *,
        level: int | None = None,
        effort: int = 0,
        target: Target | None = None,
        block_images: int | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> ArchiveWriter:
        """Goes on after the last image of an archive; without `model`, with the model used last.

        A torn tail is cut off. Raises OutputError where another process appends, FormatError's children where the index
        is damaged.
        """
        wanted = one_target(level, effort, target)
        output, last_codec = open_for_append(path, None if model is None else as_codec(model))
        return cls(output, last_codec, target=wanted, block_images=block_images, embed_model=False, metadata=metadata)

    def __len__(self) -> int:
        """Images in the archive, those just added included."""
        return self._segment.images + len(self._pending)

    @property
    def size_bytes(self) -> int:
        """Bytes written so far, what was there before included."""
        return self._segment.size_bytes

    def add(
        self,
        image: PictureLike,
        name: str | None = None,
        label: Label | None = None,
        *,
        level: int | None = None,
        target: Target | None = None,
    ) -> None:
        """One image, uint8 (h, w) or (h, w, 3), PIL, or a Picture; label: an integer or several.

        Raises ImageError's children, BadField, WrongType, Closed, and TargetMissed, which names the image, where no
        level meets a target. That may be an image added before, since levels are sought a block at a time, and the
        archive is given up.
        """
        self._check_open()
        if name is not None:
            encode_name(name)
        own = level is not None or target is not None
        effort = self._aim.effort if target is None else 0
        aim = _aim(self._codec, one_target(level, effort, target)) if own else self._aim
        item = self._item(image, aim, name, label_row(label))
        if self._pending and not may_share_a_block(self._pending[0], item):
            self._write_block()
        self._pending.append(item)
        if len(self._pending) == self._most(item) or is_full(self._streams()):
            self._write_block()

    def add_batch(
        self,
        images: Iterable[PictureLike],
        names: Iterable[str] | None = None,
        labels: Iterable[Label] | npt.NDArray[np.int64] | None = None,
        *,
        level: int | None = None,
        target: Target | None = None,
    ) -> None:
        """Images from any iterable, which is never held whole.

        Raises BadField where names or labels are not as many.
        """
        self._check_open()
        for image, name, label in paired(images, names, labels):
            self.add(image, name, label, level=level, target=target)

    def close(self) -> None:
        """Finish: the archive is on disk, whole, when this returns."""
        if self._segment.closed:
            return
        try:
            if self._failed:
                raise OutputError(GIVEN_UP)
            if self._pending:
                self._write_block()
            self._segment.finish(self.metadata)
        except BaseException:
            self.abort()
            raise

    def abort(self) -> None:
        """Give up what was added: no new archive, or the old one."""
        self._segment.abort()

    def __enter__(self) -> ArchiveWriter:
        self._check_open()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self.close()
        else:
            self.abort()

    def _item(
        self, image: PictureLike, aim: Target, name: str | None, labels: tuple[int, ...] | None
    ) -> PendingImage | PendingStream:
        """An image in its model's frame, or a photograph's stream."""
        codec = self._codec
        if not isinstance(codec, Codec):
            return code_photograph(codec, image, aim, number=len(self), name=name, labels=labels)
        # Whoever gave an array may go on to write into it.
        own = special_pixels(image) if isinstance(image, Picture) else image
        return PendingImage(codec.frame.fit(own.copy() if isinstance(own, np.ndarray) else own), aim, name, labels)

    def _most(self, item: PendingImage | PendingStream) -> int:
        """Images of a block like this one."""
        if self._block_images is not None:
            return self._block_images
        return usual_block_images(exact=isinstance(item, PendingImage) and item.max_error is not None)

    def _streams(self) -> list[PendingStream]:
        """What waits, where it is photographs."""
        return [item for item in self._pending if isinstance(item, PendingStream)]

    def _write_block(self) -> None:
        items, streams, self._pending = self._pending, self._streams(), []
        try:
            if isinstance(self._codec, Codec):
                images = [item for item in items if isinstance(item, PendingImage)]
                block = encode_block(images, self._codec, self._model, self._segment.images)
            else:
                block = stream_block(streams, self._model, self._segment.images)
            self._segment.add_block(block, self._codec.fingerprint, [item.name for item in items])
        except BaseException:
            self._failed = True
            raise

    def _check_open(self) -> None:
        if self._failed:
            raise OutputError(GIVEN_UP)
        if self._segment.closed:
            raise Closed(FINISHED)


def usual_block_images(*, exact: bool) -> int:
    """Images of a block where nobody says how many."""
    return EXACT_BLOCK_IMAGES if exact else MAX_BLOCK_IMAGES


def _aim(codec: AnyCodec, target: Target) -> Target:
    """A target as blocks are made by. Raises ModelError, ConfigError where the model does not have what it asks for."""
    if isinstance(codec, Codec):
        return aim_for(codec.model, target)
    codec.check_target(target)
    return target
