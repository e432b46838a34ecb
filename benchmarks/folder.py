"""`vaecodec train FOLDER`, nothing else said, against WebP: results/folder-fashion.json, results/folder-colour.json.

    apt-get install dataset-fashion-mnist                   (Debian, Ubuntu: IDX files in /usr/share/datasets)
    python -m benchmarks.folder fashion [--source DIR] [--work DIR] [train's own options, after --]
    python -m benchmarks.folder colour [--source DIR]       (packs of photograph crops; default $VAECODEC_DATA/photos)

fashion: Fashion-MNIST's training images as PNGs; measured on its own test images. colour: squares of 32x32 pixels cut
from photographs, at places drawn once; measured on all squares of photographs that no training square is of. The
command is the README's, with no option, and ends within ten minutes. A folder or a model that is there already is used
as it is. Needs vaecodec[bench,train], installed.
"""

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from benchmarks.measuring.images import Images, evenly_spaced
from benchmarks.measuring.machine import RESULTS, write_results
from benchmarks.measuring.measure import SetPoint, levels_to_measure, measure_set
from benchmarks.measuring.points import measure_classical
from benchmarks.measuring.runs import runs_folder
from benchmarks.measuring.timing import CONSOLE_SCRIPT
from vaecodec.codec.codec import Codec
from vaecodec.data.mnist import file_names, find_idx, read_idx
from vaecodec.data.photographs import read_pack
from vaecodec.evaluation.bd import bd_rate_of_points
from vaecodec.evaluation.classical import classical_codecs
from vaecodec.evaluation.rd import bytes_at_psnr

TIME_LIMIT_S = 600
RANGE_DB, STEP_DB = (20.0, 30.0), 0.25  # where the bars are asked for
MOST_FILE_PER_CENT, MOST_PAYLOAD_PER_CENT = -30.0, 0.0  # the BD-rates that are asked for
SIDE, SQUARES_A_CROP = 32, 20
TRAINING_PACKS, TEST_PACK = ("photos-a.npz", "photos-a2.npz"), "photos-b.npz"
Point = tuple[float, float]  # (PSNR in dB, bytes)


@dataclass(frozen=True, slots=True)
class Kind:
    """A set of pictures: where they lie by default, and how the training and the test images are read."""

    source: Path
    read: Callable[[Path, str], Images]
    said: str


def read_fashion(source: Path, split: str) -> Images:
    """The images of an IDX file: split "train" or "test"; uint8 (n, 28, 28). Raises DatasetMissing, BadDataset."""
    return read_idx(find_idx(source, file_names(split)[0]), dimensions=3)[0]


