"""Which model an image or a stream needs, and what to say where it is not there."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from vaecodec.bitstream.stream import unpack
from vaecodec.codec.codec import Codec, load
from vaecodec.codec.stream_model import Candidate, codec_among
from vaecodec.errors import ModelNotFound
from vaecodec.modelfile.installed import InstalledModel, installed_models, models_for_geometry, read_installed

SHOWN_HEX = 16  # digits of a fingerprint that are shown where one stands for a model


def codec_for_image(size: tuple[int, ...], model: str | None, *, exact: bool = False) -> Codec:
    """The codec of --model, or of the alias for images of this size (height, width). Raises ModelNotFound.

    exact: the alias whose model codes them exactly, where there is one.
    """
    if model is not None:
        return load(model)
    height, width = size[0], size[1]
    found = models_for_geometry(height, width, exact=exact)
    if found:
        return Codec(read_installed(found[0].path))
    able = (m for m in installed_models() if m.summary.has_analysis)
    fitting = [m for m in able if m.summary.height >= height and m.summary.width >= width]
    smaller = f"; --model {fitting[0].name} takes this image" if fitting else ""
    raise ModelNotFound(
        f"no model is the default for images of {height}x{width} (height x width); there are: {_listed()}{smaller}. "
        "Choose one by --model, or train one on images of this size: vaecodec train FOLDER"
    )


def codec_for_stream(data: bytes, model: str | None) -> Codec:
    """The codec of --model, if any, or of the installed model that the stream was made with.

    Several models may share the fingerprint's 2 bytes in the stream: the integrity check, which covers all 32, decides.
    Raises FormatError's children, ModelNotFound.
    """
    return Codecs(model).for_stream(data)


class Codecs:
    """The codecs of many images or streams, each made once. model: of --model, for all of them; exact: as above."""

    def __init__(self, model: str | None, *, exact: bool = False) -> None:
        self._given = None if model is None else load(model)
        self._exact = exact
        self._by_size: dict[tuple[int, ...], Codec] = {}
        self._by_start: dict[bytes, list[Candidate]] = {}

    def for_image(self, size: tuple[int, ...]) -> Codec:
        """As codec_for_image()."""
        if self._given is not None:
            return self._given
        if size not in self._by_size:
            self._by_size[size] = codec_for_image(size, None, exact=self._exact)
        return self._by_size[size]

    def for_stream(self, data: bytes) -> Codec:
        """As codec_for_stream()."""
        short = unpack(data).short_fingerprint
        if self._given is not None:
            return self._given
        if short not in self._by_start:
            self._by_start[short] = [Candidate(m.summary.fingerprint, _reader(m)) for m in installed_models(short)]
        found = codec_among(self._by_start[short], data)
        if found is None:
            raise ModelNotFound(
                f"made with a model whose fingerprint starts with {short.hex()}, which is not installed; "
                f"there are: {_listed()}. Get its model file, then: vaecodec models add FILE (for good) or "
                "--model FILE (once)"
            )
        return found


def _reader(installed: InstalledModel) -> Callable[[], Codec]:
    """Reads a model when it is first asked for."""
    return cache(lambda: Codec(read_installed(installed.path)))


def _listed() -> str:
    """The installed models, each with its size and the beginning of its fingerprint."""
    lines = []
    for installed in installed_models():
        names = "/".join((*installed.aliases, installed.name))
        summary = installed.summary
        lines.append(f"{names} ({summary.height}x{summary.width}, {summary.fingerprint.hex()[:SHOWN_HEX]})")
    return ", ".join(lines) or "none"
