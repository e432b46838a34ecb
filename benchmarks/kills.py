"""SIGKILL at random moments of what writes files: results/kills-COMMAND.json, one for each command.

    python -m benchmarks.kills [--kills 200] [--only COMMAND ...] [--seed 0] [--out FOLDER]

    fork ──> the command, as `vaecodec` runs it ──SIGKILL after a random share of its usual time──> what is on the disk?

Every command runs in a forked child of a process that has imported what it needs, so that a moment is seldom one of the
imports, when nothing is written yet. After each kill:
- compress, archive create, export: under the output's name is the old file or the whole new one;
- archive append: the archive is the old one or the new one, every block of it whole;
- train: each next run goes on with --resume, and the run that ends has the weights and the model file of one that
  nobody killed.
What lies beside is a temporary file of ours, and the next command that writes there, an hour later, removes it.
A run that ends before its moment is not counted. train and export need vaecodec[train].
"""

import argparse
import os
import shutil
import signal
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

import vaecodec
from benchmarks.measuring.commands import import_what_it_uses, run_command
from benchmarks.measuring.machine import RESULTS, ROOT, write_results
from benchmarks.measuring.small_training import train_command
from vaecodec.files.outputs import ABANDONED_S, TEMPORARY_NAME

GOLDEN = ROOT / "tests" / "golden" / "v1"
OVERTIME = 1.1  # the latest moment, as a share of the usual time: the end is among the moments
TIMED_RUNS = 3  # that nobody kills, before and while there are others
IMAGES_BEFORE, IMAGES_ADDED = 10, 60


class Wrong(AssertionError):
    """What a kill has left is neither the old state nor the new one."""


@dataclass
class Scene:
    """A command in a folder of its own.

    arguments: of the command. reset: puts the old state there. state: says which one is there, "old", "new" or, of a
    run that goes on, "begun"; raises Wrong where it is none. own: names that the command writes besides its output.
    """

    folder: Path
    arguments: list[str]
    reset: Callable[[], None]
    state: Callable[[], str]
    own: frozenset[str] = frozenset()


@dataclass
class Tally:
    """What was found."""

    kills: int = 0
    ended_first: int = 0
    states: dict[str, int] = field(default_factory=dict)
    left_behind: int = 0
    wrong: list[str] = field(default_factory=list)


def main(arguments: Sequence[str] | None = None) -> int:
    """Kill, look and store; 1 where something is wrong, else 0."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.kills", description=__doc__.partition("\n")[0])
    parser.add_argument("--kills", type=int, default=200, help="of each command")
    parser.add_argument("--only", nargs="+", choices=SCENES, default=list(SCENES))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=RESULTS, help="folder of the results")
    options = parser.parse_args(arguments)
    all_hold = True
    with tempfile.TemporaryDirectory(prefix="vaecodec-kills-") as place:
        for name in options.only:
            folder = Path(place) / name.replace(" ", "-")
            folder.mkdir()
            found = killed(SCENES[name](folder), options.kills, np.random.default_rng(options.seed))
            holds = not found["wrong"] and found["removed_later"]
            all_hold = all_hold and holds
            path = options.out / f"kills-{folder.name}.json"
            write_results(path, {"name": name, **found, "holds": holds}, seed=options.seed)
            print(f"{path}: {found}", flush=True)
    return 0 if all_hold else 1


def killed(scene: Scene, kills: int, rng: np.random.Generator) -> dict[str, Any]:
    """Kill a command so many times; the tally, and whether what was left behind goes later."""
    tally, times = Tally(), list[float]()
    scene.reset()
    import_what_it_uses(scene.arguments)
    scene.reset()
    while tally.kills < kills:
        if len(times) < TIMED_RUNS or rng.random() < 1 / kills:
            scene.reset()
            times.append(run(scene, None))
            note(scene, tally, expected="new")
            scene.reset()
            continue
        took = run(scene, rng.random() * OVERTIME * statistics.median(times))
        tally.kills, tally.ended_first = tally.kills + (took < 0), tally.ended_first + (took >= 0)
        state = note(scene, tally, expected=None if took < 0 else "new")
        if state != "begun":
            scene.reset()
    tally.left_behind = len(left_behind(scene))
    return {**vars(tally), "removed_later": removed_later(scene), "usual_time_s": statistics.median(times)}


def run(scene: Scene, after_s: float | None) -> float:
    """The command's time in seconds, or a negative one where it was killed. Raises Wrong where it fails."""
    ended = run_command(scene.arguments, after_s=after_s)
    if ended.code not in (0, -signal.SIGKILL) or (ended.code and after_s is None):
        raise Wrong(f"{scene.arguments}: ended with {ended.code}: {ended.errors}")
    return -1.0 if ended.code else ended.elapsed_s


def note(scene: Scene, tally: Tally, expected: str | None) -> str:
    """The state that a command has left, counted; what is wrong is noted with it."""
    try:
        state = scene.state()
        if expected not in (None, state):
            raise Wrong(f"the command ended, and the state is {state}")
        strange = [
            path.name
            for path in scene.folder.iterdir()
            if path.name not in scene.own and not TEMPORARY_NAME.fullmatch(path.name)
        ]
        if strange:
            raise Wrong(f"{strange[0]} lies beside the output")
    except (Wrong, OSError, ValueError) as error:
        tally.wrong.append(f"{type(error).__name__}: {error}")
        state = "wrong"
    tally.states[state] = tally.states.get(state, 0) + 1
    return state


