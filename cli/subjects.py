"""What report, figure, pairs and show share: the `report` extra, and a model with images to look at it with."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, TypeVar

import click

from .boundary import Failure
from .completion import complete_files
from .options import model_option

if TYPE_CHECKING:
    from vaecodec.evaluation.figures.subject import Subject

PACKAGES = ("jinja2", "matplotlib", "plotly", "scipy", "sklearn")
IMAGES = 2_000

F = TypeVar("F", bound=Callable[..., Any])


def require_report() -> None:
    """Say at once that the `report` extra is missing."""
    missing = [package for package in PACKAGES if find_spec(package) is None]
    if missing:
        raise Failure(f"this needs {', '.join(missing)}: pip install 'vaecodec[report]' brings what is missing")


def subject_options(command: F) -> F:
    """--model, --level, --data, --split, --images, --data-dir: which model is looked at, and with what."""
    for option in (
        click.option(
            "--data-dir", shell_complete=complete_files, metavar="FOLDER", help="Where mnist/ and dsprites/ lie."
        ),
        click.option(
            "--images", type=click.IntRange(1), default=IMAGES, show_default=True, help="At most so many, evenly apart."
        ),
        click.option(
            "--split",
            type=click.Choice(("train", "validation", "test")),
            default="test",
            show_default=True,
            help="Which part of DATA.",
        ),
        click.option("--data", metavar="DATA", help="mnist, dsprites, or a folder of images.  [default: mnist]"),
        click.option("--level", type=click.IntRange(0), help="The model's level.  [default: its own default]"),
        model_option("The model.  [default: the one named as DATA]"),
    ):
        command = option(command)
    return command


def subject_of(
    model: str | None, level: int | None, data: str | None, split: str, images: int, data_dir: str | None
) -> Subject:
    """The model with images. Raises ModelNotFound, DataError, ImageSizeError."""
    from vaecodec.codec.codec import Codec
    from vaecodec.data import load_dataset
    from vaecodec.evaluation.figures.subject import Subject, spread, truth_of

    name = data or "mnist"
    codec = Codec.load(model or name)
    found = load_dataset(name, split, data_dir=data_dir)
    rows = spread(len(found), images)
    truth = truth_of(found.labels[rows], found.label_names) if found.labels is not None else None
    chosen = codec.model.default_level if level is None else level
    return Subject(codec.model.name, codec, found.images[rows], chosen, truth, found.name)
