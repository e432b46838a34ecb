"""Every number of README.md and docs/results.md that a machine without a GPU makes in an hour: `make bench`.

    python -m benchmarks.everything [--again [NAME ...]] [--minutes N] [--list]

Steps in order, those of the README first. A step whose result is there and fits (the models that it is of are those
that its names lead to now, the pixels are today's) is not made again, unless --again says so, of all or of the scripts
that it names. A step that would end after N minutes waits for the next call. At the end the pages and the figure are
made of what is stored, and the list of what was left out is printed, with the reasons.
"""

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from benchmarks.measuring.machine import RESULTS, ROOT
from vaecodec.data import load_dataset
from vaecodec.errors import DatasetMissing
from vaecodec.modelfile.installed import installed_models

MINUTES = 60.0


@dataclass(frozen=True, slots=True)
class Step:
    """A script with its arguments, and the file that it writes into results/.

    models: names or aliases of those that the result is of; none where it says nothing of a released one. minutes: on
    two cores. needs: a file or folder without which it cannot be made, and what to do about that.
    """

    name: str
    arguments: str
    result: str
    minutes: float
    models: tuple[str, ...] = ()
    needs: tuple[str, str] | None = None

    @property
    def command(self) -> list[str]:
        """For a process."""
        return [sys.executable, "-m", f"benchmarks.{self.name}", *self.arguments.split()]

    def __str__(self) -> str:
        return f"python -m benchmarks.{self.name} {self.arguments}".rstrip()


