"""What runs tasks: a few lines of contract, so that any engine can: processes here, Ray, or another one."""

from __future__ import annotations

from typing import Protocol

from vaecodec.sharding.task import Attempt


class Engine(Protocol):
    """Runs attempt() (vaecodec/sharding/task.py) for shards of one plan. A process that dies is an Attempt, too.

    workers: how many run at a time, now; more may be given, and wait. close() ends what still runs.
    """

    @property
    def workers(self) -> int: ...
    def submit(self, shard: int) -> None: ...
    def next_done(self, timeout_s: float) -> Attempt | None: ...
    def close(self) -> None: ...
