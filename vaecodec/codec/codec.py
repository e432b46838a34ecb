"""Codec: images and bytes, with one model. The facade: what is asked for, of which kind, and whose work that is.

    any image ──Frame──> framed ──target──┬─ max_error, quality 100 ─────────> .lossless ──> stream
                                          └─ the others ──settings──> .lossy ──> stream ┐ the smaller, where a model
                                                           .lossless ──> stream ────────┘ has both
    bytes ──coding──> .lossy or .lossless ──> image

Everything behind them is in codec/lossy.py and codec/lossless.py. What decompressing a lossy stream does not use is
imported where it is used: imports are most of what a command waits for.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any

from vaecodec.arrays import Pixels, Size
from vaecodec.bitstream.limits import MAX_STREAM_BYTES
from vaecodec.bitstream.stream import is_exact
from vaecodec.codec.images import Frame, Framed, Windowed
from vaecodec.codec.lossy import LossyCodec
from vaecodec.codec.received import receive, streams_given
from vaecodec.errors import ConfigError, ModelError, ModelMismatch, TargetMissed, WrongType
from vaecodec.modelfile.model import Model

if TYPE_CHECKING:
    from PIL import Image

    from vaecodec.bitstream.window import Values
    from vaecodec.codec.lossless import LosslessCodec
    from vaecodec.codec.photograph import PhotographCodec
    from vaecodec.codec.search import Found
    from vaecodec.codec.target import Target
    from vaecodec.codec.window import WindowLike


class Codec:
    """Compresses and decompresses images with one model, grey or in colour as the model is.

    lossy: what compresses at the model's levels. frame: what images are made to fit. source: the name or path that
    load() found the model by, "" where there is none; a pickle or copy holds that and the fingerprint, else the model.
    """

    def __init__(self, model: Model, source: str = "") -> None:
        self.model = model
        self.source = source
        self.fingerprint = model.fingerprint
        self.frame = Frame(model.name, model.shape)
        self.lossy = LossyCodec(model, self.frame)

    @classmethod
    def load(cls, model: str | bytes | os.PathLike[str]) -> Codec:
        """Of a model of one geometry, by alias, revision or path. Raises ModelNotFound, FormatError, WrongType."""
        from vaecodec.modelfile.installed import is_installed, model_path, read_installed

        path = model_path(name_of(model))
        return cls(read_installed(path), path.stem if is_installed(path) else str(path.resolve()))

    def __repr__(self) -> str:
        kind = "grey" if self.channels == 1 else "RGB"
        return f"<Codec {self.model.name}: {self.model.height}x{self.model.width} {kind}>"

    def _repr_html_(self) -> str:
        """For notebooks: what the model is, and _repr_png_()."""
        from vaecodec.codec.notebook import html_of, model_facts

        return html_of(self.model.name, model_facts(self.model), self._repr_png_())

    def _repr_png_(self) -> bytes | None:
        """For notebooks: what some levels, the coarsest first, code in the fewest bits; None without levels."""
        from vaecodec.codec.notebook import cheapest_symbols, contact_sheet, png

        found = [self.lossy.synthesise(symbols, level)[0] for level, symbols in cheapest_symbols(self.model)]
        return png(contact_sheet(found, len(found))) if found else None

    def __reduce__(self) -> tuple[Callable[..., Codec], tuple[object, ...]]:
        """Threads, sessions and caches stay where they are: another process begins with its own."""
        return (_found_again, (self.source, self.fingerprint)) if self.source else (Codec, (self.model,))

    @property
    def geometry(self) -> Size:
        """(height, width) in pixels of the images that the model is made for, the largest it takes."""
        return self.frame.size

    @property
    def channels(self) -> int:
        """1 where images are grey, (h, w); 3 where they are RGB, (h, w, 3)."""
        return self.frame.channels

    @cached_property
    def lossless(self) -> LosslessCodec:
        """What compresses exactly. Raises ModelError where the model has no lossless part."""
        part = self.model.lossless
        if part is None:
            raise ModelError(f"{self.model.name} has no lossless part: it compresses at its levels alone")
        from vaecodec.codec.lossless import LosslessCodec

        return LosslessCodec(part, self.frame, self.fingerprint)

    def compress(
        self,
        image: Pixels | Image.Image,
        *,
        level: int | None = None,
        quality: float | None = None,
        beta: float | None = None,
        target_bytes: int | None = None,
        target_psnr: float | None = None,
        max_mse: float | None = None,
        max_error: int | None = None,
        lossless: bool = False,
        effort: int = 0,
        window: WindowLike | None = None,
    ) -> bytes:
        """The stream of one image: uint8 (h, w) or (h, w, 3), or a PIL image, that suits the model without loss.

        window: for arrays and PIL images of more than 8 bits, which of their values become 0 and 255: "minmax",
        "percentile", (low, high) or a vaecodec.Window; it is kept in the stream, and restore() gives such values again.

        At most one of the settings of vaecodec.codec.target.Target may be given, and effort 0, 1 or 2, which takes
        longer for better streams; lossless is max_error 0. An image smaller than the model's geometry is padded by its
        edge. Raises ImageSizeError, ImageModeError, ModelError, ConfigError, and TargetMissed where no level meets the
        target.
        """
        from vaecodec.codec.target import Target

        if lossless and max_error not in (None, 0):
            raise ConfigError(f"lossless and max_error {max_error}: give one of them")
        largest = 0 if lossless else max_error
        target = Target(level, quality, beta, target_bytes, target_psnr, max_mse, largest, effort)
        return self.compress_batch([image], target=target, window=window)[0]

    def compress_batch(
        self,
        images: Iterable[Pixels | Windowed | Image.Image] | Pixels,
        *,
        level: int | None = None,
        effort: int = 0,
        target: Target | None = None,
        window: WindowLike | None = None,
    ) -> list[bytes]:
        """A stream for each image; the same bytes as compress() gives one by one, faster.

        target: instead of level and effort. window: for each image as compress() has it. Raises as compress() does.
        """
        from vaecodec.codec.target import Setting, one_target

        wanted = one_target(level, effort, target)
        error, fixed = wanted.exact_error(self.model), wanted.fixed_level(self.model)
        framed = self.frame.fit_all(images if window is None else self._windowed(images, window))
        if not framed:
            return []
        if error is not None:
            return self._compress_exactly(framed, error, wanted)
        if fixed is not None and not self.model.has_lossless:
            return self.lossy.compress(framed, [Setting(fixed, wanted.effort)] * len(framed))
        from vaecodec.codec.search import find_settings, settings_met

        if self.model.has_lossless:
            return self._compress_smaller(framed, find_settings(self.lossy, framed, wanted), wanted)
        return self.lossy.compress(framed, settings_met(self.lossy, framed, wanted))

    def _windowed(self, images: Iterable[Pixels | Windowed | Image.Image], window: WindowLike) -> Iterator[Any]:
        """The images, those of more than 8 bits as pixels that a window made."""
        from vaecodec.codec.picture import as_picture
        from vaecodec.codec.special import special_image
        from vaecodec.codec.window import check_asked, is_deep

        check_asked(window)
        for image in images:
            if isinstance(image, Windowed) or not is_deep(image):
                yield image
            else:
                yield special_image(as_picture(image, window))

    def _compress_exactly(self, images: Sequence[Framed], error: int, target: Target) -> list[bytes]:
        """The streams within a largest error of every pixel."""
        streams = self.lossless.compress(images, error)
        longest = max(map(len, streams))
        if target.target_bytes is not None and longest > target.target_bytes:
            raise TargetMissed(f"target of {target.target_bytes} bytes: {self.model.name} needs {longest}")
        return streams

    def _compress_smaller(self, images: Sequence[Framed], found: Sequence[Found], target: Target) -> list[bytes]:
        """The lossy streams that were found, but the lossless one where that is no larger, or within target_bytes."""
        from vaecodec.codec.search import missed

        met = [k for k, one in enumerate(found) if one.meets]
        coded = self.lossy.compress([images[k] for k in met], [found[k].setting for k in met])
        lossy, limits = dict(zip(met, coded, strict=True)), [MAX_STREAM_BYTES] * len(images)
        for k in range(len(images)):
            if target.target_bytes is not None:
                limits[k] = target.target_bytes
            elif k in lossy:
                limits[k] = len(lossy[k])
        streams = []
        for k, exact in enumerate(self.lossless.compress_within(images, limits)):
            if exact is None and k not in lossy:
                raise missed(self.lossy, images[k], target, found[k].setting)
            streams.append(lossy[k] if exact is None else exact)
        return streams

    def decompress(self, data: bytes | memoryview) -> Pixels:
        """The image of one stream, uint8 (h, w) or (h, w, 3).

        Raises FormatError and its children, ModelMismatch, WrongType where this is no bytes.
        """
        return self.decompress_batch([data])[0]

    def restore(self, data: bytes | memoryview) -> Values:
        """decompress(), scaled back to the values that the image was made of, where a window made it.

        Values are of the dtype that was compressed, within half a step of the window of what the pixels stand for.
        Raises as decompress() does.
        """
        from vaecodec.codec.windows_of_streams import restored

        return restored(self.decompress(data), data)

    def decompress_batch(self, streams: Iterable[bytes | memoryview]) -> list[Pixels]:
        """An image for each stream, as decompress() gives it. Raises as that does, at a stream that is bad."""
        streams = streams_given(streams)
        exact = [k for k, data in enumerate(streams) if is_exact(data)]
        if not exact:
            return self.lossy.decompress(streams)
        lossy = iter(self.lossy.decompress([data for data in streams if not is_exact(data)]))
        received = [receive(streams[k], self.model, self.frame) for k in exact]
        decoded = dict(zip(exact, self.lossless.decompress(received), strict=True))
        return [decoded[k] if k in decoded else next(lossy) for k in range(len(streams))]


if TYPE_CHECKING:
    AnyCodec = Codec | PhotographCodec  # of one geometry, or of pictures of any size


def load(model: str | bytes | os.PathLike[str]) -> AnyCodec:
    """The codec of a model by alias ("mnist", "photo"), revision ("mnist-beta-vae-1"), or path of a model file.

    Raises ModelNotFound, FormatError, WrongType.
    """
    from vaecodec.modelfile.installed import model_path, summary_of

    name = name_of(model)
    if not summary_of(model_path(name)).is_photograph:
        return Codec.load(name)
    from vaecodec.codec.photograph import PhotographCodec

    return PhotographCodec.load(name)


def codec_of(file: bytes) -> AnyCodec:
    """The codec of the bytes of a model file. Raises FormatError's children, NotExact."""
    from vaecodec.modelfile.model import open_model
    from vaecodec.modelfile.summary import summarise

    if not summarise(file).is_photograph:
        return Codec(open_model(file))
    from vaecodec.codec.photograph import PhotographCodec
    from vaecodec.photo.model import PhotoModel

    return PhotographCodec(PhotoModel.from_bytes(file))


def name_of(model: object) -> str:
    """A model's name or path as text. Raises WrongType."""
    if isinstance(model, str | bytes | os.PathLike):
        return os.fsdecode(model)
    raise WrongType(f"model: expected a name or a path, found {type(model).__name__}")


@lru_cache(maxsize=4)  # a pool unpickles a codec for each of its tasks
def _found_again(source: str, fingerprint: bytes) -> Codec:
    """The codec of a pickle. Raises ModelNotFound, and ModelMismatch where the model is another one here."""
    codec = Codec.load(source)
    if codec.fingerprint != fingerprint:
        raise ModelMismatch(f"{source}: the model here is {codec.fingerprint.hex()[:8]}…, not {fingerprint.hex()[:8]}…")
    return codec
