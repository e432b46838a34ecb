"""Faults against their bars: workers killed every few seconds, the coordinator killed at ten moments and gone on with.

    python -m benchmarks.shard_faults [--images 60000] [--shards 60] [--every-s 3] [--kills 10] [--engine local]

Writes results/shard-faults.json. Everything is compared, byte by byte, with an undisturbed run. A shard is made twice
without need where its record, once there, is written again.
"""

import argparse
import os
import random
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.measuring.machine import RESULTS, write_results
from benchmarks.measuring.shard_runs import Run, contents, descendants, sources

SEED = 0
RETRIES = 50  # more than any shard is hit


def is_worker(process: int) -> bool:
    """Of the engine local, or of Ray while it runs a task."""
    try:
        line = Path(f"/proc/{process}/cmdline").read_bytes()
    except OSError:
        return False
    return b"vaecodec.sharding.local" in line or line.startswith(b"ray::attempt")


def kill_workers(arguments: Sequence[str], every_s: float) -> dict[str, Any]:
    """A run whose workers are killed, one at random every so often."""
    rng, killed, run = random.Random(SEED), 0, Run([*arguments, "--retries", str(RETRIES), "--json"])
    while run.process.poll() is None:
        time.sleep(every_s)
        workers = [process for process in descendants(run.process.pid) if is_worker(process)]
        if workers and run.process.poll() is None:
            try:
                os.kill(rng.choice(workers), signal.SIGKILL)
                killed += 1
            except ProcessLookupError:
                continue
    code = run.wait()
    made = [event["shard"] for event in run.events if event["event"] == "shard" and event["made"]]
    return {
        "exit_code": code,
        "killed": killed,
        "retried": run.end["retried"],
        "made_twice": len(made) - len(set(made)),
    }


def kill_coordinator(arguments: Sequence[str], out: Path, kills: int, undisturbed_s: float) -> dict[str, Any]:
    """Runs that are killed after a random time each, and one that is left to end."""
    rng, written, again, done = random.Random(SEED), dict[str, int](), 0, 0
    moments = [rng.uniform(0.05, 0.2) * undisturbed_s for _ in range(kills)]
    for moment_s in [*moments, None]:
        run = Run([*arguments, "--resume", "--json"])
        if moment_s is not None:
            time.sleep(moment_s)
            run.process.kill()
        code = run.wait()
        done += code == -signal.SIGKILL
        time.sleep(1.0)  # its workers end, too
        records = {path.name: path.stat().st_mtime_ns for path in out.glob("shard-*.json")}
        again += sum(written[name] != records[name] for name in written.keys() & records.keys())
        written = records
    return {"exit_code": code, "killed": done, "moments_s": moments, "made_twice": again}


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and store; see the head of this file."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.shard_faults", description=__doc__.partition("\n")[0])
    parser.add_argument("--images", type=int, default=60_000)
    parser.add_argument("--shards", type=int, default=60)
    parser.add_argument("--every-s", type=float, default=3.0)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--engine", default="local", choices=["local", "ray"])
    parser.add_argument("--model", default="dsprites")
    parser.add_argument("--out", type=Path, default=RESULTS / "shard-faults.json")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        paths = sources(folder / "sources", options.images, SEED)

        def line(out: str) -> list[str]:
            shards = ["--shards", str(options.shards), "--engine", options.engine]
            return ["archive", "create", str(folder / out), *paths, "--model", options.model, *shards]

        run = Run([*line("undisturbed"), "--json"])
        if run.wait():
            raise AssertionError("the undisturbed run failed")
        expected = contents(folder / "undisturbed")
        workers = kill_workers(line("workers"), options.every_s)
        print("workers killed", workers, file=sys.stderr)
        coordinator = kill_coordinator(line("coordinator"), folder / "coordinator", options.kills, run.elapsed_s)
        print("coordinator killed", coordinator, file=sys.stderr)
        for found, out in ((workers, "workers"), (coordinator, "coordinator")):
            found["equal_bytes"] = contents(folder / out) == expected
            found["temporary_files_left"] = len(list((folder / out).glob(".vaecodec-*")))
    results = {
        "images": options.images,
        "shards": options.shards,
        "engine": options.engine,
        "undisturbed_s": run.elapsed_s,
        "every_s": options.every_s,
        "workers_killed": workers,
        "coordinator_killed": coordinator,
        "bars": {
            "equal_bytes": workers["equal_bytes"] and coordinator["equal_bytes"],
            "none_made_twice": workers["made_twice"] == coordinator["made_twice"] == 0,
        },
    }
    write_results(options.out, results, seed=SEED)
    print(options.out)


if __name__ == "__main__":
    main()