def read_colour(source: Path, split: str) -> Images:
    """Squares of photograph crops: uint8 (n, 32, 32, 3); some of each training crop, all of each test crop."""
    rng, found = np.random.default_rng(0), []
    for name in TRAINING_PACKS if split == "train" else (TEST_PACK,):
        for crop in read_pack(source / name):
            rows, columns = (side // SIDE for side in crop.shape[:2])
            apart = crop.reshape(rows, SIDE, columns, SIDE, 3).swapaxes(1, 2).reshape(-1, SIDE, SIDE, 3)
            found.append(apart[rng.choice(len(apart), SQUARES_A_CROP, replace=False)] if split == "train" else apart)
    return np.concatenate(found)


KINDS = {
    "fashion": Kind(Path("/usr/share/datasets/fashion-mnist"), read_fashion, "Debian dataset-fashion-mnist"),
    "colour": Kind(Path(os.environ.get("VAECODEC_DATA", ".")) / "photos", read_colour, "squares of photographs"),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Unpack, train, measure, store; 1 where a bar is missed, else 0."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.folder", description=__doc__.partition("\n")[0])
    parser.add_argument("kind", choices=KINDS)
    parser.add_argument("--source", type=Path, help="the IDX files, or the packs of crops")
    parser.add_argument("--work", type=Path, help="folder of PNGs and run; default RUNS/KIND")
    parser.add_argument("--limit", type=int, help="only so many images; for trying the script")
    parser.add_argument("--out", type=Path, help="default: results/folder-KIND.json")
    parser.add_argument("train", nargs="*", help="options of vaecodec train")
    options = parser.parse_args(arguments)
    if not CONSOLE_SCRIPT.is_file():
        parser.error(f"{CONSOLE_SCRIPT} is not there: install the package first (make venv)")
    kind = KINDS[options.kind]
    source, work = options.source or kind.source, options.work or runs_folder() / options.kind
    unpack_images(kind.read(source, "train")[: options.limit], work / options.kind)
    command, seconds, model = train(work, options.kind, options.train)
    test = kind.read(source, "test")
    test = evenly_spaced(test, options.limit or len(test))
    result = compare(measured_curve(Codec.load(model), test), webp_points(test))
    stored = {
        "data": {"name": options.kind, "source": kind.said, "images": len(test), "shape": list(test.shape[1:])},
        "train_command": command,
        "train_process_s": seconds,
        "time_limit_s": TIME_LIMIT_S,
        "model_bytes": model.stat().st_size,
        **result,
    }
    stored["holds"] = result["holds"] and (seconds is None or seconds <= TIME_LIMIT_S)
    out = options.out or RESULTS / f"folder-{options.kind}.json"
    write_results(out, stored, seed=0)
    print(out)
    return 0 if stored["holds"] else 1


def unpack_images(images: Images, folder: Path) -> None:
    """The training images as a folder of PNGs; one that is complete is left as it is."""
    folder.mkdir(parents=True, exist_ok=True)
    if sum(1 for _ in folder.glob("*.png")) < len(images):
        for k, image in enumerate(images):
            Image.fromarray(image).save(folder / f"{k:05}.png")


def train(work: Path, name: str, more: Sequence[str]) -> tuple[str, float | None, Path]:
    """The command as a person would type it, the seconds it took (None where it was done before), and the model file.

    Raises CalledProcessError where it fails.
    """
    arguments = ["train", name, *more]
    said = " ".join(["vaecodec", *arguments])
    there = sorted(work.glob("runs/*/*.vaem"))
    if there:
        return said, None, there[0]
    started = time.monotonic()
    subprocess.run([str(CONSOLE_SCRIPT), *arguments], check=True, cwd=work)
    seconds = time.monotonic() - started
    (model,) = work.glob("runs/*/*.vaem")
    return said, seconds, model


def measured_curve(codec: Codec, images: Images) -> list[dict[str, Any]]:
    """Every level of the model on the images."""
    found = []
    for level in levels_to_measure(codec.model, 1):
        point: SetPoint = measure_set(codec, images, level)
        print(f"level {level}: {point.file_bytes:.1f} B, {point.psnr_db:.2f} dB", file=sys.stderr)
        found.append({"level": level, "beta": codec.model.levels[level].beta, **asdict(point)})
    return found


def webp_points(images: Images) -> list[dict[str, Any]]:
    """WebP at each of its settings: whole files, and what is left of them without the container."""
    points = [measure_classical(codec, images) for codec in classical_codecs(["WebP"]) if not codec.lossless]
    return [point.to_dict() for point in points]


def compare(ours: Sequence[dict[str, Any]], webp: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Our files against WebP's over RANGE_DB, as far as it has files that are so poor.

    Where WebP cannot go so low, its smallest file stands; BD-rates are over what both curves cover.
    """
    mine = [(point["psnr_db"], point["file_bytes"]) for point in ours]
    files, payloads = (
        [(point["psnr_db"], point[key]) for point in webp if point["psnr_db"] is not None]
        for key in ("file_bytes", "payload_bytes")
    )
    places = np.arange(RANGE_DB[0], RANGE_DB[1] + STEP_DB / 2, STEP_DB).tolist()
    above = [db for db in places if not _is_below(db, mine, files)]
    between = max(RANGE_DB[0], min(files)[0], min(mine)[0]), min(RANGE_DB[1], max(files)[0], max(mine)[0])
    against = {
        name: bd_rate_of_points(_turned(rival), _turned(mine), between_db=between)
        for name, rival in (("files", files), ("payload", payloads))
    }
    return {
        "levels": list(ours),
        "webp": list(webp),
        "not_below_webp_at_db": above,
        "bd_between_db": between,
        "bd_rate_against_webp_files_per_cent": against["files"],
        "bd_rate_against_webp_payload_per_cent": against["payload"],
        "holds": not above
        and against["files"] <= MOST_FILE_PER_CENT
        and against["payload"] <= MOST_PAYLOAD_PER_CENT
        and between[1] == RANGE_DB[1],
    }


def _is_below(psnr_db: float, mine: Sequence[Point], webp: Sequence[Point]) -> bool:
    """Whether our files are smaller at a PSNR; ours must come so high."""
    try:
        return bytes_at_psnr(psnr_db, mine)[0] < bytes_at_psnr(psnr_db, webp)[0]
    except ValueError:
        return False


def _turned(points: Sequence[Point]) -> list[Point]:
    return [(rate, quality) for quality, rate in points]


if __name__ == "__main__":
    sys.exit(main())
