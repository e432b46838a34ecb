"""Which model codes an image, and which one made a stream: one policy for the command line, Pillow and whoever comes.

image  ──height, width, channels──> aliased models made for them ──first that codes as is wanted──> codec
stream ──2 bytes of fingerprint───> installed models ──the check, which covers all 32 bytes──────> codec
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

from vaecodec.bitstream.stream import CODED_EXACTLY, unpack, verify
from vaecodec.codec.codec import Codec
from vaecodec.errors import FormatError, ImageModeError, ModelNotFound
from vaecodec.modelfile.installed import InstalledModel, installed_models, models_for_geometry, read_installed

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
    codec: Callable[[], Codec]

    @classmethod
    def of(cls, codec: Codec) -> Candidate:
        """One that is read already."""
        return cls(codec.fingerprint, lambda: codec)


class Choice:
    """Chooses the codecs of many images or streams, and makes each once.

    given: the codec that was asked for; it is chosen for everything. exact: where several models fit an image, the one
    that codes it exactly comes first, else the one that codes it with loss.
    """

    def __init__(self, advice: Advice, *, given: Codec | None = None, exact: bool = False) -> None:
        self._advice, self._given, self._exact = advice, given, exact
        self._by_shape: dict[tuple[int, ...], Codec] = {}
        self._by_start: dict[bytes, list[Candidate]] = {}

    def for_image(self, shape: tuple[int, ...]) -> Codec:
        """The codec for images of this shape, (h, w) or (h, w, 3). Raises ModelNotFound, ImageModeError."""
        if self._given is not None:
            return self._given
        if shape not in self._by_shape:
            self._by_shape[shape] = self._default(shape)
        return self._by_shape[shape]

    def for_stream(self, data: bytes | memoryview) -> Codec:
        """The codec of the model that made a stream. Raises FormatError's children, ModelNotFound."""
        short = unpack(data).short_fingerprint
        if self._given is not None:
            return self._given
        if short not in self._by_start:
            self._by_start[short] = [Candidate(m.summary.fingerprint, _reader(m)) for m in installed_models(short)]
        found = codec_among(self._by_start[short], data)
        if found is None:
            raise ModelNotFound(
                f"made with a model whose fingerprint starts with {short.hex()}, which is not installed; "
                f"there are: {_listed()}. {self._advice.stream}"
            )
        return found

    def _default(self, shape: tuple[int, ...]) -> Codec:
        """The codec of the alias. Grey images may be coded by a model of colour, where none of grey is there."""
        height, width, in_colour = shape[0], shape[1], len(shape) == 3
        for channels in (3,) if in_colour else (1, 3):
            found = models_for_geometry(height, width, channels=channels, exact=self._exact)
            if found:
                return Codec(read_installed(found[0].path))
        if in_colour:
            raise ImageModeError(
                f"image with colour: no model of {height}x{width} (height x width) takes it, models take grey; "
                "convert it first, e.g. with Pillow's convert('L')"
            )
        larger = next((m for m in installed_models() if m.summary.has_analysis and _holds(m, height, width)), None)
        offered = "" if larger is None else f"; {larger.name} takes this image, padded"
        raise ModelNotFound(
            f"no model is the default for images of {height}x{width} (height x width); there are: {_listed()}{offered}"
            f". {self._advice.image}"
        )


def codec_among(candidates: Sequence[Candidate], data: bytes | memoryview) -> Codec | None:
    """The codec of the model that made the stream; None without candidates.

    Lossy and stored: the check covers the bytes and the whole fingerprint, so no other model is read. Coded exactly:
    the check covers the pixels too, so several candidates decode the stream in turn; one alone does not, for whoever
    decodes it will find damage. Raises FormatError's children, for the last candidate, where the stream is damaged or
    none made it.
    """
    coded_exactly, damage = unpack(data).coding in CODED_EXACTLY, None
    for candidate in candidates:
        try:
            if not coded_exactly:
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


def _holds(installed: InstalledModel, height: int, width: int) -> bool:
    return installed.summary.height >= height and installed.summary.width >= width


def _reader(installed: InstalledModel) -> Callable[[], Codec]:
    """Reads a model when it is first asked for."""
    return cache(lambda: Codec(read_installed(installed.path)))


def _listed() -> str:
    """The installed models, each with its size and the beginning of its fingerprint."""
    lines = []
    for installed in installed_models():
        names = "/".join((*installed.aliases, installed.name))
        summary = installed.summary
        size = f"{summary.height}x{summary.width}{' in colour' if summary.channels > 1 else ''}"
        lines.append(f"{names} ({size}, {summary.fingerprint.hex()[:SHOWN_HEX]})")
    return ", ".join(lines) or "none"
