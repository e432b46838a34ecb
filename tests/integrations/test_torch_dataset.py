"""The torch Dataset gives an archive's images and labels, in worker processes too."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from torch.utils.data import DataLoader  # noqa: E402

import vaecodec  # noqa: E402
from vaecodec.integrations.torch_dataset import ArchiveDataset  # noqa: E402


def test_items_are_the_archives_images_and_labels(archive_path, pixels):
    dataset = ArchiveDataset(archive_path)
    assert len(dataset) == 40
    image, label = dataset[7]
    assert (image.dtype, label.dtype, int(label)) == (torch.uint8, torch.int64, 107)
    assert np.array_equal(image.numpy(), pixels[7])
    batch = dataset.__getitems__([39, 0, 39])
    assert np.array_equal(torch.stack([item for item, _ in batch]).numpy(), pixels[[39, 0, 39]])


@pytest.mark.parametrize("workers", [0, 2])
def test_a_shuffled_epoch_sees_each_image_once(archive_path, pixels, workers):
    dataset = ArchiveDataset(vaecodec.Archive(archive_path), transform=lambda image: image.float() / 255)
    generator = torch.Generator().manual_seed(0)
    loader = DataLoader(dataset, batch_size=16, shuffle=True, num_workers=workers, generator=generator)
    seen = {}
    for images, labels in loader:
        assert images.dtype == torch.float32
        seen |= dict(zip(labels.tolist(), (images * 255).round().byte().numpy(), strict=True))
    assert sorted(seen) == list(range(100, 140))
    assert all(np.array_equal(seen[100 + k], pixels[k]) for k in range(40))


def test_labels_may_be_left_out(archive_path, pixels):
    dataset = ArchiveDataset(archive_path, with_labels=False)
    assert np.array_equal(dataset[3].numpy(), pixels[3])
