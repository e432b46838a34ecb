"""What hostile files cost: processor time and memory of reading each in a process of its own.

python -m tests.fuzz.costs

The files: golden bad ones, kept inputs of the fuzzer, and those of hostile.py. A process is forked for each, from one
that has read the models; above_mib is how far it grew over one that reads nothing, less its pixels. Writes
benchmarks/results/hostile.json, and ends with 1 where one took more than 200 MiB or 10 s, died, or raised a foreign
error.
"""

import os
import resource
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import numpy as np

from benchmarks.measuring.machine import RESULTS, write_results
from tests.fuzz import samples
from tests.fuzz.hostile import hostile_files
from tests.fuzz.run import CORPUS
from tests.fuzz.targets import targets
from tests.independent.program import GOLDEN
from vaecodec.codec.picture import Picture
from vaecodec.errors import VaecodecError

MOST_MIB, MOST_S = 200.0, 10.0
FINE, REFUSED, FOREIGN = 0, 3, 4  # how a child ends


def read_whole_picture(data: bytes) -> object:
    return samples.photograph_codec().decompress_picture(data)


def readers() -> dict[str, Callable[[bytes], object]]:
    """By target; a whole picture is one whose size is not bounded as the fuzzer's is."""
    return {**{name: target.read for name, target in targets().items()}, "whole-picture": read_whole_picture}


def files() -> Iterator[tuple[str, str, bytes]]:
    """(name, target, bytes) of each file."""
    for path in sorted((GOLDEN / "bad").glob("*.bin")):
        is_model = "-model-" in path.name or "-use-" in path.name
        yield path.name, "model" if is_model else "stream", b"\1" + path.read_bytes()
    for path in sorted((GOLDEN / "archives" / "bad").glob("*.vaea")):
        yield path.name, "archive", b"\1" + path.read_bytes()
    for path in sorted(path for path in CORPUS.rglob("*") if path.is_file()):
        yield f"corpus {path.name}", path.parent.name, path.read_bytes()
    for name, (target, data) in hostile_files().items():
        yield name, target, data


def cost_of(read: Callable[[bytes], object], data: bytes) -> dict[str, Any]:
    """Of reading the bytes in a forked process, which is stopped after 6 times the time that it may take."""
    started = time.perf_counter()
    pipe_out, pipe_in = os.pipe()
    child = os.fork()
    if child == 0:
        _read_and_end(read, data, pipe_in)
    os.close(pipe_in)
    with os.fdopen(pipe_out, "rb") as pipe:
        said = pipe.read().decode(errors="replace")
    _, status, used = os.wait4(child, 0)
    pixels, _, outcome = said.partition(" ")
    return {
        "outcome": outcome if os.WIFEXITED(status) else f"killed by signal {os.WTERMSIG(status)}",
        "is_ours": os.WIFEXITED(status) and os.WEXITSTATUS(status) in (FINE, REFUSED),
        "cpu_s": used.ru_utime + used.ru_stime,
        "wall_s": time.perf_counter() - started,
        "peak_mib": used.ru_maxrss / 1024 - int(pixels or 0) / 2**20,
    }


def _read_and_end(read: Callable[[bytes], object], data: bytes, pipe: int) -> None:
    """In the child: read, say what became of it, and end without what the parent would do at its end."""
    resource.setrlimit(resource.RLIMIT_CPU, (int(6 * MOST_S), int(6 * MOST_S)))
    code, said = FINE, "0 read"
    try:
        found = read(data)
        said = f"{_pixel_bytes(found)} read"
    except VaecodecError as error:
        code, said = REFUSED, f"0 {type(error).__name__}"
    except BaseException as error:
        code, said = FOREIGN, f"0 {type(error).__name__}: {error}"
        traceback.print_exc()
    os.write(pipe, said[:1000].encode())
    os._exit(code)


def _pixel_bytes(found: object) -> int:
    if isinstance(found, Picture):
        return found.pixels.nbytes + (0 if found.alpha is None else found.alpha.nbytes)
    return found.nbytes if isinstance(found, np.ndarray) else 0


def main() -> int:
    with samples.all_installed():
        known, found = readers(), {}
        for target in targets().values():  # models are read, and everything is imported
            for seed in target.seeds()[:1]:
                with suppress(VaecodecError):
                    target.read(seed)
        idle = cost_of(lambda _: None, b"")["peak_mib"]
        for name, target, data in files():
            cost = cost_of(known[target], data)
            above = cost.pop("peak_mib") - idle
            found[name] = {"target": target, "bytes": len(data), **cost, "above_mib": above}
            if above > MOST_MIB / 4 or cost["cpu_s"] > 1 or not cost["is_ours"]:
                print(name, found[name], file=sys.stderr, flush=True)
    too_much = [
        name
        for name, cost in found.items()
        if cost["above_mib"] > MOST_MIB or cost["cpu_s"] > MOST_S or not cost["is_ours"]
    ]
    dearest = sorted(found, key=lambda name: -found[name]["above_mib"])[:40]
    most = {key: max(found.values(), key=lambda cost: cost[key])[key] for key in ("above_mib", "cpu_s")}
    write_results(
        RESULTS / "hostile.json",
        {"files": len(found), "most": most, "too_much": too_much, "dearest": {name: found[name] for name in dearest}},
        seed=None,
    )
    print(f"{len(found)} files, at most {most}; too much: {too_much}")
    return int(bool(too_much))


if __name__ == "__main__":
    sys.exit(main())
