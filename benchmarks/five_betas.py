"""One model that takes β as an input against separate models of the same network: results/five-betas-mnist.json.

    python -m benchmarks.five_betas [--runs DIR] [--only NAME ...] [--no-train] [--quick] [--fresh]

configs/five-betas-mnist.toml ─┬─ 5 levels an image ──> one run ──────> 5 of its levels ─┐
                               ├─ a single β, 5 times ─> separate runs ─> 5 points ───────┴─> BD-rate, at most +2 %
                               └─ 1 level an image ───> another run ──> 5 of its levels: what that would give

Seven runs of equal steps. A step of a separate one codes 256 images at its β, a step of the one that is compared the
same images at a β from each fifth of the grid, in about twice the time (of one core: half an hour, and an hour); a
step of the last, for comparison, each of its images at one β, in the time of a separate one.

What is done is not repeated, what was cut off goes on from its checkpoint, and --only trains the runs that it names:
the whole may be done run by run. A run that is not at hand may stand in the stored result, made with the same config
and pixels (--fresh: it does not). --quick, a few steps of it, sees that all works; its runs and results go to
RUNS/quick. Needs vaecodec[bench,train].
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from benchmarks.measuring.images import describe_set, evenly_spaced
from benchmarks.measuring.machine import CONFIGS, RESULTS, write_results
from benchmarks.measuring.measure import measure_model
from benchmarks.measuring.points import describe
from benchmarks.measuring.runs import (
    QUICK_TEST_IMAGES,
    RunState,
    ensure_run,
    last_metrics,
    run_state,
    runs_folder,
    training_sets,
)
from benchmarks.measuring.stored import Origin, SweepRow, new_row, read_rows
from benchmarks.measuring.sweep import measure_sweep
from benchmarks.studies.costs_at_beta import compare
from benchmarks.studies.several_levels import FAMILY, SeveralLevelsConfig, SeveralLevelsObjective
from vaecodec.codec.codec import Codec
from vaecodec.data import ImageSet, load_dataset
from vaecodec.evaluation.bd import bd_rate, bd_rate_ms_ssim
from vaecodec.evaluation.rd import RateCurve, RatePoint
from vaecodec.families import training_config
from vaecodec.families.conditioned.config import ConditionedConfig
from vaecodec.families.conditioned.levels import beta_grid, open_latents
from vaecodec.recipes.config import TrainingConfig, read_config

DATA = "mnist"
BETAS = 5
MOST_PER_CENT = 2.0
STEM_SHARE = 0.15  # of the steps train the middle β alone
SHARED_BLOCKS = 1  # of the analysis
OWN_LATENTS = 40  # of the coarsest level
QUICK_STEPS, QUICK_LEVELS = 30, 9
CONDITIONED, ONE_AN_IMAGE = "conditioned", "conditioned_one_level_an_image"  # the rows' keys in the result


def main(arguments: Sequence[str] | None = None) -> int:
    """Train, measure, store; 1 where a run is missing or the bar is missed, else 0. A quick training may miss it."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.five_betas", description=__doc__.partition("\n")[0])
    parser.add_argument("--runs", type=Path, help="folder of the runs; default $VAECODEC_RUNS, else runs/")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="train these runs alone")
    parser.add_argument("--no-train", action="store_true", help="measure the runs that are done, train none")
    parser.add_argument("--fresh", action="store_true", help="use no row of the stored results")
    parser.add_argument("--quick", action="store_true", help="short trainings, few images; results in RUNS/quick")
    options = parser.parse_args(arguments)
    plain = conditioned_config(quick=options.quick)
    one = several_config(plain)
    configs = [one, plain, *(separate_config(plain, level) for level in chosen_levels(plain))]
    names = [config.name for config in configs]
    if unknown := sorted(set(options.only or ()) - set(names)):
        parser.error(f"--only {unknown[0]}: there are {', '.join(names)}")
    train = [] if options.no_train else options.only or names
    runs = options.runs or runs_folder()
    runs, out = (runs / "quick", runs / "quick" / "results") if options.quick else (runs, RESULTS)
    path = out / f"{plain.name}.json"
    result = measure_all(configs, runs, None if options.fresh else path, train, quick=options.quick)
    write_results(path, result, seed=one.seed)
    print(path)
    return int(bool(result["missing"]) or not (result["holds"] or options.quick))


def conditioned_config(*, quick: bool = False) -> TrainingConfig:
    """A run that takes β as an input, each image at one. quick: a training of seconds, to see that all works."""
    config = training_config(read_config(CONFIGS / f"five-betas-{DATA}.toml"))
    if not quick:
        return config
    optimiser = replace(config.optimiser, steps=QUICK_STEPS, warmup_steps=5)
    model = replace(sizes(config), levels=QUICK_LEVELS, knots=3)
    return replace(config, optimiser=optimiser, model=model, finish=replace(config.finish, synthesis_steps=10))


def several_config(config: TrainingConfig) -> TrainingConfig:
    """The run that is compared: as many levels as there are separate models, each image of a step at all of them."""
    stem_steps = round(STEM_SHARE * config.optimiser.steps)
    objective = SeveralLevelsObjective(**asdict(config.objective), levels_an_image=BETAS, stem_steps=stem_steps)
    latents = sizes(config).latents + OWN_LATENTS
    grid = replace(sizes(config), levels=BETAS, knots=BETAS, latents=latents)
    model = SeveralLevelsConfig(**asdict(grid), shared_blocks=SHARED_BLOCKS, own_latents=OWN_LATENTS)
    name = f"{config.name}-{BETAS}-an-image"
    return replace(config, name=name, family=FAMILY.name, model=model, objective=objective)


