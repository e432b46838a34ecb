"""Time and memory of photographs: results/photograph-speed.json.

    python -m benchmarks.photograph_speed --model FILE [--rounds 7] [--largest MEGAPIXELS]

Time: four photographs of 768×512, beside Pillow's AVIF encoder at speed 6 in the same process. A round runs each task
once, so that a machine whose speed drifts slows all; quotients are of the medians. CPU seconds count every core's; AVIF
is run on one thread for them, and on all cores for the wall clock. Memory: a process for each size and direction, whose
pictures are the validation crops laid side by side.

Bars: CPU of decompressing ≤ 2 × and of compressing ≤ 2.5 × AVIF's encoding; wall time of both ≤ 1.5 ×; at 24 megapixels
at most 1 GB either way, and at most 1.25 times the seconds a pixel of 1.6 megapixels.
"""

import argparse
import math
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.measuring.machine import RESULTS, write_results
from benchmarks.measuring.photo_codecs import pillow_codec
from benchmarks.measuring.photo_memory_worker import TASKS
from benchmarks.measuring.photo_sets import PhotoSet, kodak, validation
from benchmarks.measuring.timing import spread
from benchmarks.measuring.workers import run_worker
from vaecodec.arrays import Pixels
from vaecodec.codec.codec import load
from vaecodec.cores import core_count

PHOTOGRAPHS = (0, 7, 14, 21)  # of Kodak's
SIZES = ((256, 384), (512, 768), (1024, 1536), (2048, 3072), (4000, 6000))  # 0.1 to 24 megapixels
LINEAR_FROM = SIZES[2]
AVIF_QUALITY = 50
WORKER = "benchmarks.measuring.photo_memory_worker"
MOST_CPU = {"decompress": 2.0, "compress": 2.5}  # times AVIF's encoding
MOST_WALL = 1.5
MOST_PEAK_BYTES, MOST_SLOWDOWN = 1e9, 1.25


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and store; 1 where a bar is missed, else 0."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.photograph_speed", description=__doc__.partition("\n")[0]
    )
    parser.add_argument("--model", default="photo", help="name or model file (default: photo)")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--largest", type=float, default=24, help="megapixels (default 24)")
    parser.add_argument("--out", type=Path, default=RESULTS / "photograph-speed.json")
    options = parser.parse_args(arguments)
    times = measure_times(options.model, [kodak().images[k] for k in PHOTOGRAPHS], options.rounds)
    sizes = [size for size in SIZES if size[0] * size[1] <= options.largest * 1e6]
    memory = measure_memory(options.model, validation(), sizes)
    judged = [*time_bars(times), *memory_bars(memory)]
    for bar in judged:
        print(f"{bar['what']}: {bar['value']:.3g}, at most {bar['most']:g}: {'holds' if bar['holds'] else 'MISSED'}")
    result = {
        "model": options.model,
        "photographs": len(PHOTOGRAPHS),
        "rounds": options.rounds,
        "cores": core_count(),
        "seconds_of_one_photograph": {
            task: {clock: spread(values) for clock, values in clocks.items()} for task, clocks in times.items()
        },
        "memory": memory,
        "bars": judged,
    }
    write_results(options.out, result, seed=None)
    print(options.out)
    return int(not all(bar["holds"] for bar in judged))