STEPS = (
    # README.md
    Step("rate_distortion", "--data mnist", "rate-distortion-mnist.json", 5, ("mnist-beta-vae-1",)),
    Step("rate_distortion", "--data dsprites --no-train", "rate-distortion-dsprites.json", 5, ("dsprites-beta-vae-1",)),
    Step("lossless", "--data mnist --model mnist-lossless", "lossless-mnist.json", 6, ("mnist-lossless",)),
    Step("lossless", "--data dsprites --model dsprites-lossless", "lossless-dsprites.json", 6, ("dsprites-lossless",)),
    Step(
        "flagship",
        "dsprites --data dsprites --effort 0 1 --levels-every 7 --refined-every 21",
        "flagship-dsprites.json",
        8,
        ("dsprites",),
    ),
    Step("flagship", "mnist --data mnist --effort 0 1 2 --refined-every 6", "flagship-mnist.json", 25, ("mnist",)),
    Step("whole_curve", "", "whole-curve-mnist.json", 12, ("mnist",)),
    Step("whole_curve", "--data dsprites", "whole-curve-dsprites.json", 8, ("dsprites",)),
    Step("classical", "--data mnist --force", "classical-mnist.json", 27),
    Step("classical", "--data dsprites --force", "classical-dsprites.json", 27),
    # docs/results.md
    Step("dsprites_anchors", "", "anchors-dsprites.json", 3),
    Step("startup", "", "startup.json", 1, ("mnist",)),
    Step("one_picture", "", "one-picture.json", 1, ("mnist",)),
    Step("exact_archive", "", "exact-archive.json", 8, ("mnist",)),
    Step("containers", "", "containers.json", 1, ("mnist",)),
    Step("targets", "", "targets-mnist.json", 3, ("mnist",)),
    Step("speed", "", "speed.json", 3, ("mnist",)),
    Step("exactness", "", "exactness.json", 5, ("mnist", "dsprites")),
    Step(
        "lossless_exactness",
        "--data dsprites --model dsprites-lossless",
        "lossless-exactness-dsprites.json",
        5,
        ("dsprites-lossless",),
    ),
    Step(
        "lossless_exactness",
        "--data mnist --model mnist-lossless",
        "lossless-exactness-mnist.json",
        6,
        ("mnist-lossless",),
    ),
    Step(
        "archive",
        "--model mnist --model-scale dsprites-beta-vae-1 --level 12 15 --effort 0 1 --epoch",
        "archive.json",
        10,
        ("mnist", "dsprites-beta-vae-1"),
    ),
    Step(
        "folder",
        "fashion",
        "folder-fashion.json",
        14,
        needs=("/usr/share/datasets/fashion-mnist", "install Debian's dataset-fashion-mnist"),
    ),
)
PAGES = ("table", "family_table", "model_cards", "figure", "reliability")
LEFT_OUT = (
    ("photographs", "Kodak's pictures, which no package has, are run once a released model, by hand"),
    ("photograph_speed", "beside photographs"),
    ("rate_distortion --fresh", "the β sweep's twelve trainings take two hours of two cores; stored rows stand"),
    ("families", "the paper's systems (README's last tables, docs/families.md): 73 trainings, 20 hours of two cores"),
    ("rotation", "docs/families.md: the vae's training, of which only the model file is kept, must be at hand"),
    ("five_betas", "docs/results.md: seven trainings, more than four hours of two cores; stored rows stand"),
    ("exact_cost", "docs/results.md: the trainings of the released models, each an hour or more, must be at hand"),
    ("published", "docs/families.md: four trainings, 12 minutes each on a GPU, most of a day each on one core"),
    ("packing", "compares model files before and after packing, which history alone has; no page shows it"),
    ("join_mnist", "makes a model file of two that history alone has"),
    ("zoo_record", "records beside the released models; no page shows them"),
    ("classical_settings", "chosen on validation images; no page shows them"),
    ("mutation", "hours of tests against changed code; no page shows it"),
    ("nats", "mends stored results"),
    ("kills", "docs/reliability.md: 1,200 killed commands take a quarter of an hour, and need do so once a release"),
    ("endings", "beside kills"),
    ("faults", "beside kills; must be root"),
    ("sharing", "beside kills"),
    ("portability", "docs/reliability.md: make portability, which makes environments and an emulated machine"),
    ("installs", "docs/reliability.md: needs each Python that is supported"),
    ("folder colour", "docs/results.md: packs of photographs, which no package has; 14 minutes, by hand"),
    ("interruptions", "docs/results.md: twenty trainings, half an hour of two cores"),
    ("side_by_side", "compares two commits; no page shows it"),
    ("disentanglement", "hours of forests, machines and rotations for each kept model; no page shows it yet"),
    ("joint_price", "beside disentanglement; no page shows it yet"),
    ("shards", "an hour of a quiet machine, and Ray; docs/scale.md names it"),
    ("shard_faults", "beside shards"),
    ("shard_store", "beside shards"),
    ("scale", "the model of docs/scale.md beside what shard_store has stored"),
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Make what is missing; 1 where a step fails, else 0. A bar that is missed is a result."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.everything", description=__doc__.partition("\n")[0])
    parser.add_argument("--again", nargs="*", metavar="NAME", help="make these again though they fit; no name: all")
    parser.add_argument("--minutes", type=float, default=MINUTES, help="a step that would end later waits; default: 60")
    parser.add_argument("--list", action="store_true", help="only say what would be made, and why")
    options = parser.parse_args(arguments)
    names = {step.name for step in STEPS}
    if unknown := sorted(set(options.again or ()) - names):
        parser.error(f"--again {unknown[0]}: there are {', '.join(sorted(names))}")
    again = names if options.again == [] else set(options.again or ())
    failed, waiting = run_steps(again, options.minutes, only_say=options.list)
    if not options.list:
        failed += [f"python -m benchmarks.{page}" for page in PAGES if not made_page(page)]
    print("\nleft out:")
    for what, why in (*waiting, *((f"python -m benchmarks.{name}", why) for name, why in LEFT_OUT)):
        print(f"  {what}\n      {why}")
    for command in failed:
        print(f"FAILED: {command}")
    return int(bool(failed))