def left_behind(scene: Scene) -> list[Path]:
    """The temporary files of killed commands, in all folders that they write to."""
    return [path for path in scene.folder.rglob("*") if TEMPORARY_NAME.fullmatch(path.name)]


def removed_later(scene: Scene) -> bool:
    """Whether a command that runs when all that is old enough removes it."""
    scene.reset()
    for path in left_behind(scene):
        os.utime(path, (time.time() - 2 * ABANDONED_S,) * 2)
    run(scene, None)
    return not left_behind(scene)


def of_files(folder: Path, target: str, arguments: list[str]) -> Scene:
    """A command that writes one file, the same bytes each time, in the place of an old one."""
    path, old = folder / target, b"old\n"

    def reset() -> None:
        path.write_bytes(old)

    reset()
    scene = Scene(folder, arguments, reset, lambda: "new", frozenset({target}))
    run(scene, None)
    new = path.read_bytes()

    def state() -> str:
        found = path.read_bytes()
        if found not in (old, new):
            raise Wrong(f"{target}: {len(found)} bytes, neither the old file nor the new one")
        return "old" if found == old else "new"

    return Scene(folder, arguments, reset, state, scene.own)


def compress_digit(folder: Path) -> Scene:
    """One image, with a model of one geometry."""
    source = str(ROOT / "examples" / "digit-7.png")
    options = ["--force", "--no-verify", "--model", str(GOLDEN / "tiny.vaem")]
    return of_files(folder, "a.vae", ["compress", source, str(folder / "a.vae"), *options])


def compress_photograph(folder: Path) -> Scene:
    """One picture, with the photograph model."""
    source = folder.with_name("photograph.png")
    with Image.open(ROOT / "examples" / "photograph-canyon-wren.png") as image:
        image.convert("RGB").crop((100, 100, 196, 164)).save(source)
    vaecodec.load("photo").compress(Image.open(source), level=3)  # a child finds the model read
    options = ["--force", "--model", "photo", "--level", "3"]
    return of_files(folder, "a.vae", ["compress", str(source), str(folder / "a.vae"), *options])


def archive_scene(folder: Path, command: str) -> Scene:
    """archive create, in the place of an old archive, or append to it."""
    codec, path, model = vaecodec.Codec.load(GOLDEN / "tiny.vaem"), folder / "a.vaea", str(GOLDEN / "tiny.vaem")
    rng = np.random.default_rng(0)
    old, new = (rng.integers(0, 256, (n, 28, 28), dtype=np.uint8) for n in (IMAGES_BEFORE, IMAGES_ADDED))
    source, kept = folder.with_name(f"{command}.npz"), folder.with_name(f"{command}-before.vaea")
    np.savez(source, images=new)
    with vaecodec.ArchiveWriter.create(kept, codec) as writer:
        writer.add_batch(old)
    before, after = (codec.lossy.synthesise(codec.lossy.analyse(images)) for images in (old, new))
    after = after if command == "create" else np.concatenate([before, after])

    def state() -> str:
        with vaecodec.Archive(path, model=codec) as archive:
            wanted, name = (before, "old") if len(archive) == len(before) else (after, "new")
            if len(archive) != len(wanted) or not np.array_equal(archive.batch(range(len(archive))), wanted):
                raise Wrong(f"{path.name}: {len(archive)} images, or other ones than were put there")
            if archive.verify().lost:
                raise Wrong(f"{path.name}: lost blocks")
        return name

    def reset() -> None:
        shutil.copy(kept, path)

    arguments = ["archive", command, str(path), str(source), "--block-images", "8", "--model", model]
    arguments += ["--force"] if command == "create" else []
    return Scene(folder, arguments, reset, state, frozenset({path.name}))


def inputs_of(folder: Path) -> Path:
    """A folder beside that of a scene, for what the command reads."""
    inputs = folder.with_name(f"{folder.name}-inputs")
    inputs.mkdir()
    return inputs


def train(folder: Path) -> Scene:
    """A training that is killed, and goes on, until it is done."""
    whole, path = inputs_of(folder) / "whole", folder / "run"
    command = train_command(whole.parent)
    run(Scene(folder, [*command, str(whole)], lambda: None, lambda: "new"), None)
    weights, model = weights_of(whole), (whole / "small.vaem").read_bytes()

    def state() -> str:
        if not (path / "small.vaem").exists():
            return "begun"
        if (path / "small.vaem").read_bytes() != model or weights_of(path) != weights:
            raise Wrong("the run that went on has other weights or another model file")
        return "new"

    arguments = [*command, str(path), "--resume"]
    return Scene(folder, arguments, lambda: shutil.rmtree(path, ignore_errors=True), state, frozenset({"run"}))


def export(folder: Path) -> Scene:
    """The model file of a run, made anew."""
    path = inputs_of(folder) / "run"
    command = train_command(path.parent)
    run(Scene(folder, [*command, str(path)], lambda: None, lambda: "new"), None)
    return of_files(folder, "a.vaem", ["export", str(path), str(folder / "a.vaem"), "--again", "--force"])


def weights_of(folder: Path) -> dict[str, bytes]:
    """Those of a run's checkpoint."""
    from vaecodec.training.checkpoint import load_checkpoint

    return {name: tensor.numpy().tobytes() for name, tensor in load_checkpoint(folder).model.items()}


SCENES: dict[str, Callable[[Path], Scene]] = {
    "compress": compress_digit,
    "compress a photograph": compress_photograph,
    "archive create": lambda folder: archive_scene(folder, "create"),
    "archive append": lambda folder: archive_scene(folder, "append"),
    "train": train,
    "export": export,
}
if __name__ == "__main__":
    sys.exit(main())
