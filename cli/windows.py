"""--window: which values of more than 8 bits become 0 and 255; --restore-window: files of such values again.

--window LOW HIGH ──joined──> "LOW:HIGH" ──parse_window──> (low, high), or "minmax", or "percentile"
values of a picture ──file_of_values──> .npy of any type; .png of uint16; .tiff of uint16, int32, float32
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from .pictures import DEFAULT_SUFFIX, image_file, read_picture

if TYPE_CHECKING:
    from vaecodec.bitstream.window import Window
    from vaecodec.codec.picture import Picture
    from vaecodec.codec.window import WindowLike

F = TypeVar("F", bound=Callable[..., Any])
OPTION = "--window"
ARRAY_SUFFIX = ".npy"
TIFF_SUFFIXES = (".tif", ".tiff")
HELD_BY_PNG = frozenset({"uint16"})
HELD_BY_TIFF = frozenset({"uint16", "int32", "float32"})  # as Pillow writes them


class WindowCommand(click.Command):
    """A command whose --window takes one word, or two numbers."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """The second number is joined to the first: no window is a number alone, so nothing else can be meant."""
        joined: list[str] = []
        rest = list(args)
        while rest:
            word = rest.pop(0)
            if word == "--":
                joined += [word, *rest]
                break
            if word == OPTION and len(rest) > 1 and _is_number(rest[0]) and _is_number(rest[1]):
                word = f"{OPTION}={rest.pop(0)}:{rest.pop(0)}"
            joined.append(word)
        return super().parse_args(ctx, joined)


def window_options(command: F) -> F:
    """--window and --one-window."""
    for option in (
        click.option(
            "--one-window", is_flag=True, help="The same window for all: the smallest that holds those of each."
        ),
        click.option(
            OPTION,
            metavar="LOW HIGH|minmax|percentile",
            help="Which values become 0 and 255, for pictures of more than 8 bits; it is kept with the picture.",
        ),
    ):
        command = option(command)
    return command


def parse_window(text: str | None) -> WindowLike | None:
    """Of --window. Raises click.BadParameter."""
    from vaecodec.codec.window import MINMAX, PERCENTILE

    if text is None or text in (MINMAX, PERCENTILE):
        return text
    low, _, high = text.partition(":")
    if not (_is_number(low) and _is_number(high)) or not float(low) < float(high):
        expected = f"two numbers, the lower first, {MINMAX} or {PERCENTILE}"
        raise click.BadParameter(f"expected {expected}, found {text!r}", param_hint=OPTION)
    return float(low), float(high)


def one_window(files: Iterable[str], asked: WindowLike) -> Window | None:
    """The smallest window that holds those of all files that have one and can be read; None where none has.

    Raises ConfigError where their values are of several types.
    """
    from vaecodec.codec.window import holding
    from vaecodec.errors import VaecodecError

    found = set()
    for file in files:
        try:
            window = read_picture(file, strip=True, window=asked).window
        except (VaecodecError, OSError):
            continue  # whoever reads it next says so
        if window is not None:
            found.add(window)
    return holding(sorted(found, key=str)) if found else None


def suffix_for(picture: Picture) -> str:
    """Of a file that holds the picture's values."""
    if picture.window is None or (picture.grey and picture.window.dtype in HELD_BY_PNG):
        return DEFAULT_SUFFIX
    return TIFF_SUFFIXES[1] if picture.grey and picture.window.dtype in HELD_BY_TIFF else ARRAY_SUFFIX


def file_of_values(picture: Picture, target: str) -> bytes:
    """The bytes of a file of the picture's values, in the format of the target's suffix; of pixels without a window.

    Raises OutputError where that format does not hold them.
    """
    from io import BytesIO

    import numpy as np

    from vaecodec.errors import OutputError

    suffix, buffer = os.path.splitext(target)[1].lower() or suffix_for(picture), BytesIO()
    if suffix == ARRAY_SUFFIX:
        np.save(buffer, picture.values(), allow_pickle=False)
        return buffer.getvalue()
    if picture.window is None:
        return image_file(picture, target)
    held = HELD_BY_PNG if suffix == DEFAULT_SUFFIX else HELD_BY_TIFF if suffix in TIFF_SUFFIXES else frozenset()
    if not picture.grey or picture.window.dtype not in held:
        kind = f"{picture.window.dtype}{'' if picture.grey else ' in colour'}"
        raise OutputError(f"{target}: {suffix} is not written of values of {kind}; {ARRAY_SUFFIX} holds them")
    from PIL import Image

    from vaecodec.codec.metadata import saving_options

    buffer.name = f"values{suffix}"
    image = Image.fromarray(picture.values())
    image.save(buffer, **saving_options(picture.chunks, Image.registered_extensions().get(suffix, "")))
    return buffer.getvalue()


class WindowCount:
    """How many pictures a window made, and how many of their values it lost."""

    def __init__(self) -> None:
        self.windowed = self.values = self.clipped = 0

    def add(self, picture: Picture) -> None:
        """One more picture, with a window or without."""
        if picture.window is not None:
            self.windowed += 1
            self.values += picture.pixels[..., 0].size if picture.grey else picture.pixels.size
            self.clipped += picture.clipped

    @property
    def words(self) -> str:
        """For a person; nothing without windows."""
        if not self.windowed:
            return ""
        lost = f"{self.clipped} of their values beyond it ({100 * self.clipped / self.values:.2g} %)"
        return f"{self.windowed} pictures scaled by a window, {lost if self.clipped else 'no value lost beyond it'}"

    def fields(self) -> dict[str, Any]:
        """For `--json`."""
        return {"windowed": self.windowed, "clipped_values": self.clipped}


def words_of_window(picture: Picture) -> str:
    """For a person, with what was lost: `window 0 to 4095 of uint16, 12 values beyond it (0.29 %)`."""
    if picture.window is None:
        return ""
    count = picture.pixels[..., 0].size if picture.grey else picture.pixels.size
    lost = f", {picture.clipped} values beyond it ({100 * picture.clipped / count:.2g} %)" if picture.clipped else ""
    return f"window {picture.window}{lost}"


def window_fields(picture: Picture) -> dict[str, Any]:
    """For `--json`."""
    window = picture.window
    if window is None:
        return {"window": None}
    return {
        "window": {"low": window.low, "high": window.high, "dtype": window.dtype, "clipped_values": picture.clipped}
    }


def _is_number(text: str) -> bool:
    try:
        return float(text) == float(text)
    except ValueError:
        return False
