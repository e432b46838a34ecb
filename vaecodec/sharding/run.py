"""Makes the shards of a plan with an engine, and the manifest when all are there.

records that fit the plan ──> nothing left to do for these shards
the others ──engine, some ahead──> made ──────────────────────────────────> records ──all──> index, manifest
                                   └ failed: again, up to a limit ──> failed for good: the rest goes on
"""

from __future__ import annotations

import re
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from vaecodec.archive.folder import Folder
from vaecodec.archive.manifest import MANIFEST_NAME, Manifest
from vaecodec.archive.shard_index import READERS, make_manifest
from vaecodec.archive.shards import ShardRecord, record_name, shard_name
from vaecodec.errors import FormatError
from vaecodec.sharding.engine import Engine
from vaecodec.sharding.plan import Plan
from vaecodec.sharding.task import Attempt

DEFAULT_RETRIES = 3
AHEAD = 2  # tasks that wait, for each that runs: a worker must not wait for the next one to be told
POLL_S = 1.0  # between reports while nothing is done
_MADE = re.compile(r"shard-(\d{5,})\.(?:json|vaea)|sources-[0-9a-f]{16}\.jsonl")


@dataclass(frozen=True, slots=True)
class Progress:
    """Of a run. there: shards that were there before it. images, size_bytes, source_bytes: of all that are there;
    made_images: by this run. failed: for good. left_s: None where nothing was made yet."""

    shards: int
    there: int
    made: int
    failed: int
    workers: int
    all_images: int
    images: int
    made_images: int
    size_bytes: int
    source_bytes: int
    elapsed_s: float

    @property
    def images_per_s(self) -> float:
        """Of this run."""
        return self.made_images / max(self.elapsed_s, 1e-9)

    @property
    def left_s(self) -> float | None:
        """At this speed."""
        return (self.all_images - self.images) / self.images_per_s if self.made_images else None


@dataclass(frozen=True, slots=True)
class Outcome:
    """records: of what is there, in order. missing: why a shard is not, by its number. retried: attempts that failed
    and were made again. manifest: None where something is missing."""

    progress: Progress
    records: tuple[ShardRecord, ...]
    missing: dict[int, str]
    retried: int
    manifest: Manifest | None


@dataclass(slots=True)
class _State:
    plan: Plan
    started: float = field(default_factory=time.monotonic)
    records: dict[int, ShardRecord] = field(default_factory=dict)
    missing: dict[int, str] = field(default_factory=dict)
    there: int = 0
    retried: int = 0
    images: int = 0
    made_images: int = 0
    size_bytes: int = 0
    source_bytes: int = 0

    def add(self, record: ShardRecord) -> None:
        self.records[record.shard] = record
        self.images += record.written.images
        self.size_bytes += record.size_bytes
        self.source_bytes += record.written.source_bytes

    def progress(self, workers: int) -> Progress:
        return Progress(
            shards=len(self.plan.rows),
            there=self.there,
            made=len(self.records) - self.there,
            failed=len(self.missing),
            workers=workers,
            all_images=self.plan.images,
            images=self.images,
            made_images=self.made_images,
            size_bytes=self.size_bytes,
            source_bytes=self.source_bytes,
            elapsed_s=time.monotonic() - self.started,
        )


def run(
    folder: Folder,
    plan: Plan,
    engine: Callable[[], Engine],
    *,
    retries: int = DEFAULT_RETRIES,
    report: Callable[[Progress, Attempt | None], None],
) -> Outcome:
    """Make what is not there, and the manifest. The folder is held by whoever calls (lease.py).

    engine: starts one, if something is to be made. report: is told of every attempt, and of the time passing.
    Raises OSError where the folder cannot be read or written, NotCanonical where a shard is not as it was written.
    """
    state, workers = _State(plan), 0
    for record in records_there(folder, plan).values():
        state.add(record)
    state.there = len(state.records)
    if state.there < len(plan.rows):
        folder.remove(MANIFEST_NAME)  # of another plan, or of shards that are gone
        running = engine()
        try:
            _make(state, running, retries, report)
            workers = running.workers
        finally:
            running.close()
    manifest = None
    if not state.missing:
        manifest = _manifest(folder, plan, [state.records[k] for k in range(len(plan.rows))])
        _sweep(folder, plan)
    ordered = tuple(state.records[k] for k in sorted(state.records))
    return Outcome(state.progress(workers), ordered, state.missing, state.retried, manifest)


def records_there(folder: Folder, plan: Plan, among: Iterable[int] | None = None) -> dict[int, ShardRecord]:
    """The records, by shard, that fit the plan and whose shards are there, of the right size; among: only of these.

    Raises OSError.
    """
    sizes = folder.sizes()
    named = [
        k
        for k in (range(len(plan.rows)) if among is None else among)
        if record_name(k) in sizes and shard_name(k) in sizes
    ]

    def read(k: int) -> ShardRecord | None:
        try:
            record = ShardRecord.from_bytes(folder.read(record_name(k)))
        except (FileNotFoundError, FormatError):
            return None
        return record if record.fits(plan.id, k, plan.rows[k][0], sizes[shard_name(k)]) else None

    with ThreadPoolExecutor(READERS) as threads:
        found = zip(named, threads.map(read, named), strict=True)
        return {k: record for k, record in found if record is not None}


def _make(state: _State, engine: Engine, retries: int, report: Callable[[Progress, Attempt | None], None]) -> None:
    waiting = deque(k for k in range(len(state.plan.rows)) if k not in state.records)
    failures: dict[int, int] = {}
    running = 0
    while waiting or running:
        while waiting and running < AHEAD * engine.workers:
            engine.submit(waiting.popleft())
            running += 1
        done = engine.next_done(POLL_S)
        if done is not None:
            running -= 1
            _settle(state, done, failures, retries, waiting)
        report(state.progress(engine.workers), done)


def _settle(state: _State, done: Attempt, failures: dict[int, int], retries: int, waiting: deque[int]) -> None:
    """What follows from an attempt."""
    k = done.shard
    if done.record is not None:
        state.add(done.record)
        state.made_images += done.record.written.images
        return
    failures[k] = failures.get(k, 0) + 1
    if done.again and failures[k] <= retries:
        state.retried += 1
        waiting.append(k)
    else:
        state.missing[k] = done.error


def _manifest(folder: Folder, plan: Plan, records: list[ShardRecord]) -> Manifest:
    """The manifest that is there, if it is of these shards, else a new one."""
    try:
        there = Manifest.from_bytes(folder.read(MANIFEST_NAME))
        if there.plan == plan.id and [s.sha256 for s in there.shards] == [r.sha256 for r in records]:
            return there
    except (FileNotFoundError, FormatError):
        pass
    return make_manifest(folder, records)


def _sweep(folder: Folder, plan: Plan) -> None:
    """Remove what a plan before this one has left: shards beyond its own, and lists of pieces."""
    for name in folder.sizes():
        found = _MADE.fullmatch(name)
        beyond = found is not None and found[1] is not None and int(found[1]) >= len(plan.rows)
        if beyond or (found is not None and found[1] is None and name != plan.sources_name):
            folder.remove(name)


def missing_lines(outcome: Outcome) -> Iterator[str]:
    """What is missing, a line a shard."""
    for shard, reason in sorted(outcome.missing.items()):
        yield f"shard {shard}: {reason}"
