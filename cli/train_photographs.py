"""vaecodec train --family photo: photographs of any size in, a model file out."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click

from .files import say

FAMILY = "photo"
FLAGS = {
    "seed": "--seed",
    "steps": "--steps",
    "minutes": "--minutes",
    "batch_size": "--batch",
    "learning_rate": "--rate",
}
MINUTES = 60.0  # where neither steps nor minutes are given


def train_photographs(source: str | None, out: str | None, *, resume: bool, flags: dict[str, Any]) -> None:
    """Train on a folder of photographs or a pack of crops, export, and print the model file's path.

    flags: those that the command was given; others than FLAGS, name and start are refused. Raises click.UsageError,
    ConfigError, DataError, CheckpointError, NotExact.
    """
    given = {flag: value for flag, value in flags.items() if value not in (None, ())}
    unknown = sorted(set(given) - {*FLAGS, "name", "start", "family"})
    if unknown:
        raise click.UsageError(f"family photo takes no --{unknown[0].replace('_', '-')}")
    if source is None or not os.path.exists(source):
        raise click.UsageError(
            "name a folder of photographs, or a pack of crops (.npz), for family photo to learn from"
        )
    name = given.get("name", FAMILY)
    folder = Path(out or os.path.join("runs", name))
    if (folder / "checkpoint.pt").exists() and not resume:
        raise click.UsageError(f"{folder} holds a run: --resume goes on with it, --out FOLDER begins another")
    from vaecodec.families.photo.export import arguments as export_arguments
    from vaecodec.families.photo.export import export
    from vaecodec.families.photo.train import arguments, train

    length = {} if "steps" in given else {"minutes": MINUTES}
    values = ["--data", source, "--out", str(folder)]
    for flag, value in {**length, **given}.items():
        if flag in FLAGS:
            values += [FLAGS[flag], str(value)]
    if "start" in given:
        values += ["--start", *given["start"]]
    say(f"{name}: photographs of {source}, run folder {folder}")
    train(arguments(values))
    weights = sorted(str(path) for path in folder.glob("weights-*.npz"))
    path = folder / f"{name}.vaem"
    export(export_arguments([*weights, "--calibrate", source, "--out", str(path)]))
    click.echo(path)
    say(f"done; `vaecodec models add {path}` installs it")
