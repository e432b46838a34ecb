"""BlockSampler: batches for a DataLoader over an archive whose bytes are far away: each block is read once an epoch.

    sampler = BlockSampler(archive, 128, workers=4)
    loader = DataLoader(ArchiveDataset(archive), batch_sampler=sampler, num_workers=4)
    for epoch in range(10):
        sampler.set_epoch(epoch)
        for images, labels in loader: ...

    shards, shuffled ──some at a time──> their blocks, shuffled ──some at a time──> their images, shuffled ──> batches
    └ blocks dealt to ranks, then to the workers of each: a loader gives batch i to worker i mod workers

Shuffling within `mix_blocks` blocks is not shuffling within everything: neighbours of a block stay near each other in
an epoch. So sources are best mixed when the archive is made.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
from torch.utils.data import Sampler

from vaecodec.archive.reader import Archive
from vaecodec.errors import ConfigError

Int64 = npt.NDArray[np.int64]


class BlockSampler(Sampler[list[int]]):
    """Lists of batch_size numbers of images, the last of a worker shorter, unless drop_last.

    workers: num_workers of the loader, which must be as many. rank, ranks: of this process among those that train
    together; each gets as many batches, for which the shorter ones repeat some of their own. mix_shards, mix_blocks:
    shards whose blocks, and blocks whose images, are shuffled together; a worker keeps mix_blocks decoded blocks and a
    few more, so that cache_bytes of the archive must have room for them. Raises ConfigError.
    """

    def __init__(
        self,
        archive: Archive,
        batch_size: int,
        *,
        workers: int = 0,
        rank: int = 0,
        ranks: int = 1,
        seed: int = 0,
        mix_shards: int = 4,
        mix_blocks: int = 16,
        drop_last: bool = False,
    ) -> None:
        if min(batch_size, ranks, mix_shards, mix_blocks) < 1 or workers < 0 or not 0 <= rank < ranks:
            raise ConfigError("sampler: sizes are at least 1, workers at least 0, a rank is below the number of ranks")
        self._blocks = archive.blocks
        self._batch_size, self._drop_last = batch_size, drop_last
        self._streams, self._rank, self._ranks = max(1, workers), rank, ranks
        self._seed, self._epoch = seed, 0
        self._mix_shards, self._mix_blocks = mix_shards, mix_blocks

    def set_epoch(self, epoch: int) -> None:
        """Another epoch, another order; the same for every rank."""
        self._epoch = epoch

    def __len__(self) -> int:
        """Batches of this epoch, as many on every rank."""
        order = self._shuffled_blocks()
        return max(sum(map(self._batches_in, self._dealt(order, rank))) for rank in range(self._ranks))

    def __iter__(self) -> Iterator[list[int]]:
        most, count = len(self), 0
        while count < most:  # more than once where another rank has more
            before = count
            for batch in self._interleaved():
                if count < most:
                    yield batch
                    count += 1
            if count == before:
                return

    def _interleaved(self) -> Iterator[list[int]]:
        """A batch of each worker in turn, as long as it has some."""
        streams = [
            self._batches(blocks, np.random.default_rng([self._seed, self._epoch, self._rank, k]))
            for k, blocks in enumerate(self._dealt(self._shuffled_blocks(), self._rank))
        ]
        while streams:
            left = []
            for stream in streams:
                batch = next(stream, None)
                if batch is not None:
                    yield batch
                    left.append(stream)
            streams = left

    def _shuffled_blocks(self) -> Int64:
        """All blocks: shards in a random order, the blocks of some of them at a time shuffled."""
        rng = np.random.default_rng([self._seed, self._epoch])
        shards = self._blocks.shards
        order = rng.permutation(int(shards.max(initial=-1)) + 1)
        place = np.empty_like(order)
        place[order] = np.arange(len(order))
        group = place[shards] // self._mix_shards
        return np.asarray(np.lexsort((rng.random(len(shards)), group)), np.int64)

    def _dealt(self, order: Int64, rank: int) -> list[Int64]:
        """The blocks of each worker of a rank: dealt like cards, so that all have as many, or one less."""
        mine = order[rank :: self._ranks]
        return [mine[k :: self._streams] for k in range(self._streams)]

    def _batches_in(self, blocks: Int64) -> int:
        images = int(self._blocks.counts[blocks].sum())
        return images // self._batch_size if self._drop_last else -(-images // self._batch_size)

    def _batches(self, blocks: Int64, rng: np.random.Generator) -> Iterator[list[int]]:
        """Of one worker: what is left of some blocks comes with the next ones."""
        left = np.empty(0, np.int64)
        for start in range(0, len(blocks), self._mix_blocks):
            some = blocks[start : start + self._mix_blocks]
            numbers = [
                np.arange(f, f + c) for f, c in zip(self._blocks.firsts[some], self._blocks.counts[some], strict=True)
            ]
            mixed = np.concatenate([left, rng.permutation(np.concatenate(numbers))])
            whole = len(mixed) - len(mixed) % self._batch_size
            yield from mixed[:whole].reshape(-1, self._batch_size).tolist()
            left = mixed[whole:]
        if len(left) and not self._drop_last:
            yield left.tolist()
