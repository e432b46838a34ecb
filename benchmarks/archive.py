"""Archives against their bars: size, opening, one image, creation and reading as they grow, a training epoch.

    python -m benchmarks.archive [--model mnist] [--level 14] [--effort 0 1] [--scale 1000 60000 700000] [--epoch]

Writes results/archive.json. `--scale` uses procedural dSprites, drawn as they are needed, so that memory says something
about the archive; they are cropped to the size that `--model-scale` takes.
"""

import argparse
import resource
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.measuring.machine import RESULTS, write_results
from vaecodec.archive.reader import Archive
from vaecodec.archive.writer import ArchiveWriter
from vaecodec.codec.codec import Codec
from vaecodec.codec.target import Setting
from vaecodec.data import load_dataset
from vaecodec.data.dsprites_factors import classes_of
from vaecodec.data.dsprites_renderer import render
from vaecodec.evaluation.distortion import mse, psnr_db_from_mse

SEED = 0
ROWS = 737_280
RENDER_BATCH = 512
RANDOM_READS = 300
LEAST_PSNR_DB, MOST_BYTES = 22.8, 14.5  # the bar of MNIST, without names


def peak_memory_mb() -> float:
    """The most that this process has held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def measure_size(codec: Codec, images: NDArray[np.uint8], setting: Setting, folder: Path) -> dict[str, Any]:
    """One archive without names of all images: bytes, and what the bars allow."""
    path, level = folder / f"size-{setting.level}-{setting.effort}.vaea", setting.level
    started = time.perf_counter()
    with ArchiveWriter.create(path, codec, level=level, effort=setting.effort) as writer:
        writer.add_batch(images)
    created_s = time.perf_counter() - started
    symbols = codec.lossy.choose_symbols(codec.frame.fit_all(images), setting)
    information_bytes = float(codec.lossy.information_bits(symbols, level).sum()) / 8
    with Archive(path, model=codec) as archive:
        blocks = archive.info().blocks
        started = time.perf_counter()
        errors = np.concatenate([mse(images[n : n + len(p)], np.stack(p)) for n, p in archive.readable()])
        read_s = time.perf_counter() - started
        block_bytes = archive.info().block_bytes
    file_bytes, allowed = path.stat().st_size, 1.01 * information_bytes + 16 * blocks
    psnr = float(psnr_db_from_mse(errors.mean()))
    return {
        "images": len(images),
        "level": level,
        "effort": setting.effort,
        "psnr_db": psnr,
        "file_bytes": file_bytes,
        "file_bytes_per_image": file_bytes / len(images),
        "information_bytes_per_image": information_bytes / len(images),
        "overhead_bytes_per_block": (block_bytes - information_bytes) / blocks,
        "allowed_bytes_per_image": allowed / len(images),
        "within_bar": file_bytes <= allowed,
        "small_at_its_psnr": bool(psnr >= LEAST_PSNR_DB and file_bytes <= MOST_BYTES * len(images)),
        "created_images_per_s": len(images) / created_s,
        "read_images_per_s": len(images) / read_s,
    }


def drawn(count: int, size: tuple[int, int]) -> Iterator[NDArray[np.uint8]]:
    """Distinct procedural dSprites in a random order, a few at a time, cropped around the middle to (height, width)."""
    rows = np.random.default_rng(SEED).permutation(ROWS)[:count]
    top, left = ((64 - side) // 2 for side in size)
    for start in range(0, count, RENDER_BATCH):
        images = render(classes_of(rows[start : start + RENDER_BATCH]))
        yield from np.ascontiguousarray(images[:, top : top + size[0], left : left + size[1]])


def measure_scale(codec: Codec, count: int, level: int, folder: Path) -> dict[str, Any]:
    """Creation, opening, reading in order and at random of one archive of so many named images."""
    path, size = folder / f"scale-{count}.vaea", codec.geometry
    started, cpu = time.perf_counter(), time.process_time()
    with ArchiveWriter.create(path, codec, level=level) as writer:
        for number, image in enumerate(drawn(count, size)):
            writer.add(image, f"image/{number:06d}.png", number)
    created_s, created_cpu_s, peak = time.perf_counter() - started, time.process_time() - cpu, peak_memory_mb()
    opened_ms = min(_opening_ms(path, codec) for _ in range(5))
    with Archive(path, model=codec) as archive:
        started = time.perf_counter()
        seen = sum(1 for _ in archive)
        read_s = time.perf_counter() - started
        blocks = archive.info().blocks
    if seen != count:
        raise AssertionError(f"{seen} of {count} images came back")
    return {
        "images": count,
        "blocks": blocks,
        "file_bytes": path.stat().st_size,
        "created_s": created_s,
        "created_cpu_s": created_cpu_s,
        "created_images_per_s": count / created_s,
        "peak_memory_mb_after_creation": peak,
        "opened_ms": opened_ms,
        "read_images_per_s": count / read_s,
        "peak_memory_mb": peak_memory_mb(),
        **_random_access(path, codec, count),
    }


def _opening_ms(path: Path, codec: Codec) -> float:
    started = time.perf_counter()
    with Archive(path, model=codec):
        return 1000 * (time.perf_counter() - started)


def _random_access(path: Path, codec: Codec, count: int) -> dict[str, float]:
    """One image from a block that was not decoded before, and from one that was; by number and by name."""
    rng = np.random.default_rng(SEED)
    with Archive(path, model=codec, cache_bytes=1) as archive:
        archive[0]
        fresh = [_timed_ms(archive, int(k)) for k in rng.integers(0, count, RANDOM_READS)]
        named = [_timed_ms(archive, f"image/{k:06d}.png") for k in rng.integers(0, count, RANDOM_READS)]
        kept = [_timed_ms(archive, count - 1) for _ in range(RANDOM_READS)][1:]
    results = {"by_number_other_block": fresh, "by_name_other_block": named, "same_block": kept}
    return {
        f"one_image_{what}_ms_{name}": float(np.percentile(times, q))
        for what, times in results.items()
        for name, q in (("median", 50), ("p95", 95))
    }


def _timed_ms(archive: Archive, key: int | str) -> float:
    started = time.perf_counter()
    archive[key]
    return 1000 * (time.perf_counter() - started)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and store; see the head of this file."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.archive", description=__doc__.partition("\n")[0])
    parser.add_argument("--data", default="mnist")
    parser.add_argument("--split", default="test")
    parser.add_argument("--images", type=int, help="only the first so many of the split")
    parser.add_argument("--model", default="mnist", help="name or file")
    parser.add_argument("--model-scale", help="of the growing archives; default: --model")
    parser.add_argument("--level", type=int, nargs="+", help="default: the model's default level")
    parser.add_argument("--effort", type=int, nargs="+", default=[0])
    parser.add_argument("--scale", type=int, nargs="*", default=[1000, 10_000, 60_000, 700_000])
    parser.add_argument("--epoch", action="store_true", help="time a DataLoader's epoch beside PNG files (needs torch)")
    parser.add_argument("--out", type=Path, default=RESULTS / "archive.json")
    options = parser.parse_args(arguments)
    dataset, codec = load_dataset(options.data, options.split), Codec.load(options.model)
    results: dict[str, Any] = {"data": {"name": dataset.name, "split": dataset.split}, "model": codec.model.name}
    images = dataset.images[: options.images]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        growing = Codec.load(options.model_scale) if options.model_scale else codec
        results["scale_model"], results["scale"] = growing.model.name, []
        for count in options.scale:
            results["scale"].append(measure_scale(growing, count, growing.model.default_level, folder))
            print(results["scale"][-1], file=sys.stderr)
        # After the growing archives, whose memory is what the process has held at the most until then.
        levels = options.level or [codec.model.default_level]
        settings = [Setting(level, effort) for effort in options.effort for level in levels]
        results["size"] = [measure_size(codec, images, setting, folder) for setting in settings]
        print(results["size"], file=sys.stderr)
        if options.epoch:
            from benchmarks.studies.archive_epoch import measure_epoch

            results["epoch"] = measure_epoch(codec, images, dataset.labels, levels[0], folder)
            print(results["epoch"], file=sys.stderr)
    write_results(options.out, results, seed=SEED)
    print(options.out)


if __name__ == "__main__":
    main()
