"""Which model codes a picture, and which one made a stream: one policy for the command line, Pillow and whoever comes.

    picture ──height, width, channels──> special model made for them ──of its kind?──┬─ yes ──> its stream
                                               │ there is none                       └─ no ──┐
                                               └──> the photograph model <───────────────────┘ the better of both
    stream ──2 bytes of fingerprint───> installed models ──the check, which covers all 32 bytes──────> codec

A special model is the alias of a geometry. It needs a fraction of the bytes for pictures of its kind, and makes rubbish
of others. The photograph model is opened only for what is not of a special model's kind (kind.py).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from vaecodec.bitstream.picture_stream import is_picture_stream, short_fingerprint_of, verify_picture
from vaecodec.bitstream.stream import CODED_EXACTLY, unpack, verify
from vaecodec.codec.codec import Codec
from vaecodec.codec.special import special_image, special_pixels
from vaecodec.errors import FormatError, ImageModeError, ModelMismatch, ModelNotFound, TargetMissed
from vaecodec.modelfile.installed import (
    InstalledModel,
    installed_models,
    models_for_geometry,
    photograph_model,
    read_installed,
)

if TYPE_CHECKING:
    from vaecodec.arrays import Pixels
    from vaecodec.codec.codec import AnyCodec
    from vaecodec.codec.photograph import PhotographCodec
    from vaecodec.codec.picture import Picture
    from vaecodec.codec.target import Target

SHOWN_HEX = 16  # digits of a fingerprint that are shown where one stands for a model


@dataclass(frozen=True, slots=True)
class Advice:
    """What errors tell whoever asks: how to name a model for an image, and how to get the one that made a stream."""

    image: str
    stream: str


@dataclass(frozen=True, slots=True)
class Candidate:
    """A model whose fingerprint begins as the stream says; `codec` reads it."""

    fingerprint: bytes
    codec: Callable[[], AnyCodec]

    @classmethod
    def of(cls, codec: AnyCodec) -> Candidate:
        """One that is read already."""
        return cls(codec.fingerprint, lambda: codec)


@dataclass(frozen=True, slots=True, eq=False)
class Chosen:
    """A picture's stream, and the codec that made it."""

    codec: AnyCodec
    stream: bytes


