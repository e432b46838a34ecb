"""A torch Dataset over an archive: random access for a training loop.

    archive = vaecodec.Archive("digits.vaea")
    loader = DataLoader(ArchiveDataset(archive), batch_size=128, shuffle=True, num_workers=2, persistent_workers=True)
    for images, labels in loader:   # uint8 (b, h, w), int64 (b,)

The labels of one file are read when the data set is made; those of shards, which may be far away, with their images.
For these, torch_sampler.py has a sampler that reads each block once an epoch.

Photographs differ in size: `collate_fn=list` keeps each batch as a list, and a transform can make them equal.

A loader asks for a whole batch at once (__getitems__), so images are made together. Each worker keeps the symbols that
it has decoded; with persistent_workers it keeps them for the next epoch too.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch.utils.data import Dataset

from vaecodec.archive.reader import Archive

Transform = Callable[[torch.Tensor], Any]


class ArchiveDataset(Dataset[Any]):
    """(image uint8 (h, w) or (h, w, 3), label) for each number, or the image alone where the archive has no labels.

    transform: applied to each image. with_labels: False leaves the labels out and unread. Safe in worker processes,
    forked or spawned. Raises as Archive does.
    """

    def __init__(
        self, archive: Archive | str | os.PathLike[str], *, transform: Transform | None = None, with_labels: bool = True
    ) -> None:
        self.archive = archive if isinstance(archive, Archive) else Archive(archive)
        self._transform = transform
        columns = self.archive.label_columns
        self._labelled = with_labels and columns != 0
        # Read here once, rather than in every worker.
        labels = self.archive.labels if self._labelled and columns is None else None
        self._labels = None if labels is None else torch.from_numpy(np.ascontiguousarray(labels))

    def __len__(self) -> int:
        return len(self.archive)

    def __getitem__(self, number: int) -> Any:
        return self.__getitems__([number])[0]

    def __getitems__(self, numbers: Sequence[int]) -> list[Any]:
        """The items of a whole batch."""
        images = [torch.from_numpy(image) for image in self.archive.images(numbers)]
        items: list[Any] = images if self._transform is None else [self._transform(image) for image in images]
        if self._labels is not None:
            return [(item, self._labels[number]) for item, number in zip(items, numbers, strict=True)]
        if not self._labelled or self.archive.label_columns is None:
            return items
        return [(item, self._label(number)) for item, number in zip(items, numbers, strict=True)]

    def _label(self, number: int) -> torch.Tensor:
        """Of an image whose block was just read."""
        row = self.archive.label(number)
        assert row is not None  # the manifest says so of every image
        return torch.from_numpy(row[0:1].copy())[0] if len(row) == 1 else torch.from_numpy(row.copy())
