"""Full disks, read-only folders, inputs that change while they are read, closed pipes: results/faults.json.

    python -m benchmarks.faults [--each 20] [--only KIND ...] [--seed 0] [--out FILE]

A command that cannot do its work says so in one line, ends with code 1 and leaves what was there before. One whose
input changes under it either says so, or has done one of the versions of that input whole. Full and read-only disks are
small file systems in memory, for which the script must be root on Linux; else they are left out, and that is said. The
training of train and export, on a full disk, needs vaecodec[train].
"""

import argparse
import os
import resource
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

import vaecodec
from benchmarks.measuring.commands import Ended, files_below, import_what_it_uses, run_command
from benchmarks.measuring.machine import RESULTS, ROOT, write_results
from benchmarks.measuring.small_training import train_command
from vaecodec.codec.images import read_grey

TINY = str(ROOT / "tests" / "golden" / "v1" / "tiny.vaem")
DIGIT = str(ROOT / "examples" / "digit-7.png")
OLD = b"old\n"
DISK_BYTES = 1 << 16


@dataclass
class Tally:
    """Runs by what became of them, and what is wrong in words."""

    runs: int = 0
    refused: int = 0
    done: int = 0
    wrong: list[str] = field(default_factory=list)

    def take(self, name: str, found: Ended, complaint: str | None = None) -> None:
        """Count a run that may fail. complaint: what is wrong with what it left."""
        self.runs += 1
        self.done += found.code == 0
        self.refused += found.code == 1
        if complaint is None and found.code:
            complaint = None if found.code == 1 and found.clean_error else f"code {found.code}: {found.errors[-300:]}"
        self.wrong += [f"{name}: {complaint}"] if complaint else []


def main(arguments: Sequence[str] | None = None) -> int:
    """Try, look and store; 1 where something is wrong, else 0."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.faults", description=__doc__.partition("\n")[0])
    parser.add_argument("--each", type=int, default=20, help="runs of each command and kind")
    parser.add_argument("--only", nargs="+", choices=KINDS, default=list(KINDS))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=RESULTS / "faults.json")
    options = parser.parse_args(arguments)
    rng, kinds = np.random.default_rng(options.seed), {}
    for kind in options.only:
        with tempfile.TemporaryDirectory(prefix="vaecodec-faults-") as place:
            tally = Tally()
            try:
                KINDS[kind](Path(place), options.each, rng, tally)
                kinds[kind] = vars(tally)
            except NotHere as error:
                kinds[kind] = {"left_out": str(error)}
        print(f"{kind}: {kinds[kind]}", file=sys.stderr, flush=True)
    holds = not any(found.get("wrong") for found in kinds.values())
    write_results(options.out, {"kinds": kinds, "holds": holds}, seed=options.seed)
    print(options.out)
    return 0 if holds else 1


class NotHere(Exception):
    """This machine or user cannot do it."""


def commands(place: Path, target: Path) -> dict[str, list[str]]:
    """Commands that write into the folder `target`, from inputs in `place`."""
    codec, rng = vaecodec.Codec.load(TINY), np.random.default_rng(0)
    images = rng.integers(0, 256, (200, 28, 28), dtype=np.uint8)
    np.savez(place / "images.npz", images=images)
    (place / "digit.vae").write_bytes(codec.compress(read_grey(DIGIT)))
    with vaecodec.ArchiveWriter.create(place / "a.vaea", codec, overwrite=True) as writer:
        writer.add_batch(images)
    return {
        "compress": ["compress", DIGIT, str(target / "a.vae"), "--force", "--no-verify", "--model", TINY],
        "decompress": ["decompress", str(place / "digit.vae"), str(target / "a.png"), "--force", "--model", TINY],
        "archive create": [
            *("archive", "create", str(target / "b.vaea"), str(place / "images.npz"), "--force", "--model", TINY),
            *("--block-images", "8"),
        ],
        "archive append": ["archive", "append", str(target / "a.vaea"), str(place / "images.npz"), "--model", TINY],
        "archive extract": ["archive", "extract", str(place / "a.vaea"), str(target / "a.npz"), "--model", TINY],
        "models strip": ["models", "strip", TINY, str(target / "a.vaem"), "--force"],
    }


def before(place: Path, target: Path) -> dict[str, bytes]:
    """What stands in the target's folder before each run."""
    for path in target.rglob("*"):
        path.unlink()
    for name in ("a.vae", "a.png", "a.vaem"):
        (target / name).write_bytes(OLD)
    (target / "a.vaea").write_bytes((place / "a.vaea").read_bytes())
    return files_below(target)


