"""A model of shards on 1 to 10,000 nodes, and how far it is from runs against a store that waits.

    python -m benchmarks.scale [--store results/shard-store.json]

Prints the table of docs/scale.md, and writes results/scale.json: the table, and for each run of benchmarks.shard_store
the seconds that it took and those that the model says. The model's speed of a core is that of the run of one worker
without latency; nothing else is fitted.
"""

import argparse
import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from benchmarks.measuring.machine import RESULTS, write_results
from vaecodec.archive.shard_index import READERS

NODES = (1, 10, 100, 1_000, 10_000)
SHARD_REQUESTS = 3  # of a worker for a shard: its pieces are read, the shard and its record written
END_REQUESTS = 2  # of the coordinator for each: the header; the names' table and footer
WORKER_REQUESTS = 2  # the plan; the model, where it is not installed
COORDINATOR_REQUESTS = 20  # the lock, lists, the plan's files, index and manifest


@dataclass(frozen=True, slots=True)
class Job:
    """images: to be coded, shard_images in each shard; images_per_s: of a core. latency_s: of the store. start_s: until
    the processes work. name_s: to read, sort and write a name at the end. Prices are in dollars."""

    images: int = 50_000_000
    shard_images: int = 5_000
    images_per_s: float = 10_000.0
    cores: int = 4
    latency_s: float = 0.02
    start_s: float = 5.0
    name_s: float = 5e-7
    core_hour: float = 0.05
    writing_request: float = 5e-6
    reading_request: float = 4e-7

    @property
    def shards(self) -> int:
        """How many there are."""
        return -(-self.images // self.shard_images)

    @property
    def shard_s(self) -> float:
        """Seconds that a worker takes for one."""
        return self.shard_images / self.images_per_s + SHARD_REQUESTS * self.latency_s

    def making_s(self, workers: int) -> float:
        """Until the last shard is made: the last round may leave workers idle."""
        return math.ceil(self.shards / workers) * self.shard_s

    @property
    def end_s(self) -> float:
        """Until the manifest is there."""
        return self.shards * END_REQUESTS * self.latency_s / READERS + self.images * self.name_s


@dataclass(frozen=True, slots=True)
class Row:
    """efficiency: of the cores, while shards are made. requests: of the whole run. Prices are in dollars."""

    nodes: int
    efficiency: float
    making_s: float
    whole_s: float
    requests: int
    cores_price: float
    requests_price: float

    def cells(self) -> str:
        """A line of Markdown."""
        times = [_time(seconds) for seconds in (self.making_s, self.whole_s)]
        prices = [f"{price:.2f} $" for price in (self.cores_price, self.requests_price)]
        cells = [f"{self.nodes:,}", f"{self.efficiency:.2f}", *times, f"{self.requests:,}", *prices]
        return f"| {' | '.join(cells)} |"


def _time(seconds: float) -> str:
    return f"{seconds / 60:.0f} min" if seconds >= 600 else f"{seconds:.0f} s"


def row(job: Job, nodes: int) -> Row:
    """What the model says of so many nodes."""
    workers = nodes * job.cores
    making_s = job.making_s(workers)
    whole_s = job.start_s + making_s + job.end_s
    ideal_s = job.images / job.images_per_s / workers
    writing = 2 * job.shards
    reading = (SHARD_REQUESTS - 2 + END_REQUESTS) * job.shards + WORKER_REQUESTS * workers + COORDINATOR_REQUESTS
    requests_price = writing * job.writing_request + reading * job.reading_request
    price = (job.start_s + making_s) * workers / 3600 * job.core_hour
    return Row(nodes, ideal_s / making_s, making_s, whole_s, writing + reading, price, requests_price)


def compared(store: dict[str, Any], cores: int) -> Iterator[dict[str, Any]]:
    """Runs beside the model. cores: of the machine, which the workers shared."""
    runs = store["writing"]
    base = next(run for run in runs if run["workers"] == 1 and run["latency_s"] == 0)
    images, shards = store["images"], store["shards"]
    job = Job(images, -(-images // shards), images / base["engine_s"])
    for run in runs:
        at_work = min(run["workers"], cores)
        said = replace(job, latency_s=run["latency_s"], name_s=0.0)
        model_s = said.making_s(at_work) + said.end_s
        yield {
            "workers": run["workers"],
            "latency_s": run["latency_s"],
            "measured_s": run["engine_s"],
            "model_s": model_s,
            "measured_of_model": run["engine_s"] / model_s,
        }


def main(arguments: Sequence[str] | None = None) -> None:
    """Compare and store; see the head of this file."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scale", description=__doc__.partition("\n")[0])
    parser.add_argument("--store", type=Path, default=RESULTS / "shard-store.json")
    parser.add_argument("--out", type=Path, default=RESULTS / "scale.json")
    options = parser.parse_args(arguments)
    rows = [row(Job(), nodes) for nodes in NODES]
    print("\n".join(one.cells() for one in rows))
    store = json.loads(options.store.read_text(encoding="utf-8"))
    runs = list(compared(store, store["provenance"]["machine"]["cores"]))
    write_results(options.out, {"job": asdict(Job()), "table": [asdict(one) for one in rows], "runs": runs}, seed=None)
    print(options.out)


if __name__ == "__main__":
    main()
