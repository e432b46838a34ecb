"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from vaecodec.bitstream.limits import MAX_ERROR, MAX_LEVEL

from .completion import complete_files, complete_models
from .files import be_quiet

if TYPE_CHECKING:
    from vaecodec.codec.target import Target

F = TypeVar("F", bound=Callable[..., Any])


def model_option(help: str, *, required: bool = False) -> Callable[[F], F]:
    """--model: a name or a file; the tab key offers both."""
    return click.option(
        "-m", "--model", metavar="NAME|FILE", help=help, required=required, shell_complete=complete_models
    )


def quiet_option(command: F) -> F:
    """--quiet: errors and warnings alone on stderr. Heeded by say() and Progress; the command is not given it."""
    option = click.option(
        "-q", "--quiet", is_flag=True, expose_value=False, callback=be_quiet, help="Only errors and warnings on stderr."
    )
    return option(command)


def data_options(command: F) -> F:
    """--data-dir, --resize, --grey: where data sets lie, and how a folder's images become a model's."""
    for option in (
        click.option("--grey", is_flag=True, help="Folders: turn colour into grey (luma)."),
        click.option("--resize", metavar="HxW", help="Folders: bring every image to this height x width."),
        click.option(
            "--data-dir",
            metavar="FOLDER",
            help="Where mnist/ and dsprites/ lie (else $VAECODEC_DATA, else the cache).",
            shell_complete=complete_files,
        ),
    ):
        command = option(command)
    return command


def target_options(command: F) -> F:
    """--quality, --beta, --target-bytes, --target-psnr, --max-mse, --level, --lossless, --max-error: how many bytes, or
    how good; and --effort."""
    for option in (
        click.option(
            "-e",
            "--effort",
            type=click.IntRange(0, 2),
            default=0,
            show_default=True,
            help="Time for better streams; decoding stays as fast.",
        ),
        click.option("--max-error", type=click.IntRange(0, MAX_ERROR), metavar="E", help="Of each pixel, grey levels."),
        click.option("-l", "--lossless", is_flag=True, help="Exactly: needs a model with a lossless part."),
        click.option("--level", type=click.IntRange(0, MAX_LEVEL), help="The model's level itself, 0 the coarsest."),
        click.option("--max-mse", type=float, metavar="M", help="Mean squared error of the decoded image, at most."),
        click.option("-p", "--target-psnr", type=float, metavar="DB", help="PSNR of the decoded image, at least."),
        click.option("-b", "--target-bytes", type=int, metavar="N", help="Size of the stream, never exceeded."),
        click.option("--beta", type=float, metavar="B", help="The level whose β is nearest."),
        click.option("-Q", "--quality", type=float, metavar="0..100", help="From the coarsest level to lossless."),
    ):
        command = option(command)
    return command


def parse_target(options: dict[str, Any]) -> Target:
    """The target of these options; the others are left alone. Raises click.UsageError."""
    from vaecodec.codec.target import AIMS, Target
    from vaecodec.errors import ConfigError

    if options["lossless"] and options["max_error"] is not None:
        raise click.UsageError("--lossless and --max-error: give one of them")
    settings = {name: options[name] for name in (*AIMS, "effort")}
    if options["lossless"]:
        settings["max_error"] = 0
    try:
        return Target(**settings)
    except ConfigError as error:
        raise click.UsageError(str(error)) from error


def parse_size(text: str | None) -> tuple[int, int] | None:
    """(height, width) of "28x28". Raises click.BadParameter."""
    if text is None:
        return None
    height, _, width = text.lower().partition("x")
    if not (height.isdecimal() and width.isdecimal()):
        raise click.BadParameter(f"expected height x width such as 28x28, found {text!r}", param_hint="--resize")
    return int(height), int(width)