class Choice:
    """Chooses the codecs of many pictures or streams, and makes each once.

    given: the codec that was asked for; it is chosen for everything. exact: where several models fit an image, the one
    that codes it exactly comes first, else the one that codes it with loss.
    """

    def __init__(self, advice: Advice, *, given: AnyCodec | None = None, exact: bool = False) -> None:
        self._advice, self._given, self._exact = advice, given, exact
        self._by_shape: dict[tuple[int, ...], Codec | None] = {}
        self._by_start: dict[tuple[bool, bytes], list[Candidate]] = {}

    @cached_property
    def photograph(self) -> PhotographCodec | None:
        """The codec of the photograph model, None where none is installed."""
        return None if self._photograph_model is None else _photograph(self._photograph_model)

    def compress(self, pictures: Sequence[Picture], target: Target) -> list[Chosen]:
        """A stream of each picture, by the codec that was asked for, else by the best one.

        Pictures with alpha, ICC profile, EXIF or XMP go to the photograph model, whose streams alone hold these. Raises
        ModelNotFound, ImageError's children, ConfigError, ModelError, TargetMissed.
        """
        codecs = [self._first_choice(picture) for picture in pictures]
        chosen: dict[int, Chosen] = {}
        for codec in {id(codec): codec for codec in codecs}.values():
            places = [k for k, one in enumerate(codecs) if one is codec]
            several = self._compressed(codec, [pictures[k] for k in places], target)
            chosen.update(zip(places, several, strict=True))
        return [chosen[k] for k in range(len(pictures))]

    def for_picture(self, image: Picture | Pixels, target: Target) -> AnyCodec:
        """The codec that was asked for, else the one that compress() takes for this picture. Raises as that does."""
        if self._given is not None:
            return self._given
        from vaecodec.codec.picture import as_picture

        return self.compress([as_picture(image)], target)[0].codec

    def check(self, picture: Picture) -> None:
        """Raises what compress() raises of a picture that no model takes, or not the one that was asked for."""
        codec = self._first_choice(picture)
        if isinstance(codec, Codec):
            codec.frame.fit(special_image(picture))

    def for_image(self, shape: tuple[int, ...]) -> AnyCodec:
        """The codec for images of this shape, (h, w) or (h, w, 3), whatever they show.

        Raises ModelNotFound, ImageModeError.
        """
        found = self._given or self._special(shape) or self.photograph
        if found is None:
            raise self._nothing_for(shape)
        return found

    def for_stream(self, data: bytes | memoryview) -> AnyCodec:
        """The codec of the model that made a stream. Raises FormatError's children, ModelMismatch, ModelNotFound."""
        of_picture = is_picture_stream(data)
        short = short_fingerprint_of(data) if of_picture else unpack(data).short_fingerprint
        if self._given is not None:
            return _suited(self._given, of_picture)
        key = of_picture, short
        if key not in self._by_start:
            found = [model for model in installed_models(short) if model.summary.is_photograph == of_picture]
            self._by_start[key] = [Candidate(m.summary.fingerprint, _reader(m)) for m in found]
        codec = codec_among(self._by_start[key], data)
        if codec is None:
            raise ModelNotFound(
                f"made with a model whose fingerprint starts with {short.hex()}, which is not installed; "
                f"there are: {_listed()}. {self._advice.stream}"
            )
        return codec

    @cached_property
    def _photograph_model(self) -> InstalledModel | None:
        return photograph_model()

    def _first_choice(self, picture: Picture) -> AnyCodec:
        """The codec that was asked for, or a special one, or the photograph model's."""
        if self._given is None and self._photograph_model is not None and (picture.alpha is not None or picture.chunks):
            assert self.photograph is not None
            return self.photograph
        return self.for_image(picture.size if picture.grey else (*picture.size, 3))

    def _compressed(self, codec: AnyCodec, pictures: Sequence[Picture], target: Target) -> list[Chosen]:
        """All with one codec, unless that is a special one that was not asked for, and the photograph model is better.

        The photograph model has no effort: asked for pictures of any kind, it is for those that have it.
        """
        if not isinstance(codec, Codec):
            wanted = target if self._given is not None else replace(target, effort=0)
            return [Chosen(codec, codec.code(picture, wanted).stream) for picture in pictures]
        images = [special_image(picture) for picture in pictures]
        has_rival = self._given is None and self._photograph_model is not None
        try:
            streams = codec.compress_batch(images, target=target)
        except TargetMissed:
            if not has_rival:
                raise
            return [self._better(codec, picture, target) for picture in pictures]
        if not has_rival:
            return [Chosen(codec, stream) for stream in streams]
        from vaecodec.codec.kind import of_another_kind

        chosen = [Chosen(codec, stream) for stream in streams]
        for k in of_another_kind(codec, [special_pixels(picture) for picture in pictures], streams):
            chosen[k] = self._better(codec, pictures[k], target)
        return chosen

    def _better(self, special: Codec, picture: Picture, target: Target) -> Chosen:
        """The smaller stream at no less quality, or the nearer one of those that fit. Raises TargetMissed."""
        assert self.photograph is not None
        from vaecodec.codec.kind import no_worse

        try:
            coded = self.photograph.code(picture, replace(target, effort=0))
        except TargetMissed:
            return Chosen(special, special.compress_batch([special_image(picture)], target=target)[0])
        stream = no_worse(special, picture, coded, target)
        return Chosen(self.photograph, coded.stream) if stream is None else Chosen(special, stream)

    def _special(self, shape: tuple[int, ...]) -> Codec | None:
        """The codec of a geometry's alias. Where there is none of grey, one of colour codes grey images."""
        if shape not in self._by_shape:
            height, width, in_colour = shape[0], shape[1], len(shape) == 3
            self._by_shape[shape] = None
            for channels in (3,) if in_colour else (1, 3):
                found = models_for_geometry(height, width, channels=channels, exact=self._exact)
                if found:
                    self._by_shape[shape] = Codec(read_installed(found[0].path))
                    break
        return self._by_shape[shape]

    def _nothing_for(self, shape: tuple[int, ...]) -> ImageModeError | ModelNotFound:
        """The error for an image that no model takes, where no photograph model is installed."""
        height, width = shape[:2]
        if len(shape) == 3:
            return ImageModeError(
                f"image with colour: no model of {height}x{width} (height x width) takes it, models take grey, and no "
                "photograph model, which takes any picture, is installed; convert it first, e.g. with Pillow's "
                "convert('L')"
            )
        larger = next((m for m in installed_models() if m.summary.has_analysis and _holds(m, height, width)), None)
        offered = "" if larger is None else f"; {larger.name} takes this image, padded"
        return ModelNotFound(
            f"no model is the default for images of {height}x{width} (height x width), and no photograph model, which "
            f"takes any picture, is installed; there are: {_listed()}{offered}. {self._advice.image}"
        )


