"""Ray: shards on a cluster, and images and streams as columns of ray.data.

    archive create OUT --shards N --engine ray     one task a shard: RayEngine
    compress_dataset(ds, "mnist")                  rows with an image ──actors──> the rows with a stream
    read_archive("s3://…/folder")                  a row for each image: number, name, label, image

Tasks are plain Ray tasks, without a data sink, whose interface is not stable. A codec goes to an actor as its model's
name and fingerprint, and is made there once. Needs the extra: pip install 'vaecodec[ray]'.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from vaecodec.archive.models import as_codec
from vaecodec.archive.reader import Archive
from vaecodec.codec.codec import Codec
from vaecodec.codec.target import Target
from vaecodec.errors import OutputError
from vaecodec.sharding.task import Attempt, attempt

if TYPE_CHECKING:
    import ray.data

    from vaecodec.archive.models import ModelLike

try:
    import ray
except ImportError as missing:
    raise OutputError("Ray is an extra: pip install 'vaecodec[ray]'") from missing

MOST_WAITING = 4096  # tasks that Ray holds at a time
BATCH_IMAGES = 128
Batch = dict[str, Any]


class RayEngine:
    """Tasks of a Ray cluster, each of one core. address: of the cluster; None means RAY_ADDRESS, or one on this
    machine, which ends with the engine.

    The folder must be reached by every node: an address of a store, or a shared file system. Raises OutputError.
    """

    def __init__(self, folder: str, plan_id: str, address: str | None = None) -> None:
        self._arguments = (folder if "://" in folder else os.path.abspath(folder), plan_id)
        self._own = not ray.is_initialized()
        if self._own:
            try:
                ray.init(address=address, log_to_driver=False)
            except (ConnectionError, ValueError, RuntimeError) as error:
                raise OutputError(f"Ray: {' '.join(str(error).split())}") from error
        # Retried here, within the limit that counts every engine's failures.
        self._task = ray.remote(num_cpus=1, max_retries=0)(attempt)
        self._running: dict[ray.ObjectRef[Attempt], int] = {}

    @property
    def workers(self) -> int:
        """The cluster's cores, now: nodes come and go."""
        cores = int(ray.cluster_resources().get("CPU", 0))
        return max(1, min(cores, MOST_WAITING))

    def submit(self, shard: int) -> None:
        """Give a shard to the cluster."""
        self._running[self._task.remote(*self._arguments, shard)] = shard

    def next_done(self, timeout_s: float) -> Attempt | None:
        """What was done next; None where nothing is for so long. A process or node that died is an Attempt, too."""
        ready, _ = ray.wait(list(self._running), num_returns=1, timeout=timeout_s)
        if not ready:
            return None
        shard = self._running.pop(ready[0])
        try:
            done: Attempt = ray.get(ready[0])
        except ray.exceptions.RayTaskError as error:  # a bug, which comes again
            return Attempt(shard, None, f"{type(error.cause).__name__}: {error.cause}", again=False)
        except ray.exceptions.RayError as error:
            return Attempt(shard, None, f"the worker died ({type(error).__name__})", again=True)
        return done

    def close(self) -> None:
        """End what still runs, and Ray, if it was started here."""
        for reference in self._running:
            ray.cancel(reference, force=True)
        self._running.clear()
        if self._own:
            ray.shutdown()


def compress_dataset(
    dataset: ray.data.Dataset,
    model: ModelLike,
    *,
    image: str = "image",
    stream: str = "stream",
    target: Target | None = None,
    concurrency: int | tuple[int, int] | None = None,
    batch_images: int = BATCH_IMAGES,
) -> ray.data.Dataset:
    """The rows of a ray.data.Dataset with a column `stream` (bytes) in the place of `image` (uint8 pixels).

    The codec is loaded once an actor. concurrency: how many actors, None for one a core. Raises as Codec.compress_batch
    does, when the data set is read.
    """
    codec = as_codec(model)
    return dataset.map_batches(
        _Compressor,
        fn_constructor_args=(codec, image, stream, target or Target()),
        batch_size=batch_images,
        batch_format="numpy",
        concurrency=concurrency or _cores(),
    )


class _Compressor:
    """An actor's codec, and the columns that it maps."""

    def __init__(self, codec: Any, image: str, stream: str, target: Target) -> None:
        self._codec, self._image, self._stream, self._target = codec, image, stream, target

    def __call__(self, batch: Batch) -> Batch:
        images = [np.ascontiguousarray(pixels) for pixels in batch[self._image]]
        if isinstance(self._codec, Codec):
            streams = self._codec.compress_batch(images, target=self._target)
        else:
            streams = [self._codec.code(pixels, self._target).stream for pixels in images]
        rest = {name: column for name, column in batch.items() if name != self._image}
        return {**rest, self._stream: np.array(streams, object)}


def read_archive(
    archive: str | os.PathLike[str],
    *,
    model: ModelLike | None = None,
    concurrency: int | tuple[int, int] | None = None,
) -> ray.data.Dataset:
    """A row for each image of an archive, or of the shards of a folder: number, name, label (as far as there are any)
    and image, uint8 (h, w) or (h, w, 3). Each block is read once.

    The archive must be reached by every node. Raises as Archive does.
    """
    import ray.data  # loads pandas and pyarrow, of which shards need nothing

    given = None if model is None else as_codec(model)
    path = os.fspath(archive)
    with Archive(path, model=given) as opened:
        blocks = opened.blocks
        columns = (opened.info().named, bool(len(opened)) and opened.label(0) is not None)
    rows = [{"first": int(f), "count": int(n)} for f, n in zip(blocks.firsts, blocks.counts, strict=True)]
    actors = concurrency or _cores()
    most = actors if isinstance(actors, int) else actors[1]
    dataset = ray.data.from_items(rows, override_num_blocks=max(1, min(len(rows), 4 * most)))
    return dataset.map_batches(
        _Reader,
        fn_constructor_args=(path if "://" in path else os.path.abspath(path), given, columns),
        batch_size=1,
        batch_format="numpy",
        concurrency=actors,
    )


class _Reader:
    """An actor's archive. columns: whether images have names, and labels."""

    def __init__(self, path: str, model: Any, columns: tuple[bool, bool]) -> None:
        self._archive = Archive(path, model=model)
        self._named, self._labelled = columns

    def __call__(self, batch: Mapping[str, Any]) -> Batch:
        numbers = [n for f, c in zip(batch["first"], batch["count"], strict=True) for n in range(int(f), int(f + c))]
        images = self._archive.images(numbers)
        rows: Batch = {"number": np.array(numbers, np.int64)}
        if self._named:
            rows["name"] = np.array([self._archive.names[number] for number in numbers], object)
        if self._labelled:
            labels = np.array([self._archive.label(number) for number in numbers], np.int64)
            rows["label"] = labels[:, 0] if labels.shape[1] == 1 else labels
        equal = len({image.shape for image in images}) == 1
        rows["image"] = np.stack(images) if equal else _ragged(images)
        return rows


def _ragged(images: list[Any]) -> Any:
    column = np.empty(len(images), object)
    column[:] = images
    return column


def _cores() -> int:
    """Of the cluster, which is started where none is."""
    if not ray.is_initialized():
        ray.init(log_to_driver=False)
    return max(1, int(ray.cluster_resources().get("CPU", 1)))
