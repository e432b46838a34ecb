"""ArchiveWriter: makes an archive, or appends to one, with the memory of one block.

    images ──a block at a time──> symbols ──one coder stream──> block ──> file            segment.py
                                   lengths, counts, name hashes ──────> spool ──> names' table, footer

A new archive is written beside its place and moved there when it is whole. An append writes blocks, syncs, writes the
footer and syncs: killed at any moment, the archive is the old one or the new one.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from vaecodec.archive.encode import (
    Label,
    Missed,
    PendingImage,
    aim_for,
    encode_block,
    label_row,
    may_share_a_block,
    paired,
    those_that_meet,
)
from vaecodec.archive.measured import Measured, Watch, block_errors
from vaecodec.archive.models import as_codec
from vaecodec.archive.names import whole_number
from vaecodec.archive.output import Output, open_for_append, open_new
from vaecodec.archive.photographs import PendingStream, code_photograph, is_full, stream_block
from vaecodec.archive.segment import Segment
from vaecodec.bitstream.archive.columns import encode_name
from vaecodec.bitstream.archive.limits import MAX_BLOCK_IMAGES
from vaecodec.codec.codec import Codec
from vaecodec.codec.picture import Picture, as_picture
from vaecodec.codec.special import special_image
from vaecodec.codec.target import Target, one_target
from vaecodec.codec.window import check_asked, is_deep
from vaecodec.errors import Closed, ConfigError, OutputError, TargetMissed

if TYPE_CHECKING:
    from vaecodec.archive.models import ModelLike
    from vaecodec.codec.codec import AnyCodec
    from vaecodec.codec.photograph import PictureLike
    from vaecodec.codec.window import WindowLike

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
        window: WindowLike | None,
        measured: Watch | None,
        missed: Missed | None,
    ) -> None:
        self.metadata = metadata
        self._window, self._measured, self._missed, self._given = window, measured, missed, 0
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
        window: WindowLike | None = None,
        measured: Watch | None = None,
        missed: Missed | None = None,
    ) -> ArchiveWriter:
        """A new archive, which appears at `path` when it is whole: a path, or an address that fsspec knows (s3://…).

        level and effort, or target: of images that are added without one, else the model's default; a target's bytes
        are those of a stream of the image's own, which in an archive takes less. block_images: 1 to 128; reading one
        image decodes its block, so that without it exact images, which take milliseconds each, stand 32 in a block, and
        others 128. embed_model: the archive carries the model file. window: for images of more than 8
        bits, as Codec.compress() has it. measured: every block that is made is decoded, and this is called for each of
        its images with how far it is off. missed: is called with (how many images were added before, name, error) for
        an image whose target no level meets, which is left out; without it that is an error. Raises OutputError where
        `path` exists and overwrite is not set.
        """
        if window is not None:
            check_asked(window)
        return cls(
            target=one_target(level, effort, target),
            codec=as_codec(model),
            output=open_new(path, overwrite=overwrite),  # last: whatever fails before leaves no file
            block_images=block_images,
            embed_model=embed_model,
            metadata=metadata,
            window=window,
            measured=measured,
            missed=missed,
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
        window: WindowLike | None = None,
        measured: Watch | None = None,
        missed: Missed | None = None,
    ) -> ArchiveWriter:
        """Goes on after the last image of an archive; without `model`, with the model used last. The rest as create().

        A torn tail is cut off. Raises OutputError where another process appends, FormatError's children where the index
        is damaged.
        """
        wanted = one_target(level, effort, target)
        if window is not None:
            check_asked(window)
        output, last_codec = open_for_append(path, None if model is None else as_codec(model))
        return cls(
            output,
            last_codec,
            target=wanted,
            block_images=block_images,
            embed_model=False,
            metadata=metadata,
            window=window,
            measured=measured,
            missed=missed,
        )

    def __len__(self) -> int:
        """Images in the archive, those just added included."""
        return self._segment.images + len(self._pending)

    @property
    def codec(self) -> AnyCodec:
        """What images are coded with."""
        return self._codec

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
        labels, given = label_row(label), self._given
        self._given += 1
        try:
            item = self._item(image, aim, name, labels, given)
        except TargetMissed as error:  # of a photograph, which is coded when it comes
            if self._missed is None:
                raise
            self._missed(given, name, error.__cause__ if isinstance(error.__cause__, TargetMissed) else error)
            return
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

    def flush(self) -> None:
        """Write the images that wait for their block to be full. Raises as close() does."""
        self._check_open()
        if self._pending:
            self._write_block()

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
        self, image: PictureLike, aim: Target, name: str | None, labels: tuple[int, ...] | None, given: int
    ) -> PendingImage | PendingStream:
        """An image in its model's frame, or a photograph's stream."""
        codec = self._codec
        if self._window is not None and is_deep(image):
            image = as_picture(image, self._window)
        if not isinstance(codec, Codec):
            return code_photograph(codec, image, aim, number=len(self), name=name, labels=labels)
        # Whoever gave an array may go on to write into it.
        own = special_image(image) if isinstance(image, Picture) else image
        framed = codec.frame.fit(own.copy() if isinstance(own, np.ndarray) else own)
        return PendingImage(framed, aim, name, labels, given)

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
                self._write_images([item for item in items if isinstance(item, PendingImage)], self._codec)
            else:
                block = stream_block(streams, self._model, self._segment.images)
                self._segment.add_block(block, self._codec.fingerprint, [item.name for item in streams])
                if self._measured is not None:
                    for number, item in enumerate(streams, block.first):
                        self._measured(Measured(number, item.name, item.mse, None))
        except BaseException:
            self._failed = True
            raise

    def _write_images(self, images: Sequence[PendingImage], codec: Codec) -> None:
        """The block of these images; without those that miss their target, if that is wanted."""
        try:
            block = encode_block(images, codec, self._model, self._segment.images)
        except TargetMissed:
            if self._missed is None:
                raise
            images = those_that_meet(images, codec, self._missed)
            if not images:
                return
            block = encode_block(images, codec, self._model, self._segment.images)
        self._segment.add_block(block, codec.fingerprint, [item.name for item in images])
        if self._measured is not None:
            errors = block_errors(block, codec, images)
            for number, (item, error) in enumerate(zip(images, errors, strict=True), block.first):
                self._measured(Measured(number, item.name, error, item.image.pixels))

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
