"""vaecodec train: from images to a model file."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .completion import complete_files
from .files import is_quiet, say
from .options import data_options, parse_size, quiet_option
from .train_photographs import FAMILY, train_photographs
from .training import DataChoice

if TYPE_CHECKING:
    from vaecodec.data import ImageSet
    from vaecodec.recipes.config import Hardware, TrainingConfig

DATA_FAMILY = "conditioned-vae"  # where there is no config file: one model for the whole curve, so no β to choose
MINUTES = 10.0  # where neither steps nor minutes are given
# Flag → where the config keeps it.
PLACES = {
    "name": ("name",),
    "family": ("family",),
    "seed": ("seed",),
    "latents": ("model", "latents"),
    "beta": ("objective", "beta"),
    "likelihood": ("objective", "likelihood"),
    "rate": ("objective", "rate"),
    "capacity": ("objective", "capacity_nats"),
    "steps": ("optimiser", "steps"),
    "batch_size": ("optimiser", "batch_size"),
    "learning_rate": ("optimiser", "learning_rate"),
}


@click.command()
@click.argument("source", metavar="[CONFIG.toml|DATA]", required=False, shell_complete=complete_files)
@click.option("--name", help="The model's name; else made of DATA and the family.")
@click.option("--family", help=f"The model's family.  [default: {DATA_FAMILY}, for the whole curve]")
@click.option("--minutes", type=click.FloatRange(0, min_open=True), help="All in all.  [default: 10; family photo: 60]")
@click.option("--steps", type=click.IntRange(1), help="Training steps, in place of minutes.")
@click.option("--beta", type=click.FloatRange(0), help="Families of one β: larger gives smaller files.  [default: 1]")
@click.option("--likelihood", type=click.Choice(("bernoulli", "gaussian")), help="The distortion.  [default: by DATA]")
@click.option("--rate", type=click.Choice(("gaussian-kl", "uniform-noise")), help="The rate.  [default: by the family]")
@click.option(
    "--capacity", type=click.FloatRange(0), help="Family capacity: nats that an image is to take.  [default: 25]"
)
@click.option("--latents", type=click.IntRange(1), help="How many latents.  [default: by DATA]")
@click.option(
    "--start", shell_complete=complete_files, multiple=True, metavar="FILE", help="Family photo: weights to begin with."
)
@click.option("--batch-size", type=click.IntRange(1), help="Images a step.  [default: 128]")
@click.option("--learning-rate", type=click.FloatRange(0), help="Adam's, at its highest.  [default: by the family]")
@click.option("--seed", type=click.IntRange(0), help="Decides weights, order and noise.  [default: 0]")
@click.option(
    "-o", "--out", shell_complete=complete_files, metavar="FOLDER", help="The run folder.  [default: runs/NAME]"
)
@click.option("--resume", is_flag=True, help="Go on with the run in the folder, exactly; needs no CONFIG or DATA.")
@click.option("--device", type=click.Choice(("auto", "cpu")), default="auto", show_default=True, help="Where to train.")
@click.option(
    "--mixed-precision", type=click.Choice(("no", "bf16", "fp16")), default="no", show_default=True, help="Autocast."
)
@click.option("--no-progress", is_flag=True, help="No progress bar.")
@click.option("--no-comparison", is_flag=True, help="No curve beside WebP, AVIF and JPEG XL at the end.")
@data_options
@quiet_option
def command(
    source: str | None,
    out: str | None,
    resume: bool,
    device: str,
    mixed_precision: str,
    no_progress: bool,
    no_comparison: bool,
    data_dir: str | None,
    resize: str | None,
    grey: bool,
    minutes: float | None,
    **flags: Any,
) -> None:
    """Train a model on DATA (mnist, dsprites, or a folder of images), or as CONFIG.toml says.

    Without --family it is one model for the whole curve, of grey or colour; `vaecodec compress` chooses a point of it.
    With --family photo DATA is a folder of photographs of any size, or a pack of crops.

    A flag overrides the config file. Ctrl-C saves, and --resume goes on exactly. The run folder gets the config,
    metrics.jsonl, checkpoints and, at the end, the model file, whose path is printed, and curve.png, its curve beside
    WebP's, AVIF's and JPEG XL's. Needs the extra: pip install 'vaecodec[train]'.
    """
    began_s = time.monotonic()
    from .training import end_said, load_images, quiet_libraries, require_training, show_curve, taken_images

    require_training()
    quiet_libraries()
    if flags["family"] == FAMILY:
        train_photographs(source, out, resume=resume, flags={**flags, "minutes": minutes})
        return
    if flags.pop("start"):
        raise click.UsageError("--start goes with --family photo")
    if minutes and flags["steps"]:
        raise click.UsageError("--minutes and --steps: give one of them")
    first = first_values(source, out, resume)
    values = merged(first, flags)
    from vaecodec.families import family_of
    from vaecodec.recipes.config import Hardware

    family = family_of(values)  # an unknown family is said before minutes of reading data
    check_beta(family.name, flags)
    choice = DataChoice(data_dir, parse_size(resize), grey).or_stored(out if source is None else None)
    training, validation, test = load_images(values["data"], choice)
    taken_images(family, training)
    config = complete(values, training, choose_objective="model" not in first)
    folder = Path(out or os.path.join("runs", config.name))
    size = "x".join(map(str, training.images.shape[1:]))
    say(f"{config.name}: {len(training)} images of {size}, run folder {folder}")
    hardware = Hardware(device=device, mixed_precision=mixed_precision)
    if minutes or ("model" not in first and "optimiser" not in first and not flags["steps"] and not resume):
        config = with_planned_steps(config, training, validation, hardware, began_s + 60 * (minutes or MINUTES))
    choice.store(folder)
    from vaecodec.training.run import run

    shown = not (no_progress or is_quiet())
    with end_said(folder):
        path = run(config, folder, training, validation, resume=resume, hardware=hardware, show_progress=shown)
    if not no_comparison:
        show_curve(path, test, folder)
    click.echo(path)
    say(f"done; `vaecodec models add {path}` installs it")


def with_planned_steps(
    config: TrainingConfig, training: ImageSet, validation: ImageSet, hardware: Hardware, until_s: float
) -> TrainingConfig:
    """The config with as many steps as fit until a time of time.monotonic(), finishing included; said."""
    from vaecodec.training.plan import planned

    config = planned(config, training, validation, hardware, left_s=until_s - time.monotonic())
    say(f"{config.optimiser.steps} steps of {config.optimiser.batch_size} images fit into the time")
    return config


def check_beta(family: str, flags: dict[str, Any]) -> None:
    """Raises click.UsageError for a β where one model has them all."""
    if family == DATA_FAMILY and flags["beta"] is not None:
        raise click.UsageError(
            "one model has the whole curve: choose with `vaecodec compress --beta` or --quality, for each picture; "
            "--family beta-vae trains at one --beta"
        )


def first_values(source: str | None, out: str | None, resume: bool) -> dict[str, Any]:
    """The config's tables before the flags. Raises click.UsageError, ConfigError."""
    from vaecodec.errors import ConfigError
    from vaecodec.recipes.config import read_config

    if source is None:
        if not (resume and out):
            raise click.UsageError("name a CONFIG.toml, a data set or a folder; or --resume with --out FOLDER")
        from vaecodec.training.run_folder import read_run_config

        return read_run_config(Path(out)).to_dict()
    if not source.lower().endswith(".toml"):
        return {"data": source}
    values = read_config(source)
    if not isinstance(values.get("data"), str):
        raise ConfigError(f'{source}: needs data = "mnist", "dsprites" or a folder')
    values.setdefault("model", {})
    return values


