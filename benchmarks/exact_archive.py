"""Exact archives at random: shuffled epochs beside reading in order, and what blocks cost: exact-archive.json.

    python -m benchmarks.exact_archive [--data mnist] [--images 10000] [--workers 0 2] [--blocks 16 32 64 128]

Needs torch. Each epoch begins with nothing decoded; seconds are of the wall, the workers' start included.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.utils.data import DataLoader

from benchmarks.measuring.machine import RESULTS, write_results
from vaecodec.archive.reader import Archive
from vaecodec.archive.writer import ArchiveWriter
from vaecodec.arrays import Pixels
from vaecodec.codec.codec import Codec
from vaecodec.codec.target import Target
from vaecodec.data import load_dataset
from vaecodec.integrations.torch_dataset import ArchiveDataset

SEED = 0
BATCH = 128
LARGEST_RATIO = 3.0
BLOCK_SAMPLE = 1024  # images of each archive whose blocks are of another size


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and store; 1 where a shuffled epoch takes longer than the bar allows, else 0."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.exact_archive", description=__doc__.partition("\n")[0])
    parser.add_argument("--data", default="mnist")
    parser.add_argument("--model", default="mnist")
    parser.add_argument("--images", type=int, default=10_000)
    parser.add_argument("--workers", type=int, nargs="+", default=[0, 2])
    parser.add_argument("--blocks", type=int, nargs="*", default=[16, 32, 64, 128])
    parser.add_argument("--out", type=Path, default=RESULTS / "exact-archive.json")
    options = parser.parse_args(arguments)
    images = load_dataset(options.data, "train").images[: options.images]
    codec = Codec.load(options.model)
    with tempfile.TemporaryDirectory(prefix="vaecodec-exact-archive-") as name:
        folder = Path(name)
        blocks = [measure_block(codec, images[:BLOCK_SAMPLE], size, folder) for size in options.blocks]
        path = folder / "epoch.vaea"
        created_s = create(path, codec, images, None)
        in_order_s = read_in_order(path, codec, images)
        shuffled = [{"workers": count, "seconds": shuffled_epoch(path, codec, count)} for count in options.workers]
        size_bytes = path.stat().st_size
    ratios = [one["seconds"] / in_order_s for one in shuffled]
    result = {
        "data": options.data,
        "model": codec.model.name,
        "images": len(images),
        "file_bytes_per_image": size_bytes / len(images),
        "created_s": created_s,
        "in_order_s": in_order_s,
        "shuffled": [{**one, "ratio": ratio} for one, ratio in zip(shuffled, ratios, strict=True)],
        "largest_ratio": LARGEST_RATIO,
        "holds": max(ratios) <= LARGEST_RATIO,
        "blocks": blocks,
    }
    write_results(options.out, result, seed=SEED)
    print(f"{options.out}: {in_order_s:.1f} s in order, shuffled {', '.join(f'{ratio:.2f} ×' for ratio in ratios)}")
    return 0 if result["holds"] else 1


def create(path: Path, codec: Codec, images: Pixels, block_images: int | None) -> float:
    """Seconds to make an exact archive, with numbers as labels."""
    started = time.perf_counter()
    with ArchiveWriter.create(path, codec, target=Target(max_error=0), block_images=block_images) as writer:
        writer.add_batch(images, labels=range(len(images)))
    return time.perf_counter() - started


def read_in_order(path: Path, codec: Codec, images: Pixels) -> float:
    """Seconds to read all images once. Raises AssertionError where one is not exact."""
    started = time.perf_counter()
    with Archive(path, model=codec) as archive:
        read = list(archive)
    elapsed_s = time.perf_counter() - started
    if not np.array_equal(np.stack(read), images):
        raise AssertionError("an exact archive gave back other pixels")
    return elapsed_s


def shuffled_epoch(path: Path, codec: Codec, workers: int) -> float:
    """Seconds of a DataLoader's first epoch."""
    generator = torch.Generator().manual_seed(SEED)
    started = time.perf_counter()
    dataset = ArchiveDataset(Archive(path, model=codec))
    loader = DataLoader(dataset, batch_size=BATCH, shuffle=True, num_workers=workers, generator=generator)
    seen = torch.cat([labels for _, labels in loader])
    elapsed_s = time.perf_counter() - started
    if sorted(seen.tolist()) != list(range(len(dataset))):
        raise AssertionError("an epoch that has not every image once")
    return elapsed_s


def measure_block(codec: Codec, images: Pixels, block_images: int, folder: Path) -> dict[str, Any]:
    """Bytes an image of an archive of such blocks, and CPU seconds to read an image of a block not decoded before."""
    path = folder / f"{block_images}.vaea"
    create(path, codec, images, block_images)
    with Archive(path, model=codec) as archive:
        archive[0]
        others = range(block_images, len(images), max(block_images, len(images) // 8))
        started = time.process_time()
        for number in others:
            archive[number]
        spent_s = time.process_time() - started
    size_bytes = path.stat().st_size
    return {
        "block_images": block_images,
        "file_bytes_per_image": size_bytes / len(images),
        "one_image_cpu_s": spent_s / len(others),
    }


if __name__ == "__main__":
    sys.exit(main())
