"""An epoch of a shuffled torch DataLoader over an archive, beside the same loop over the same images as PNG files."""

import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch.utils.data import DataLoader, Dataset

from vaecodec.archive.reader import Archive
from vaecodec.archive.writer import ArchiveWriter
from vaecodec.codec.codec import Codec
from vaecodec.integrations.torch_dataset import ArchiveDataset

BATCH = 128
WORKERS = 2
ROUNDS = 3


class PngFolder(Dataset[Any]):
    """The same items out of one PNG file each."""

    def __init__(self, folder: Path, labels: NDArray[np.int64]) -> None:
        self._folder = folder
        self._labels = torch.from_numpy(labels)

    def __len__(self) -> int:
        return len(self._labels)

    def __getitem__(self, number: int) -> Any:
        with Image.open(self._folder / f"{number:06d}.png") as image:
            return torch.from_numpy(np.array(image)), self._labels[number]


def measure_epoch(
    codec: Codec, images: NDArray[np.uint8], labels: NDArray[np.int64] | None, level: int, folder: Path
) -> dict[str, Any]:
    """Seconds of an epoch, workers' start included, in turn over both, which hold equal pixels."""
    numbers = np.arange(len(images)) if labels is None else np.asarray(labels).reshape(len(images), -1)[:, 0]
    path, pngs = folder / "epoch.vaea", folder / "png"
    with ArchiveWriter.create(path, codec, level=level) as writer:
        writer.add_batch(images, None, numbers)
    archive = ArchiveDataset(Archive(path, model=codec))
    pngs.mkdir()
    for number, image in enumerate(archive.archive):
        Image.fromarray(image).save(pngs / f"{number:06d}.png")
    # A dataset of its own, so that the workers inherit no decoded block.
    sets: dict[str, Dataset[Any]] = {
        "archive": ArchiveDataset(Archive(path, model=codec)),
        "png": PngFolder(pngs, numbers.astype(np.int64)),
    }
    seconds: dict[str, list[float]] = {name: [] for name in sets}
    for _ in range(ROUNDS):
        for name, dataset in sets.items():
            seconds[name].append(_epoch_s(dataset))
    return {
        "images": len(images),
        "batch": BATCH,
        "workers": WORKERS,
        "torch_threads_in_workers": 1,
        "archive_s": seconds["archive"],
        "png_s": seconds["png"],
        "archive_bytes": path.stat().st_size,
        "png_bytes": sum(file.stat().st_size for file in pngs.iterdir()),
    }


def _epoch_s(dataset: Dataset[Any]) -> float:
    generator = torch.Generator().manual_seed(0)
    started = time.perf_counter()
    loader = DataLoader(dataset, batch_size=BATCH, shuffle=True, num_workers=WORKERS, generator=generator)
    seen = sum(len(batch) for batch, _ in loader)
    if seen != len(dataset):  # type: ignore[arg-type]
        raise AssertionError(f"an epoch of {seen} images")
    return time.perf_counter() - started
