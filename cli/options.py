"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])


def data_options(command: F) -> F:
    """--data-dir, --resize, --grey: where data sets lie, and how a folder's images become a model's."""
    for option in (
        click.option("--grey", is_flag=True, help="Folders: turn colour into grey (luma)."),
        click.option("--resize", metavar="HxW", help="Folders: bring every image to this height x width."),
        click.option(
            "--data-dir", metavar="FOLDER", help="Where mnist/ and dsprites/ lie (else $VAECODEC_DATA, else the cache)."
        ),
    ):
        command = option(command)
    return command


def parse_size(text: str | None) -> tuple[int, int] | None:
    """(height, width) of "28x28". Raises click.BadParameter."""
    if text is None:
        return None
    height, _, width = text.lower().partition("x")
    if not (height.isdecimal() and width.isdecimal()):
        raise click.BadParameter(f"expected height x width such as 28x28, found {text!r}", param_hint="--resize")
    return int(height), int(width)