def merged(values: dict[str, Any], flags: dict[str, Any]) -> dict[str, Any]:
    """The tables with the flags that were given put in their places; DATA_FAMILY where neither names a family."""
    result = {key: dict(value) if isinstance(value, dict) else value for key, value in values.items()}
    for flag, value in flags.items():
        if value is None:
            continue
        *tables, key = PLACES[flag]
        table = result
        for name in tables:
            table = table.setdefault(name, {})
        table[key] = value
    if "model" not in values:
        result.setdefault("family", DATA_FAMILY)
    return result


def complete(values: dict[str, Any], images: ImageSet, *, choose_objective: bool) -> TrainingConfig:
    """The config, with what the data decides filled in where nothing else says it. Raises ConfigError.

    choose_objective: there is no config file whose silence means TrainingConfig's own defaults.
    """
    from vaecodec.errors import ConfigError
    from vaecodec.families import family_of
    from vaecodec.recipes.config import OptimiserConfig

    height, width = images.geometry
    given = values.get("model", {})
    family = family_of(values)
    by_hand = "channels" in given or "patch" in given
    sizes = {"height": height, "width": width} if by_hand else family.suggested_sizes(images)
    values = {**values, "model": {**sizes, **given}}
    if choose_objective:
        steps = values.get("optimiser", {}).get("steps", OptimiserConfig().steps)
        values["objective"] = {**family.suggested_objective(images, steps), **values.get("objective", {})}
        values["optimiser"] = {**family.suggested_optimiser(images), **values.get("optimiser", {})}
        values["finish"] = {**family.suggested_finish(images), **values.get("finish", {})}
    values.setdefault("name", f"{_as_name(images.name)}-{family.name}")
    config = family.config_of(values)
    made_for = (config.model.height, config.model.width)
    if made_for != (height, width):
        raise ConfigError(
            f"the config is made for images of {made_for[0]}x{made_for[1]}, the data has {height}x{width}"
        )
    return config


def _as_name(text: str) -> str:
    """A folder's name as a model's: whatever is no letter or digit becomes a hyphen."""
    return "-".join("".join(c.lower() if c.isascii() and c.isalnum() else " " for c in text).split()) or "folder"
