"""Does every file decode to exactly what was encoded, and at what cost above the information: results/exactness.json.

    python -m benchmarks.exactness [--data mnist] [--model FILE] [--every K] [--limit N] [--out FILE]

For every test image with the released model of its data set, at the default level or, with --every, at every K-th:
- decoded symbols equal the encoder's, and pixels equal those that the synthesis gives for the encoder's symbols at
  batch 1; the same in processes with 1 and 2 threads, at batches of 1 and 64;
- pixels against torch evaluating the same network;
- payload against information content under the stored tables, over the set and image by image; bytes beside payload.
Needs vaecodec[bench,train].
"""

import argparse
import hashlib
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import vaecodec
from benchmarks.measuring.images import DATA, Images, describe_set, evenly_spaced
from benchmarks.measuring.machine import RESULTS, write_results
from benchmarks.measuring.measure import levels_to_measure, lossy_streams, through_files
from benchmarks.measuring.workers import THREADS, run_worker
from vaecodec.arrays import Symbols
from vaecodec.bitstream.stream import unpack
from vaecodec.codec.codec import Codec
from vaecodec.data import load_dataset

BATCHES = (1, 64)
WORKER = "benchmarks.measuring.exactness_worker"
MAX_OVERHEAD_BYTES = 9
CODING_LOSS = 1.01  # payload may exceed the information content by this factor
SET_SLACK_BITS, IMAGE_SLACK_BITS = 4.0, 12.0  # ... and by so many bits an image
TORCH_SHARE = 1e-4  # pixels that may differ from torch, by one level


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and store; 1 where a bar is missed, else 0."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.exactness", description=__doc__.partition("\n")[0])
    parser.add_argument("--data", choices=DATA, action="append", help="default: both")
    parser.add_argument("--model", help="name or file; default: the alias that has the data set's name")
    parser.add_argument("--every", type=int, help="every so many levels, first and last among them")
    parser.add_argument("--limit", type=int, help="only so many images, evenly spaced; for trying the script")
    parser.add_argument("--out", type=Path, default=RESULTS / "exactness.json")
    options = parser.parse_args(arguments)
    results: dict[str, dict[str, Any]] = {}
    for data in options.data or DATA:
        dataset = load_dataset(data, "test")
        images = evenly_spaced(dataset.images, options.limit or len(dataset.images))
        codec, levels = vaecodec.Codec.load(options.model or data), []
        for level in chosen_levels(codec, options.every):
            levels.append(measure(codec, options.model or data, images, level))
            print(f"{data}, level {level}: {levels[-1]['bars']}", file=sys.stderr)
        described = {**describe_set(dataset), "images": len(images)}
        results[data] = {"data": described, "model": codec.model.name, "levels": levels}
    write_results(options.out, {"results": results}, seed=None)
    print(options.out)
    kept = [all(level["bars"].values()) for result in results.values() for level in result["levels"]]
    return 0 if all(kept) else 1


def chosen_levels(codec: Codec, every: int | None) -> list[int]:
    """The model's default level, or every so many."""
    return [codec.model.default_level] if every is None else levels_to_measure(codec.model, every)


def measure(codec: Codec, model: str, images: Images, level: int) -> dict[str, Any]:
    """Everything about one level on images uint8 (n, h, w); `model` is what the codec was loaded by."""
    symbols = codec.lossy.analyse(images, level)
    pixels = np.concatenate([codec.lossy.synthesise(row[None], level) for row in symbols])  # batch 1: the reference
    files = through_files(lossy_streams(codec, images, level))
    decoded = np.stack(codec.decompress_batch(files.streams))
    found = np.stack([codec.lossy.parse(stream)[1] for stream in files.streams])
    result: dict[str, Any] = {
        "level": level,
        "beta": codec.model.levels[level].beta,
        "images_whose_symbols_differ": int((found != symbols).any(axis=1).sum()),
        "images_whose_pixels_differ": int((decoded != pixels).any(axis=(1, 2)).sum()),
        "processes": run_workers(model, level, images, symbols, hashlib.sha256(pixels.tobytes()).hexdigest()),
        "torch": compare_with_torch(codec, codec.lossy.synthesis_input(symbols, level), pixels),
        **coding_cost(
            codec.lossy.information_bits(symbols, level),
            files.sizes,
            [len(unpack(stream).payload) for stream in files.streams],
        ),
    }
    result["bars"] = bars(result)
    return result


def run_workers(model: str, level: int, images: Images, symbols: Symbols, reference: str) -> list[dict[str, Any]]:
    """Each thread count and batch size in a process of its own, compared with the pixels of batch 1 (`reference`)."""
    runs: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory(prefix="vaecodec-exact-") as folder:
        np.save(Path(folder) / "images.npy", images)
        np.save(Path(folder) / "symbols.npy", symbols)
        for threads in THREADS:
            for batch in BATCHES:
                said = run_worker(WORKER, [model, str(level), folder, str(batch)], threads)
                runs.append(
                    {
                        "threads": threads,
                        "batch": batch,
                        "images_whose_symbols_differ": said["images_whose_symbols_differ"],
                        "decompressed_equal": said["decompressed_sha256"] == reference,
                        "synthesised_equal": said["synthesised_sha256"] == reference,
                        "streams_sha256": said["streams_sha256"],
                    }
                )
    return runs


def compare_with_torch(codec: Codec, inputs: Symbols, pixels: Images) -> dict[str, Any]:
    """How many pixels differ from those that torch gives for these inputs, and by how many grey levels at most."""
    import torch

    from benchmarks.measuring.torch_evaluator import synthesise_in_torch

    difference = np.abs(synthesise_in_torch(codec.model.synthesis, inputs).astype(np.int16) - pixels)
    return {
        "threads": torch.get_num_threads(),
        "differing_share": float((difference != 0).mean()),
        "largest_difference": int(difference.max()),
    }


def coding_cost(information: NDArray[np.float64], file_sizes: list[int], payload_sizes: list[int]) -> dict[str, Any]:
    """Payload against information content (bits of each image), and everything else in a file, in bits and bytes."""
    payload = 8.0 * np.asarray(payload_sizes)
    overhead = np.asarray(file_sizes) - np.asarray(payload_sizes)
    return {
        "information_bits": float(information.mean()),
        "payload_bits": float(payload.mean()),
        "payload_bound_bits": float(CODING_LOSS * information.mean() + SET_SLACK_BITS),
        "largest_excess_of_an_image_bits": float((payload - CODING_LOSS * information).max()),
        "overhead_bytes": [int(overhead.min()), int(overhead.max())],
    }


def bars(result: dict[str, Any]) -> dict[str, bool]:
    """The promises, each kept or not."""
    runs = result["processes"]
    return {
        "symbols": not result["images_whose_symbols_differ"]
        and not any(run["images_whose_symbols_differ"] for run in runs),
        "pixels": not result["images_whose_pixels_differ"]
        and all(run["decompressed_equal"] and run["synthesised_equal"] for run in runs),
        "torch": result["torch"]["largest_difference"] <= 1 and result["torch"]["differing_share"] < TORCH_SHARE,
        "payload_of_the_set": result["payload_bits"] <= result["payload_bound_bits"],
        "payload_of_each_image": result["largest_excess_of_an_image_bits"] <= IMAGE_SLACK_BITS,
        "overhead": result["overhead_bytes"][1] <= MAX_OVERHEAD_BYTES,
    }


if __name__ == "__main__":
    sys.exit(main())
