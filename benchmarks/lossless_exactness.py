"""Do lossless files decode to the same pixels whatever evaluates the networks: results/lossless-exactness-DATA.json.

    python -m benchmarks.lossless_exactness --data mnist --model mnist [--images 1000]

    streams ─┬─ numpy, 1 and 2 BLAS threads, batches of 1, 16, 64, a process each ──────────┐
             └─ torch, float32 and float64, oneDNN on and off, batches of 1, 16, 64 ────────┴─> SHA-256 of all pixels

All must have the hash of the images that were compressed. Needs vaecodec[bench,train].
"""

import argparse
import hashlib
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import numpy as np

from benchmarks.measuring.exact_files import EXACTLY
from benchmarks.measuring.images import DATA, Images, evenly_spaced
from benchmarks.measuring.machine import RESULTS, write_results
from benchmarks.measuring.workers import THREADS, run_worker
from vaecodec.bitstream.stream import CODED_EXACTLY, unpack
from vaecodec.codec.codec import Codec
from vaecodec.data import load_dataset
from vaecodec.pixels.coder import decode_payloads
from vaecodec.pixels.near_lossless import Bins

IMAGES = 1000
BATCHES = (1, 16, 64)
WORKER = "benchmarks.measuring.lossless_exactness_worker"


@dataclass(frozen=True, slots=True)
class Engine:
    """How the networks were evaluated, and whether the pixels were those that had been compressed."""

    name: str
    batch: int
    equal: bool
    threads: int | None = None
    dtype: str | None = None
    onednn: bool | None = None


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and store; 1 where an engine gives other pixels, else 0."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.lossless_exactness", description=__doc__)
    parser.add_argument("--data", choices=DATA, required=True)
    parser.add_argument("--model", required=True, help="name or file")
    parser.add_argument("--images", type=int, default=IMAGES, help="evenly spaced over the test set")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args(arguments)
    images = evenly_spaced(load_dataset(options.data, "test").images, options.images)
    engines, stored = compare_engines(options.model, images)
    results = {"model": Codec.load(options.model).model.name, "images": len(images), "stored": stored}
    equal = all(engine.equal for engine in engines)
    path = options.out or RESULTS / f"lossless-exactness-{options.data}.json"
    write_results(path, {**results, "engines": [asdict(engine) for engine in engines], "all_equal": equal}, seed=None)
    print(path)
    return 0 if equal else 1


def compare_engines(model: str, images: Images) -> tuple[list[Engine], int]:
    """Every engine over the streams of images (n, h, w), and how many of these are stored, not coded."""
    codec = Codec.load(model)
    streams = codec.compress_batch(images, target=EXACTLY)
    coded = [k for k, data in enumerate(streams) if unpack(data).coding in CODED_EXACTLY]
    engines = [*in_numpy(model, streams, images), *in_torch(codec, [streams[k] for k in coded], images[coded])]
    return engines, len(streams) - len(coded)


def in_numpy(model: str, streams: Sequence[bytes], images: Images) -> Iterator[Engine]:
    """The runtime itself, in a process for each number of threads: it is read when numpy starts."""
    expected = hashlib.sha256(images.tobytes()).hexdigest()
    with tempfile.TemporaryDirectory(prefix="vaecodec-exact-") as folder:
        paths = [Path(folder) / f"{k:06}.vae" for k in range(len(streams))]
        for path, data in zip(paths, streams, strict=True):
            path.write_bytes(data)
        for threads in THREADS:
            for batch, found in run_worker(WORKER, [model, folder, *map(str, BATCHES)], threads).items():
                yield Engine("numpy", int(batch), found == expected, threads=threads)


def in_torch(codec: Codec, streams: Sequence[bytes], images: Images) -> Iterator[Engine]:
    """The same operations by torch's kernels."""
    import torch

    from benchmarks.measuring.torch_evaluator import evaluate_in_torch

    part, payloads = codec.lossless.part, [unpack(data).payload for data in streams]
    for dtype in (torch.float32, torch.float64):
        for onednn in (True, False):
            for batch in BATCHES:
                engine = partial(evaluate_in_torch, batch=batch, dtype=dtype)
                with torch.backends.mkldnn.flags(enabled=onednn):
                    _, padded = decode_payloads(part, Bins(0), [1] * len(payloads), payloads, engine)
                found = padded[:, : images.shape[1], : images.shape[2]]
                yield Engine("torch", batch, np.array_equal(found, images), dtype=str(dtype), onednn=onednn)


if __name__ == "__main__":
    sys.exit(main())
