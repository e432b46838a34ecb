"""Shards in a store against their bars: requests and bytes of writing, going on, reading; an epoch; 10,000 shards.

    python -m benchmarks.shard_store [--images 20000] [--shards 20] [--latency-ms 0 20] [--many 10000]

Writes results/shard-store.json. The store is moto's S3 server on this machine, made to wait before each answer. The
10,000 shards are simulated: their manifest and index are whole, of the sizes that real ones have, and one shard's file
stands for all. docs/scale.md compares these numbers with its model.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.measuring.machine import RESULTS, write_results
from benchmarks.measuring.shard_runs import Run, sources
from benchmarks.measuring.store import Store
from vaecodec.archive.folder import Folder, open_folder
from vaecodec.archive.manifest import MANIFEST_NAME, Manifest
from vaecodec.archive.reader import Archive
from vaecodec.archive.shard_index import publish_index
from vaecodec.archive.spool import IndexSpool
from vaecodec.codec.codec import Codec

SEED = 0
MOST_OPENING_S, MOST_REQUESTS, MOST_EPOCH = 0.3, 2, 1.1
BATCH = 128


def measure_writing(store: Store, paths: Sequence[str], shards: int, workers: int, model: str) -> dict[str, Any]:
    """A run of the command line into the store, its second half by going on."""
    out = f"{store.address}/out-{workers}-{store.latency_s}"
    before = store.counts.total
    settings = ["--model", model, "--shards", str(shards), "--workers", str(workers), "--json"]
    arguments = ["archive", "create", out, *paths, *settings]
    run = Run(arguments)
    if run.wait():
        raise AssertionError("the run failed")
    wrote = store.counts.total - before
    folder = open_folder(out)
    for shard in range(shards // 2):
        folder.remove(f"shard-{shard:05d}.json")
    again = Run([*arguments, "--resume"])
    if again.wait():
        raise AssertionError("going on failed")
    return {
        "latency_s": store.latency_s,
        "workers": workers,
        "wall_s": run.elapsed_s,
        "engine_s": run.end["elapsed_s"],
        "images_per_s": run.end["images"] / run.end["elapsed_s"],
        "requests": wrote,
        "requests_per_shard": wrote / shards,
        "resumed_shards": again.end["done"] - again.end["there"],
    }


def measure_epoch(store: Store, address: str, workers: int) -> dict[str, Any]:
    """An epoch of a DataLoader: bytes that the store sends, beside those of all blocks."""
    from torch.utils.data import DataLoader

    from vaecodec.integrations.torch_dataset import ArchiveDataset
    from vaecodec.integrations.torch_sampler import BlockSampler

    archive = Archive(address)
    sampler = BlockSampler(archive, BATCH, workers=workers, seed=SEED)
    archive[0]  # reads the model
    before, requests, started = store.counts.sent_bytes, store.counts.total, time.monotonic()
    loader = DataLoader(ArchiveDataset(archive), batch_sampler=sampler, num_workers=workers)
    seen = sum(len(images) for images, _ in loader)
    if seen != len(archive):
        raise AssertionError(f"an epoch of {seen} images")
    blocks = archive.info().block_bytes
    return {
        "workers": workers,
        "images": seen,
        "images_per_s": seen / (time.monotonic() - started),
        "requests": store.counts.total - requests,
        "read_of_all_blocks": (store.counts.sent_bytes - before) / blocks,
    }


def simulate(folder: Folder, made: str, count: int) -> Manifest:
    """`count` shards, of which each is the first one of `made`; names are those of different images."""
    real = open_folder(made)
    there = Manifest.from_bytes(real.read(MANIFEST_NAME))
    shard = there.shards[0]
    folder.publish(shard.file, real.read(shard.file))
    with Archive(made) as archive:
        own = archive.blocks.shards == 0
        counts = archive.blocks.counts[own]
        lengths = archive._directory.lengths[own]
    spool = IndexSpool()
    for _ in range(count):
        spool.add_blocks(counts, lengths)
    names = np.random.default_rng(SEED).integers(0, 1 << 32, shard.images * count, dtype=np.uint64)
    spool.add_keys(names << np.uint64(32) | np.arange(len(names), dtype=np.uint64))
    index_bytes, footer_bytes = publish_index(folder, spool, shard.images * count)
    spool.close()
    manifest = replace(there, shards=(shard,) * count, index_bytes=index_bytes, footer_bytes=footer_bytes)
    folder.publish(MANIFEST_NAME, manifest.to_bytes())
    return manifest


def measure_many(store: Store, address: str, made: str, count: int, codec: Codec) -> dict[str, Any]:
    """Opening so many shards, and one picture of each of some: requests and seconds. Latency: what the store has."""
    manifest = simulate(open_folder(address), made, count)
    opened = []
    for _ in range(5):
        before, started, cpu = store.counts.total, time.perf_counter(), time.thread_time()
        archive = Archive(address, model=codec)
        elapsed_s, cpu_s = time.perf_counter() - started, time.thread_time() - cpu
        opened.append((elapsed_s, cpu_s, store.counts.total - before))
    rng, requests, seconds = np.random.default_rng(SEED), [], []
    for number in rng.integers(0, len(archive), 20).tolist():
        before, started = store.counts.total, time.perf_counter()
        archive[number]
        seconds.append(time.perf_counter() - started)
        requests.append(store.counts.total - before)
    before = store.counts.total
    archive.names.find("no image is called so")
    return {
        "shards": count,
        "images": len(archive),
        "manifest_bytes": len(manifest.to_bytes()),
        "index_bytes": manifest.index_bytes,
        "footer_bytes": manifest.footer_bytes,
        "opened_s": min(elapsed_s for elapsed_s, _, _ in opened),
        "opened_cpu_s": min(cpu_s for _, cpu_s, _ in opened),
        "opening_requests": opened[0][2],
        "one_picture_requests": max(requests),
        "one_picture_s": float(np.median(seconds)),
        "name_page_requests": store.counts.total - before,
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and store; see the head of this file."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.shard_store", description=__doc__.partition("\n")[0])
    parser.add_argument("--images", type=int, default=20_000)
    parser.add_argument("--shards", type=int, default=20)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2, 4])
    parser.add_argument("--latency-ms", type=float, nargs="+", default=[0.0, 20.0])
    parser.add_argument("--many", type=int, default=10_000)
    parser.add_argument("--model", default="dsprites")
    parser.add_argument("--out", type=Path, default=RESULTS / "shard-store.json")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as name, Store() as store:
        paths = sources(Path(name), options.images, SEED)
        writing = []
        for latency_ms in options.latency_ms:
            store.latency_s = latency_ms / 1000
            for workers in options.workers:
                writing.append(measure_writing(store, paths, options.shards, workers, options.model))
                print(writing[-1], file=sys.stderr)
        store.latency_s = 0.0
        made = f"{store.address}/out-{options.workers[0]}-{options.latency_ms[0] / 1000}"
        epochs = [measure_epoch(store, made, workers) for workers in (0, 2)]
        print(epochs, file=sys.stderr)
        many = measure_many(store, f"{store.address}/many", made, options.many, Codec.load(options.model))
        print(many, file=sys.stderr)
    results = {
        "images": options.images,
        "shards": options.shards,
        "model": options.model,
        "writing": writing,
        "epochs": epochs,
        "many": many,
        "bars": {
            "epoch_reads_once": all(epoch["read_of_all_blocks"] <= MOST_EPOCH for epoch in epochs),
            "opened_fast": many["opened_s"] <= MOST_OPENING_S,
            "few_requests": many["one_picture_requests"] + many["name_page_requests"] <= MOST_REQUESTS,
        },
    }
    write_results(options.out, results, seed=SEED)
    print(options.out)


if __name__ == "__main__":
    main()