def chosen_levels(config: TrainingConfig) -> list[int]:
    """The levels that are compared, evenly spaced from the coarsest to the finest."""
    return [round(k * (sizes(config).levels - 1) / (BETAS - 1)) for k in range(BETAS)]


def separate_config(config: TrainingConfig, level: int) -> TrainingConfig:
    """The same network, trained as long, at the β of one of the levels alone, with the latents that are open there."""
    model = sizes(config)
    betas = beta_grid(model.beta_high, model.beta_low, model.levels)
    opened = open_latents(betas, model.coarse_latents or model.latents, model.latents, model.opens_at)
    beta = model.beta_high * (model.beta_low / model.beta_high) ** (level / (model.levels - 1))
    only = {"levels": 1, "knots": 1, "beta_high": beta, "beta_low": beta}
    model = replace(model, **only, coarse_latents=int(opened[level]), opens_at=beta / 2)  # it opens no others
    return replace(config, name=f"{config.name}-level-{level:02}", model=model)


def sizes(config: TrainingConfig) -> ConditionedConfig:
    """The model's part of the config."""
    assert isinstance(config.model, ConditionedConfig)
    return config.model


def measure_all(
    configs: Sequence[TrainingConfig], runs: Path, stored: Path | None, train: Sequence[str], *, quick: bool
) -> dict[str, Any]:
    """Everything, as it is stored. configs: the two conditioned ones first. train: names of what may be trained."""
    dataset = load_dataset(DATA, "test")
    chosen = evenly_spaced(dataset.images, QUICK_TEST_IMAGES) if quick else dataset.images
    test = replace(dataset, images=chosen, labels=None, label_names=())
    sets = training_sets(DATA, quick=quick)
    one, plain, *separate = configs
    known = read_rows(stored) if stored else []
    rows: list[SweepRow] = []
    missing: list[dict[str, str]] = []
    for config in separate:
        found, absent = measure_sweep([config], runs, test, sets, known, train=config.name in train)
        rows, missing = rows + found, missing + absent
    of_config: dict[str, list[SweepRow]] = {}
    for key, config in ((CONDITIONED, one), (ONE_AN_IMAGE, plain)):
        known = read_rows(stored, key) if stored else []
        of_config[key] = measure_conditioned(config, runs, test, sets, known, train=config.name in train)
        if not of_config[key]:
            missing.append({"name": config.name, "state": run_state(config, sets[0], runs).value})
    result = {
        "data": {**describe_set(dataset), "images": len(test)},
        "levels": chosen_levels(plain),
        "steps": plain.optimiser.steps,
        "sweep": [row.to_dict() for row in rows],
        **{key: [row.to_dict() for row in levels] for key, levels in of_config.items()},
        "missing": missing,
    }
    return result | conclude(rows, *of_config.values(), complete=not missing)


def measure_conditioned(
    config: TrainingConfig,
    runs: Path,
    test: ImageSet,
    sets: tuple[ImageSet, ImageSet],
    stored: Sequence[SweepRow],
    *,
    train: bool,
) -> list[SweepRow]:
    """A row for each level that is compared; none where the run is missing and may not be trained."""
    state = run_state(config, sets[0], runs)
    origin = Origin(config, sets[0].sha256, test.sha256)
    known = [row for row in stored if row.origin == origin]
    if state is not RunState.DONE and (known or not train):
        return known
    path = ensure_run(config, runs, sets)
    codec, metrics = Codec.load(path), last_metrics(path.parent)
    rows = []
    for level in chosen_levels(config):
        point = measure_model(codec, path, test.images, metrics, level=level)
        print(f"{config.name:24} {describe(point.point)}  {point.coded_latents} latents", file=sys.stderr)
        rows.append(new_row(origin, point))
    return rows


def conclude(
    separate: Sequence[SweepRow],
    conditioned: Sequence[SweepRow],
    one_an_image: Sequence[SweepRow],
    *,
    complete: bool,
) -> dict[str, Any]:
    """The BD-rates of the one model against the separate ones, and both beside each other at each β."""
    if not complete:
        nothing: dict[str, Any] = {"pairs": [], "bd_rate_per_cent": None, "one_an_image_bd_rate_per_cent": None}
        return nothing | {"most_per_cent": MOST_PER_CENT, "holds": False}
    anchor, *tests = (curve_of(rows) for rows in (separate, conditioned, one_an_image))
    found, plain = ({"psnr": bd_rate(anchor, test), "ms_ssim": bd_rate_ms_ssim(anchor, test)} for test in tests)
    said = f"BD-rate {found['psnr']:+.2f} % (PSNR), trained at one level an image {plain['psnr']:+.2f} %"
    print(f"one model against {len(separate)}: {said}", file=sys.stderr)
    return {
        "pairs": [compare(a.measured, b.measured) for a, b in zip(separate, conditioned, strict=True)],
        "bd_rate_per_cent": found,
        "one_an_image_bd_rate_per_cent": plain,
        "most_per_cent": MOST_PER_CENT,
        "holds": found["psnr"] <= MOST_PER_CENT,
    }


def curve_of(rows: Sequence[SweepRow]) -> RateCurve:
    """The rows' points as a curve."""
    return RateCurve("conditioned-vae", DATA, tuple(RatePoint.from_dict(row.measured["point"]) for row in rows))


if __name__ == "__main__":
    sys.exit(main())
