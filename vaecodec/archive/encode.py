"""Images wait here until their block is full; then it is made of them.

PendingImage, PendingImage, … ──encode_block──> Block: one coder stream, and what each image has besides its pixels
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from vaecodec.archive.lossless_blocks import BlockPayload, encode_exact
from vaecodec.archive.photographs import PendingStream
from vaecodec.bitstream.archive.block import Block
from vaecodec.bitstream.archive.codings import Codings
from vaecodec.bitstream.archive.columns import pack_names
from vaecodec.codec.codec import Codec
from vaecodec.codec.effort import distortion_of
from vaecodec.codec.images import Framed
from vaecodec.codec.search import settings_met
from vaecodec.codec.target import Setting, Target
from vaecodec.entropy.coder import SymbolEncoder
from vaecodec.errors import BadField, ModelError, TargetMissed
from vaecodec.modelfile.model import Model

Label = int | Sequence[int] | npt.NDArray[np.int64]
Missed = Callable[[int, str | None, TargetMissed], None]  # told of an image that is left out: how many came before it
Image = TypeVar("Image")


@dataclass(frozen=True, slots=True)
class PendingImage:
    """image: in the frame of the model that it is coded with. aim: of its coding. name; labels: a row of them. given:
    how many images its writer was given before it.

    An aim that is a largest error means no level: the image is coded exactly, or within that error.
    """

    image: Framed
    aim: Target
    name: str | None
    labels: tuple[int, ...] | None
    given: int = 0

    @property
    def max_error(self) -> int | None:
        """The largest error that is asked for; None for a lossy image."""
        return self.aim.max_error


def aim_for(model: Model, target: Target) -> Target:
    """A target as blocks are made by: as a level where it needs no search, as a largest error wherever it means one.

    Raises ModelError where the model does not have what it asks for: the level, a lossless part, what effort needs.
    """
    error = target.exact_error(model)
    if error is not None:
        if not model.has_lossless:
            raise ModelError(f"{model.name} has no lossless part: it compresses at its levels alone")
        return Target(max_error=error)
    if target.effort:
        distortion_of(model)
    level = target.fixed_level(model)
    if level is None:
        return target
    if not 0 <= level < len(model.levels):
        raise ModelError(f"level {level}: {model.name} has levels 0..{len(model.levels) - 1}")
    return Target(level, effort=target.effort)


def may_share_a_block(a: PendingImage | PendingStream, b: PendingImage | PendingStream) -> bool:
    """A block has names and windows for all of its images or none, labels of as many columns, one kind of coding."""
    columns = [None if item.labels is None else len(item.labels) for item in (a, b)]
    errors = [item.max_error if isinstance(item, PendingImage) else None for item in (a, b)]
    windowed = [isinstance(item, PendingImage) and item.image.window is not None for item in (a, b)]
    agree = errors[0] == errors[1] and windowed[0] == windowed[1]
    return (a.name is None) == (b.name is None) and columns[0] == columns[1] and agree


def label_row(label: Label | None) -> tuple[int, ...] | None:
    """One integer or several as a row. Raises BadField for what is no integer, or beyond int64."""
    if label is None:
        return None
    array = np.atleast_1d(np.asarray(label))
    if array.dtype.kind not in "iub" or array.ndim != 1 or not len(array):
        raise BadField(f"label {label!r}: expected an integer or a row of integers")
    values = tuple(int(value) for value in array)
    if not all(-(1 << 63) <= value < 1 << 63 for value in values):
        raise BadField(f"label {label!r}: beyond int64")
    return values


def paired(
    images: Iterable[Image],
    names: Iterable[str] | None,
    labels: Iterable[Label] | npt.NDArray[np.int64] | None,
) -> Iterator[tuple[Image, str | None, Label | None]]:
    """Each image with its name and label; None is as many as needed. Raises BadField where they are not as many."""
    missing = object()
    more_names, more_labels = (None if it is None else iter(it) for it in (names, labels))
    for image in images:
        name: Any = None if more_names is None else next(more_names, missing)
        label: Any = None if more_labels is None else next(more_labels, missing)
        if name is missing or label is missing:
            raise BadField("archive: fewer names or labels than images")
        yield image, name, label
    for what in (more_names, more_labels):
        if what is not None and next(what, missing) is not missing:
            raise BadField("archive: more names or labels than images")


def encode_block(items: Sequence[PendingImage], codec: Codec, model: int, first: int) -> Block:
    """The block of these images, which may share one. Raises TargetMissed."""
    error = items[0].max_error
    coded = (
        _encode_lossy(items, codec, first)
        if error is None
        else encode_exact(codec.lossless, [item.image for item in items], error)
    )
    sizes = tuple(item.image.size or codec.geometry for item in items)
    names = [item.name for item in items if item.name is not None]
    labels = [item.labels for item in items if item.labels is not None]
    windows = tuple(item.image.window for item in items if item.image.window is not None)
    return Block(
        model=model,
        first=first,
        codings=coded.codings,
        sizes=None if all(size == codec.geometry for size in sizes) else sizes,
        labels=np.array(labels, np.int64) if labels else None,
        names=pack_names(names) if names else None,
        payload=coded.payload,
        windows=windows or None,
    )


def _encode_lossy(items: Sequence[PendingImage], codec: Codec, first: int) -> BlockPayload:
    """One coder stream, image after image."""
    settings = _settings(items, codec, first)
    symbols = np.empty((len(items), codec.model.latents), np.int32)
    for setting in sorted(set(settings)):
        rows = [k for k, chosen in enumerate(settings) if chosen == setting]
        symbols[rows] = codec.lossy.choose_symbols([items[k].image for k in rows], setting)
    levels = [setting.level for setting in settings]
    encoder = SymbolEncoder()
    if codec.lossy.groups is not None:
        codec.lossy.groups.encode_onto(encoder, symbols)
    else:
        for level, row in zip(levels, symbols, strict=True):
            encoder.encode(row, codec.model.levels[level].tables)
    return BlockPayload(Codings(tuple(levels)), encoder.finish())


def _settings(items: Sequence[PendingImage], codec: Codec, first: int) -> list[Setting]:
    """The setting of each image, found for all of one target at once."""
    settings = [Setting(0)] * len(items)
    for target in {item.aim for item in items}:
        places = [k for k, item in enumerate(items) if item.aim == target]
        try:
            found = settings_met(codec.lossy, [items[k].image for k in places], target)
        except TargetMissed:
            for k in places:
                _name_if_missed(items[k], codec, target, first + k)
            raise
        for k, setting in zip(places, found, strict=True):
            settings[k] = setting
    return settings


def those_that_meet(items: Sequence[PendingImage], codec: Codec, missed: Missed) -> list[PendingImage]:
    """The images whose target some level meets; `missed` is told of the others."""
    meeting = []
    for item in items:
        try:
            settings_met(codec.lossy, [item.image], item.aim)
        except TargetMissed as error:
            missed(item.given, item.name, error)
        else:
            meeting.append(item)
    return meeting


def _name_if_missed(item: PendingImage, codec: Codec, target: Target, number: int) -> None:
    try:
        settings_met(codec.lossy, [item.image], target)
    except TargetMissed as error:
        name = "" if item.name is None else f" ({item.name})"
        raise TargetMissed(f"image {number}{name}: {error}") from error