def complaint(found: Ended, was: dict[str, bytes], target: Path) -> str | None:
    """A command that was refused has changed nothing."""
    if found.code == 0:
        return None
    now = files_below(target)
    if now.keys() != was.keys():
        return f"{sorted(now.keys() ^ was.keys())} came or went"
    changed = [name for name in was if now[name] != was[name]]
    return f"{changed[0]} was changed" if changed else None


def limited_files(place: Path, each: int, rng: np.random.Generator, tally: Tally) -> None:
    """No file may be longer than a random size, as a quota or a full disk has it."""
    target = place / "target"
    target.mkdir()
    for name, command in commands(place, target).items():
        before(place, target)
        import_what_it_uses(command)
        largest = max(path.stat().st_size for path in target.iterdir())
        for _ in range(each):
            was, limit = before(place, target), int(rng.integers(0, largest))
            found = run_command(command, prepare=lambda limit=limit: limit_files(limit))  # type: ignore[misc]
            tally.take(f"{name}, {limit} bytes", found, complaint(found, was, target))


def limit_files(size_bytes: int) -> None:
    """Of this process from now on; a write beyond it is an error."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, size_bytes))


def limited_training(place: Path, each: int, rng: np.random.Generator, tally: Tally) -> None:
    """A training whose disk is full at a random size goes on with --resume once there is room."""
    command, run = train_command(place), place / "run"
    whole = import_what_it_uses([*command, str(place / "whole")])
    tally.take("the whole training", whole, None if whole.code == 0 else whole.errors)
    model = (place / "whole" / "small.vaem").read_bytes()
    largest = max(path.stat().st_size for path in (place / "whole").iterdir())
    for k in range(max(1, each // 4)):
        limit, folder = int(rng.integers(0, largest)), Path(f"{run}-{k}")
        first = run_command([*command, str(folder)], prepare=lambda limit=limit: limit_files(limit))  # type: ignore[misc]
        strange = [path.name for path in folder.glob("*.tmp")] + [path.name for path in folder.glob(".*")]
        tally.take(f"train, {limit} bytes", first, f"{strange} are left" if strange else None)
        then = run_command([*command, str(folder), "--resume"])
        same = then.code == 0 and (folder / "small.vaem").read_bytes() == model
        tally.take("train, then", then, None if same else f"another model file, or none: {then.errors[-300:]}")


@contextmanager
def file_system(place: Path, options: str) -> Iterator[Path]:
    """A small file system in memory. Raises NotHere."""
    folder = place / "disk"
    folder.mkdir(exist_ok=True)
    mounted = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
    try:
        subprocess.run(mounted, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise NotHere(f"no file system can be mounted here: {error}") from error
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def full_disk(place: Path, each: int, rng: np.random.Generator, tally: Tally) -> None:
    """A disk with a random number of bytes left, for outputs and for temporary files."""
    with file_system(place, "size=1m") as disk:
        target = disk / "target"
        target.mkdir()
        for name, command in commands(place, target).items():
            before(place, target)
            import_what_it_uses(command)
            for k in range(each):
                was = before(place, target)
                spool = disk if k % 2 else place  # every other run has its temporary files there as well
                fill(disk / "filler", int(rng.integers(0, DISK_BYTES)))
                found = run_command(command, prepare=lambda spool=spool: temporary_files_in(spool))  # type: ignore[misc]
                (disk / "filler").unlink()
                tally.take(name, found, complaint(found, was, target))


def temporary_files_in(folder: Path) -> None:
    """Of this process from now on."""
    tempfile.tempdir = str(folder)


def fill(path: Path, left_bytes: int) -> None:
    """Write until the disk has only so many bytes left."""
    space = os.statvfs(path.parent)
    with open(path, "wb") as file:
        file.write(bytes(max(0, space.f_bavail * space.f_frsize - left_bytes)))


def read_only(place: Path, each: int, rng: np.random.Generator, tally: Tally) -> None:
    """A folder on a disk that may only be read; for some runs it holds the inputs too."""
    with file_system(place, "size=1m") as disk:
        target = disk / "target"
        target.mkdir()
        made = commands(place, target)
        was = before(place, target)
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
        for name, command in made.items():
            found = run_command(command)
            wrong = complaint(found, was, target)
            tally.take(name, found, wrong if found.code else "it says that it is done")


def changing_input(place: Path, each: int, rng: np.random.Generator, tally: Tally) -> None:
    """Files that are written anew, cut and put back while commands read them."""
    target = place / "target"
    target.mkdir()
    codec = vaecodec.Codec.load(TINY)
    sets = [rng.integers(0, 256, (64, 28, 28), dtype=np.uint8) for _ in range(2)]
    decoded = [codec.lossy.synthesise(codec.lossy.analyse(images)) for images in sets]
    versions: dict[str, list[bytes]] = {"in.vaea": [], "in.png": [], "in.vae": []}
    for images in sets:
        with vaecodec.ArchiveWriter.create(place / "made.vaea", codec, block_images=8, overwrite=True) as writer:
            writer.add_batch(images)
        versions["in.vaea"].append((place / "made.vaea").read_bytes())
        Image.fromarray(images[0]).save(place / "made.png")
        versions["in.png"].append((place / "made.png").read_bytes())
        versions["in.vae"].append(codec.compress(images[0]))

    def right(name: str, output: Path) -> bool:
        if name == "in.vaea":
            with np.load(output) as arrays:
                numbers, found = arrays["number"] if "number" in arrays else range(64), arrays["images"]
            return all(any(np.array_equal(one, of[k]) for of in decoded) for k, one in zip(numbers, found, strict=True))
        if name == "in.png":
            return output.read_bytes() in versions["in.vae"]
        return any(np.array_equal(np.asarray(Image.open(output)), of[0]) for of in decoded)

    jobs = {
        "in.vaea": (["archive", "extract", str(place / "in.vaea"), "OUT", "--model", TINY], target / "a.npz"),
        "in.png": (["compress", str(place / "in.png"), "OUT", "--model", TINY], target / "a.vae"),
        "in.vae": (["decompress", str(place / "in.vae"), "OUT", "--model", TINY], target / "a.png"),
    }
    for name, (words, output) in jobs.items():
        path = place / name
        command = [str(output) if word == "OUT" else word for word in words]
        path.write_bytes(versions[name][0])
        import_what_it_uses(command)
        for _ in range(each):
            output.unlink(missing_ok=True)
            with changing(path, versions[name], rng):
                found = run_command(command)
            wrong = None
            if output.exists() and not right(name, output):
                wrong = "an output that no version of the input gives"
            tally.take(name, found, wrong)


@contextmanager
def changing(path: Path, versions: Sequence[bytes], rng: np.random.Generator) -> Iterator[None]:
    """Within it, a file is now one version, now another, now a part of one; in place, as by a careless writer."""
    stop = threading.Event()

    def change() -> None:
        while not stop.is_set():
            data = versions[int(rng.integers(len(versions)))]
            with open(path, "r+b") as file:
                file.write(data)
                file.truncate()
            time.sleep(float(rng.random()) * 0.01)
            if rng.random() < 0.5:
                os.truncate(path, int(rng.integers(0, len(data))))
                time.sleep(float(rng.random()) * 0.01)

    thread = threading.Thread(target=change)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def closed_pipes(place: Path, each: int, rng: np.random.Generator, tally: Tally) -> None:
    """Standard output is a pipe that nobody reads, a full device, or closed."""
    target = place / "target"
    target.mkdir()
    commands(place, target)  # for their inputs
    to_output = {
        "compress": ["compress", DIGIT, "-", "--model", TINY],
        "decompress": ["decompress", str(place / "digit.vae"), "-", "--model", TINY],
        "archive create": ["archive", "create", "-", str(place / "images.npz"), "--model", TINY],
        "archive list": ["archive", "list", str(place / "a.vaea")],
        "models": ["models", "--json"],
    }
    for name, command in to_output.items():
        import_what_it_uses(command)
        for how, prepare in OUTPUTS.items():
            found = run_command(command, prepare=prepare)
            if how == QUIET and not found.errors:  # who has gone is told nothing
                found = replace(found, errors="vaecodec: error: quiet")
            tally.take(f"{name}, {how}", found, None if found.code else "it says that it is done")


def nobody_reads() -> None:
    """Standard output becomes a pipe whose reader has gone."""
    reading, writing = os.pipe()
    os.dup2(writing, 1)
    os.close(writing)
    os.close(reading)


def full_device() -> None:
    """Standard output becomes a device that is always full."""
    os.dup2(os.open("/dev/full", os.O_WRONLY), 1)


QUIET = "nobody reads"
OUTPUTS: dict[str, Callable[[], None]] = {QUIET: nobody_reads, "full": full_device}
KINDS: dict[str, Callable[[Path, int, np.random.Generator, Tally], Any]] = {
    "files limited in size": limited_files,
    "training with files limited in size": limited_training,
    "full disk": full_disk,
    "read-only disk": read_only,
    "input that changes": changing_input,
    "closed pipes": closed_pipes,
}

if __name__ == "__main__":
    sys.exit(main())