def run_steps(again: set[str], minutes: float, *, only_say: bool) -> tuple[list[str], list[tuple[str, str]]]:
    """(what failed, [(what was left out, why)]) of all steps; what they take is printed."""
    failed, waiting, left = [], [], minutes
    for step in STEPS:
        why = "asked for" if step.name in again else unfit(step)
        if why is None:
            print(f"{step}: there already")
        elif step.needs and not Path(step.needs[0]).exists():
            waiting.append((str(step), f"{step.needs[0]} is not there: {step.needs[1]}"))
        elif step.minutes > left:
            waiting.append((str(step), f"{why}; takes about {step.minutes:g} minutes, {max(left, 0):.0f} are left"))
        elif only_say:
            print(f"{step}: {why}; takes about {step.minutes:g} minutes")
            left -= step.minutes
        else:
            print(f"{step}: {why}", flush=True)
            started = time.monotonic()
            done = made(step)
            took = (time.monotonic() - started) / 60
            left -= took
            print(f"{step}: {'done' if done else 'FAILED'}, {took:.1f} minutes", flush=True)
            failed += [] if done else [str(step)]
    return failed, waiting


def made(step: Step) -> bool:
    """Run a step: whether it has written its result, be a bar missed in it or not."""
    path = RESULTS / step.result
    before = path.stat().st_mtime_ns if path.is_file() else None
    subprocess.run(step.command, cwd=ROOT, check=False)
    return path.is_file() and path.stat().st_mtime_ns != before


def made_page(name: str) -> bool:
    """Whether a page could be made of what is stored."""
    return subprocess.run([sys.executable, "-m", f"benchmarks.{name}"], cwd=ROOT, check=False).returncode == 0


def unfit(step: Step, folder: Path = RESULTS) -> str | None:
    """Why the stored result of a step does not stand; None where it does."""
    path = folder / step.result
    if not path.is_file():
        return "not there"
    result = json.loads(path.read_text(encoding="utf-8"))
    return (of_other_models(step, result) if step.models else None) or of_other_images(result)


def of_other_models(step: Step, result: Mapping[str, Any]) -> str | None:
    """Whether the names that a step gives lead to others now, in words."""
    found, wanted = dict(models_of(result)), dict(map(resolved, step.models))
    if found.keys() != wanted.keys():
        return f"of {', '.join(sorted(found))}; today's are {', '.join(sorted(wanted))}"
    changed = [name for name, said in found.items() if said not in (None, wanted[name])]
    return f"{changed[0]} has another fingerprint" if changed else None


def of_other_images(result: Mapping[str, Any]) -> str | None:
    """Whether the images are others now, in words; None as well where these are not at hand."""
    data = result.get("data", {})
    if "pixels_sha256" not in data:
        return None
    same = pixels_sha256(data["name"], data["split"]) in (None, data["pixels_sha256"])
    return None if same else f"the {data['split']} images of {data['name']} are others"


def models_of(result: Mapping[str, Any]) -> Iterator[tuple[str, str | None]]:
    """(name, fingerprint) of every released model that a result says it is of; None where it says no fingerprint."""
    for key in ("model", "scale_model"):
        said = result.get(key)
        if isinstance(said, Mapping):
            yield said["name"], said.get("fingerprint")
        elif said is not None:
            yield said, None
    for model in result.get("zoo", []):
        yield model["name"], None
    for part in result.get("results", {}).values():
        yield from models_of(part)


@cache
def resolved(name: str) -> tuple[str, str | None]:
    """(name, fingerprint) of the installed model that a name or an alias leads to; the name itself if there is none."""
    for model in installed_models():
        if name in (model.name, *model.aliases):
            return model.name, model.summary.fingerprint.hex()
    return name, None


@cache
def pixels_sha256(data: str, split: str) -> str | None:
    """Of the images of a set; None where they are not at hand, so that a stored result stands."""
    try:
        return load_dataset(data, split).sha256
    except DatasetMissing:
        return None


if __name__ == "__main__":
    sys.exit(main())
