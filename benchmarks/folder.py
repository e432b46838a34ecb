"""`vaecodec train FOLDER` on images of another kind, Fashion-MNIST as PNGs, against WebP: results/folder-fashion.json.

    apt-get install dataset-fashion-mnist                   (Debian, Ubuntu: IDX files in /usr/share/datasets)
    python -m benchmarks.folder [--source DIR] [--work DIR] [train's own options, after --]

Unpacks the training images into a folder of PNGs, trains with the command that the README shows, in at most ten
minutes, and measures the model on Fashion-MNIST's own test images, which the training has never seen. A folder or a
model that is there already is used as it is. Needs vaecodec[bench,train], installed.
"""

import argparse
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PIL import Image

from benchmarks.measuring.checks import bytes_at_psnr
from benchmarks.measuring.images import Images, evenly_spaced
from benchmarks.measuring.machine import RESULTS, write_results
from benchmarks.measuring.measure import ModelPoint, measure_model
from benchmarks.measuring.points import describe, measure_classical
from benchmarks.measuring.runs import last_metrics, runs_folder
from benchmarks.measuring.timing import CONSOLE_SCRIPT
from vaecodec.codec.codec import Codec
from vaecodec.data.mnist import file_names, find_idx, read_idx
from vaecodec.evaluation.classical import classical_codecs
from vaecodec.evaluation.rd import RatePoint

SOURCE = Path("/usr/share/datasets/fashion-mnist")
NAME = "fashion"
TIME_LIMIT_S = 600


def main(arguments: Sequence[str] | None = None) -> int:
    """Unpack, train, measure, store; 1 where the bar is missed, else 0."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.folder", description=__doc__.partition("\n")[0])
    parser.add_argument("--source", type=Path, default=SOURCE, help="the IDX files")
    parser.add_argument("--work", type=Path, help="folder of PNGs and run; default RUNS/fashion")
    parser.add_argument("--limit", type=int, help="only so many images; for trying the script")
    parser.add_argument("--out", type=Path, default=RESULTS / "folder-fashion.json")
    parser.add_argument("train", nargs="*", help="options of vaecodec train")
    options = parser.parse_args(arguments)
    if not CONSOLE_SCRIPT.is_file():
        parser.error(f"{CONSOLE_SCRIPT} is not there: install the package first (make venv)")
    work = options.work or runs_folder() / "fashion"
    images = unpack_images(options.source, work / "images", options.limit)
    command, seconds, model = train(images, work / "run", options.train)
    test = read_images(options.source, "test")
    test = evenly_spaced(test, options.limit or len(test))
    point = measure_model(Codec.load(model), model, test, last_metrics(model.parent))
    print(describe(point.point), file=sys.stderr)
    webp = [measure_classical(codec, test) for codec in classical_codecs(["WebP"]) if not codec.lossless]
    result = compare(point, webp)
    stored = {
        "data": {"name": "fashion-mnist", "source": "Debian dataset-fashion-mnist", "images": len(test)},
        "train_command": command,
        "train_process_s": seconds,
        "time_limit_s": TIME_LIMIT_S,
        **result,
    }
    write_results(options.out, stored, seed=0)
    print(options.out)
    return 0 if result["holds"] else 1


def read_images(source: Path, split: str) -> Images:
    """The images of an IDX file: split "train" or "test"; uint8 (n, 28, 28). Raises DatasetMissing, BadDataset."""
    return read_idx(find_idx(source, file_names(split)[0]), dimensions=3)[0]


def unpack_images(source: Path, folder: Path, limit: int | None) -> Path:
    """The training images as a folder of PNGs; one that is complete is left as it is."""
    images = read_images(source, "train")[:limit]
    folder.mkdir(parents=True, exist_ok=True)
    if sum(1 for _ in folder.glob("*.png")) < len(images):
        for k, image in enumerate(images):
            Image.fromarray(image).save(folder / f"{k:05}.png")
    return folder


def train(images: Path, run: Path, more: Sequence[str]) -> tuple[str, float | None, Path]:
    """The command as a person would type it, the seconds it took (None where it was done before), and the model file.

    Raises TimeoutExpired after ten minutes, CalledProcessError where it fails.
    """
    arguments = ["train", str(images), "--name", NAME, "--out", str(run), *more]
    said = " ".join(["vaecodec", "train", images.name, "--name", NAME, *more])
    model = run / f"{NAME}.vaem"
    if model.is_file():
        return said, None, model
    started = time.monotonic()
    subprocess.run([str(CONSOLE_SCRIPT), *arguments], check=True, timeout=TIME_LIMIT_S)
    return said, time.monotonic() - started, model


def compare(ours: ModelPoint, webp: Sequence[RatePoint]) -> dict[str, Any]:
    """Our files against WebP's at our PSNR; where WebP has no point so low, against its smallest file."""
    if ours.point.psnr_db is None:
        raise ValueError("the model is exact on every image: compare with lossless WebP")
    curve = [(point.psnr_db, point.file_bytes) for point in webp if point.psnr_db is not None]
    webp_bytes, at_the_floor = bytes_at_psnr(ours.point.psnr_db, curve)
    return {
        "model": ours.to_dict(),
        "webp": [point.to_dict() for point in webp],
        "webp_bytes_at_our_psnr": webp_bytes,
        "webp_cannot_go_so_low": at_the_floor,
        "holds": ours.point.file_bytes < webp_bytes,
    }


if __name__ == "__main__":
    sys.exit(main())