def codec_among(candidates: Sequence[Candidate], data: bytes | memoryview) -> AnyCodec | None:
    """The codec of the model that made the stream; None without candidates.

    Lossy and stored, and of version 2: the check covers the bytes and the whole fingerprint, so no other model is read.
    Coded exactly: the check covers the pixels too, so several candidates decode the stream in turn; one alone does not,
    for whoever decodes it will find damage. Raises FormatError's children, for the last candidate, where the stream is
    damaged or none made it.
    """
    of_picture, damage = is_picture_stream(data), None
    coded_exactly = not of_picture and unpack(data).coding in CODED_EXACTLY
    for candidate in candidates:
        try:
            if of_picture:
                verify_picture(data, candidate.fingerprint)
            elif not coded_exactly:
                verify(data, candidate.fingerprint)
            elif len(candidates) > 1:
                candidate.codec().decompress(data)
        except FormatError as error:
            damage = error
            continue
        return candidate.codec()
    if damage is not None:
        raise damage
    return None


def _suited(codec: AnyCodec, of_picture: bool) -> AnyCodec:
    """The codec that was asked for. Raises ModelMismatch for a stream of the other version."""
    if isinstance(codec, Codec) == of_picture:
        made = "a photograph model" if of_picture else "a model of one geometry"
        raise ModelMismatch(f"the stream was made with {made}, which {codec.model.name} is not")
    return codec


def _holds(installed: InstalledModel, height: int, width: int) -> bool:
    return installed.summary.height >= height and installed.summary.width >= width


def _reader(installed: InstalledModel) -> Callable[[], AnyCodec]:
    """Reads a model when it is first asked for."""
    return cache(lambda: _photograph(installed) if installed.summary.is_photograph else _special(installed))


def _special(installed: InstalledModel) -> Codec:
    return _decoder(installed.path, installed.path.stat().st_mtime_ns)


@lru_cache(maxsize=4)
def _decoder(path: Path, modified_ns: int) -> Codec:
    """The codec of a model file, kept for the next stream with what it has proven and planned."""
    return Codec(read_installed(path))


def _photograph(installed: InstalledModel) -> PhotographCodec:
    from vaecodec.codec.photograph import PhotographCodec

    return PhotographCodec.load(installed.path)


def _listed() -> str:
    """The installed models, each with its size and the beginning of its fingerprint."""
    lines = []
    for installed in installed_models():
        names = "/".join((*installed.aliases, installed.name))
        summary = installed.summary
        size = f"{summary.height}x{summary.width}{' in colour' if summary.channels > 1 else ''}"
        size = "any size" if summary.is_photograph else size
        lines.append(f"{names} ({size}, {summary.fingerprint.hex()[:SHOWN_HEX]})")
    return ", ".join(lines) or "none"