def measure_times(model: str, photographs: Sequence[Pixels], rounds: int) -> dict[str, dict[str, list[float]]]:
    """Seconds of one photograph by task and clock ("cpu_s", "wall_s"), one of each round."""
    codec = load(model)
    streams = [codec.compress(pixels) for pixels in photographs]
    one_thread = pillow_codec("AVIF", "AVIF", AVIF_QUALITY, speed=6, max_threads=1)
    all_cores = pillow_codec("AVIF", "AVIF", AVIF_QUALITY, speed=6, max_threads=core_count())
    tasks: dict[str, Callable[[], object]] = {
        "compress": lambda: [codec.compress(pixels) for pixels in photographs],
        "decompress": lambda: [codec.decompress(stream) for stream in streams],
        "avif_encode": lambda: [one_thread.encode(pixels) for pixels in photographs],
        "avif_encode_all_cores": lambda: [all_cores.encode(pixels) for pixels in photographs],
    }
    times: dict[str, dict[str, list[float]]] = {task: {"cpu_s": [], "wall_s": []} for task in tasks}
    for number in range(rounds + 1):  # the first warms caches and is left out
        for name, task in tasks.items():
            cpu, wall = time.process_time(), time.perf_counter()
            task()
            if number:
                times[name]["cpu_s"].append((time.process_time() - cpu) / len(photographs))
                times[name]["wall_s"].append((time.perf_counter() - wall) / len(photographs))
        print(f"round {number} of {rounds}", file=sys.stderr)
    return times


def measure_memory(model: str, crops: PhotoSet, sizes: Sequence[tuple[int, int]]) -> list[dict[str, Any]]:
    """For each size, the peak and the seconds of each task of the worker."""
    found = []
    for size in sizes:
        with tempfile.TemporaryDirectory() as folder:
            picture, stream = str(Path(folder) / "picture.npy"), str(Path(folder) / "picture.vae")
            np.save(picture, mosaic(crops.images, size))
            tasks = {
                task: run_worker(
                    "benchmarks.measuring.photo_memory_worker", [model, task, picture, stream], core_count()
                )
                for task in TASKS
            }
            found.append({"size": list(size), "stream_bytes": Path(stream).stat().st_size, **tasks})
        print(found[-1], file=sys.stderr)
    return found


def mosaic(crops: Sequence[Pixels], size: tuple[int, int]) -> Pixels:
    """A picture (height, width, 3) of crops of one size side by side, over and over."""
    height, width = size
    side = len(crops[0])
    rows, columns = math.ceil(height / side), math.ceil(width / side)
    tiles = [crops[k % len(crops)] for k in range(rows * columns)]
    lines = [np.concatenate(tiles[row * columns : (row + 1) * columns], axis=1) for row in range(rows)]
    return np.ascontiguousarray(np.concatenate(lines)[:height, :width])


def time_bars(times: Mapping[str, Mapping[str, Sequence[float]]]) -> list[dict[str, Any]]:
    """Of medians: CPU against AVIF on one thread, the wall clock against AVIF on all cores."""
    bars = []
    for task, most in MOST_CPU.items():
        for clock, rival, limit in (("cpu_s", "avif_encode", most), ("wall_s", "avif_encode_all_cores", MOST_WALL)):
            value = statistics.median(times[task][clock]) / statistics.median(times[rival][clock])
            bars.append(_bar(f"{task}, {clock} over that of {rival}", value, limit))
    return bars


def memory_bars(memory: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Of the largest picture; and its seconds a pixel over those of the picture of LINEAR_FROM."""
    largest = memory[-1]
    middle = next((one for one in memory if tuple(one["size"]) == LINEAR_FROM), largest)
    bars = []
    for task in MOST_CPU:
        what = f"{task} at {_pixels(largest) / 1e6:.1f} megapixels"
        bars.append(_bar(f"{what}: peak bytes", largest[task]["peak_bytes"], MOST_PEAK_BYTES))
        slowdown = largest[task]["wall_s"] / _pixels(largest) * _pixels(middle) / middle[task]["wall_s"]
        bars.append(_bar(f"{what}: seconds a pixel over those at 1.6", slowdown, MOST_SLOWDOWN))
    return bars


def _pixels(one: Mapping[str, Any]) -> int:
    return int(math.prod(one["size"]))


def _bar(what: str, value: float, most: float) -> dict[str, Any]:
    return {"what": what, "value": value, "most": most, "holds": value <= most}


if __name__ == "__main__":
    sys.exit(main())
