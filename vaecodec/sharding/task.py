"""One shard of a plan: what any engine maps, in any process that reaches the folder.

    (folder, plan's id, shard) ──make_shard──> the shard and then its record, under their final names; the record
                               ──attempt─────> Attempt: the same, with what went wrong as a value

A shard is written under another name and takes its own when it is whole. Its record follows: without it, the shard is
made again, to the same bytes.
"""

from __future__ import annotations

import os
import tempfile
import time
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from vaecodec.archive.folder import Folder, LocalFolder, open_folder
from vaecodec.archive.shards import ShardRecord, record_name, record_of, shard_name, write_shard
from vaecodec.errors import BadChecksum, ConfigError, VaecodecError
from vaecodec.sharding.plan import Plan
from vaecodec.sharding.sources import read_pieces

if TYPE_CHECKING:
    from vaecodec.codec.codec import AnyCodec


@dataclass(frozen=True, slots=True)
class Attempt:
    """record: of the shard, if it was made; error: why it was not, else "". again: whether another try may help."""

    shard: int
    record: ShardRecord | None
    error: str = ""
    again: bool = False
    elapsed_s: float = 0.0


def make_shard(address: str, plan_id: str, shard: int) -> ShardRecord:
    """Make a shard of the plan of this id, which lies in the folder. The same whenever and wherever it is called.

    Raises ConfigError where another plan lies there, and what reading the sources and coding raise.
    """
    folder, plan = _opened(address, plan_id)
    codec = _codec(address, plan_id)
    images = read_pieces(plan.pieces(folder, shard), named=plan.wish.named, strip=plan.wish.strip)
    if isinstance(folder, LocalFolder):
        path = folder.path(shard_name(shard))
        written = write_shard(path, images, codec, plan.wish.settings)
        record = record_of(path, plan_id, shard, written)
    else:
        with tempfile.TemporaryDirectory(prefix="vaecodec-") as place:
            path = os.path.join(place, shard_name(shard))
            written = write_shard(path, images, codec, plan.wish.settings)
            record = record_of(path, plan_id, shard, written)
            folder.publish_file(shard_name(shard), path)
    if written.images != plan.rows[shard][0]:
        raise BadChecksum(f"shard {shard}: its sources have {written.images} images, the plan {plan.rows[shard][0]}")
    folder.publish(record_name(shard), record.to_bytes())
    return record


def attempt(address: str, plan_id: str, shard: int) -> Attempt:
    """make_shard(), whose errors are values. What the images or the plan are to blame for is not worth another try."""
    started = time.monotonic()
    try:
        return Attempt(shard, make_shard(address, plan_id, shard), elapsed_s=time.monotonic() - started)
    except OSError as error:
        lasting = isinstance(error, VaecodecError | FileNotFoundError | PermissionError | IsADirectoryError)
        reason = f"{os.fsdecode(error.filename)}: {error.strerror}" if error.filename and error.strerror else str(error)
        return Attempt(shard, None, reason, not lasting, time.monotonic() - started)
    except VaecodecError as error:
        return Attempt(shard, None, str(error), False, time.monotonic() - started)
    except MemoryError:
        return Attempt(shard, None, "out of memory", True, time.monotonic() - started)


@lru_cache(maxsize=1)
def _opened(address: str, plan_id: str) -> tuple[Folder, Plan]:
    folder = open_folder(address)
    plan = Plan.read(folder)
    if plan is None or plan.id != plan_id:
        raise ConfigError(f"{address}: not the plan that the shards are made for")
    return folder, plan


@lru_cache(maxsize=1)
def _codec(address: str, plan_id: str) -> AnyCodec:
    """Once for each process: reading a model and proving its arithmetic takes longer than an image."""
    folder, plan = _opened(address, plan_id)
    return plan.codec(folder)
