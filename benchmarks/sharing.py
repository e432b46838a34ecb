"""Eight processes and eight threads over one codec and one archive: results/sharing.json.

    python -m benchmarks.sharing [--workers 8] [--out FILE]

Each worker compresses, decompresses and reads from the archive what is its own; all of it must be what one process
makes of it, one after another. Processes are forked, spawned and forked by a server, before the codec and the archive
were used in the parent, and after; one codec is of one geometry, lossy and lossless, the other of photographs.
"""

import argparse
import hashlib
import multiprocessing
import sys
import tempfile
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing.context import BaseContext
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

import vaecodec
from benchmarks.measuring.machine import RESULTS, ROOT, write_results
from vaecodec.arrays import Pixels
from vaecodec.codec.photograph import PhotographCodec

JOINED = ROOT / "tests" / "golden" / "v1" / "joined.vaem"
PHOTOGRAPH = ROOT / "examples" / "photograph-canyon-wren.png"
SIDE, LEVEL = 48, 3
PATIENCE_S = 600


@dataclass(frozen=True, slots=True)
class Shared:
    """What all workers use."""

    codec: vaecodec.Codec
    photo: PhotographCodec
    archive: vaecodec.Archive
    photograph: Pixels


def main(arguments: Sequence[str] | None = None) -> int:
    """Share, compare and store; 1 where a result differs, else 0."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sharing", description=__doc__.partition("\n")[0])
    parser.add_argument("--workers", type=int, default=8)
    parser.add_argument("--methods", nargs="+", default=[*multiprocessing.get_all_start_methods(), "threads"])
    parser.add_argument("--out", type=Path, default=RESULTS / "sharing.json")
    options = parser.parse_args(arguments)
    runs = []
    with tempfile.TemporaryDirectory(prefix="vaecodec-sharing-") as place:
        path = Path(place) / "a.vaea"
        rng = np.random.default_rng(0)
        with vaecodec.ArchiveWriter.create(path, JOINED, block_images=4) as writer:
            writer.add_batch(rng.integers(0, 256, (8 * options.workers, 28, 28), dtype=np.uint8))
        wanted = [work(shared(path), number) for number in range(options.workers)]
        for method in options.methods:
            for used in (False, True):
                of_all = shared(path)
                if used:
                    work(of_all, 0)
                share = in_threads if method == "threads" else in_processes(multiprocessing.get_context(method))
                found = share(of_all, options.workers)
                different = sum(found.get(k) != one for k, one in enumerate(wanted))
                runs.append({"method": method, "used_before": used, "workers": options.workers, "different": different})
                print(runs[-1], file=sys.stderr, flush=True)
    holds = not any(run["different"] for run in runs)
    write_results(options.out, {"runs": runs, "holds": holds}, seed=0)
    print(options.out)
    return 0 if holds else 1


def shared(path: Path) -> Shared:
    """New ones, which nobody has used."""
    with Image.open(PHOTOGRAPH) as image:
        photograph = np.asarray(image.convert("RGB"))
    codec = vaecodec.Codec.load(JOINED)
    return Shared(codec, PhotographCodec.load("photo"), vaecodec.Archive(path, model=codec), photograph)


def work(of_all: Shared, number: int) -> str:
    """A digest of all that one worker makes."""
    digest, rng = hashlib.sha256(), np.random.default_rng(number)
    for image in rng.integers(0, 256, (4, 28, 28), dtype=np.uint8):
        for stream in (of_all.codec.compress(image), of_all.codec.compress(image, lossless=True)):
            digest.update(stream)
            digest.update(of_all.codec.decompress(stream).tobytes())
    top = 40 * number % (of_all.photograph.shape[0] - SIDE)
    stream = of_all.photo.compress(of_all.photograph[top : top + SIDE, :SIDE], level=LEVEL)
    digest.update(stream)
    digest.update(of_all.photo.decompress(stream).tobytes())
    for place in rng.permutation(len(of_all.archive))[:16]:
        digest.update(of_all.archive[int(place)].tobytes())
    return digest.hexdigest()


def in_threads(of_all: Shared, workers: int) -> dict[int, str]:
    """The digest of each thread that ended well; all begin at once."""
    found: dict[int, str] = {}
    start = threading.Barrier(workers)

    def one(number: int) -> None:
        start.wait()
        found[number] = work(of_all, number)

    threads = [threading.Thread(target=one, args=(number,)) for number in range(workers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE_S)
    return found


def in_processes(context: BaseContext) -> Callable[[Shared, int], dict[int, str]]:
    """As in_threads(), with processes that a context starts."""

    def share(of_all: Shared, workers: int) -> dict[int, str]:
        results: Any = context.Queue()
        children = [
            context.Process(target=_worker, args=(of_all, number, results))  # type: ignore[attr-defined]
            for number in range(workers)
        ]
        for child in children:
            child.start()
        found = dict(results.get(timeout=PATIENCE_S) for _ in children)
        for child in children:
            child.join(PATIENCE_S)
        return found

    return share


def _worker(of_all: Shared, number: int, results: Any) -> None:
    try:
        results.put((number, work(of_all, number)))
    except BaseException as error:
        results.put((number, f"{type(error).__name__}: {error}"))
        raise


if __name__ == "__main__":
    sys.exit(main())
