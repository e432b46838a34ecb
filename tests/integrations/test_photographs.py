"""Photographs in Zarr's arrays and in torch's data loaders."""

import numpy as np
import pytest

from tests.photo.tiny import smooth_picture, tiny_photo_model
from vaecodec import ArchiveWriter
from vaecodec.codec.photograph import PhotographCodec
from vaecodec.errors import BadField, ConfigError, ImageModeError, ModelError

pytestmark = pytest.mark.usefixtures("special_models_alone")  # each test installs what it speaks of


@pytest.fixture(scope="module")
def photo():
    return PhotographCodec(tiny_photo_model())


@pytest.fixture
def model(photo, tmp_path, monkeypatch):
    """Installed as `photo`."""
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "photo.vaem").write_bytes(photo.model.to_bytes())
    monkeypatch.setenv("VAECODEC_MODELS", str(tmp_path / "models"))
    return "photo"


def create(folder, shape, chunks, model, **settings):
    zarr = pytest.importorskip("zarr", minversion="3")
    from vaecodec.integrations.zarr import VaecodecCodec

    serializer = VaecodecCodec(model=model, **settings)
    return zarr.create_array(
        folder, shape=shape, chunks=chunks, dtype="uint8", serializer=serializer, compressors=None, filters=None
    )


def test_an_array_in_colour_gives_back_what_the_model_makes_of_its_images(photo, model, tmp_path):
    zarr = pytest.importorskip("zarr", minversion="3")
    images = np.stack([smooth_picture(30, 40, seed=k) for k in range(5)])
    images[3] = images[3][..., :1]  # grey in fact
    create(tmp_path / "a.zarr", images.shape, (2, 30, 40, 3), model, quality=100)[:] = images
    array = zarr.open_array(tmp_path / "a.zarr", mode="r")
    for k, image in enumerate(images):
        decoded = photo.decompress(photo.compress(image, quality=100))
        expected = decoded if k != 3 else np.repeat(decoded[..., None], 3, axis=2)
        np.testing.assert_array_equal(array[k], expected)


def test_a_grey_array_may_have_a_photograph_model(photo, model, tmp_path):
    zarr = pytest.importorskip("zarr", minversion="3")
    images = np.stack([smooth_picture(20, 20, seed=k)[..., 0] for k in range(2)])
    create(tmp_path / "a.zarr", images.shape, (2, 20, 20), model)[:] = images
    array = zarr.open_array(tmp_path / "a.zarr")
    np.testing.assert_array_equal(array[1], photo.decompress(photo.compress(images[1])))


def test_what_does_not_fit_is_refused(photo, model, tmp_path):
    pytest.importorskip("zarr", minversion="3")
    from vaecodec.codec.target import Target
    from vaecodec.integrations.zarr import pack_chunk, unpack_chunk

    with pytest.raises(ImageModeError, match="takes grey"):
        create(tmp_path / "a.zarr", (4, 28, 28, 3), (4, 28, 28, 3), "mnist")
    with pytest.raises(ImageModeError, match=r"\(n, h, w, 3\)"):
        create(tmp_path / "a.zarr", (4, 28, 28, 3), (4, 28, 28, 1), model)
    with pytest.raises(ModelError, match="PNG and JPEG XL"):
        create(tmp_path / "a.zarr", (4, 28, 28, 3), (4, 28, 28, 3), model, max_error=0)
    with pytest.raises(ConfigError, match="effort"):
        create(tmp_path / "a.zarr", (4, 28, 28, 3), (4, 28, 28, 3), model, effort=1)
    images = np.stack([smooth_picture(20, 24, seed=k) for k in range(3)])
    chunk = pack_chunk(images, photo, Target())
    assert unpack_chunk(chunk, photo, images.shape).shape == images.shape
    for shape in ((3, 24, 20, 3), (2, 20, 24, 3)):
        with pytest.raises(BadField, match="does not fit"):
            unpack_chunk(chunk, photo, shape)
    with pytest.raises(BadField, match="in colour, the array is grey"):
        unpack_chunk(chunk, photo, images.shape[:3])


def test_a_data_loader_keeps_photographs_as_a_list_or_transforms_them(photo, tmp_path):
    torch = pytest.importorskip("torch")
    from torch.utils.data import DataLoader

    from vaecodec.archive.reader import Archive
    from vaecodec.integrations.torch_dataset import ArchiveDataset

    pictures = [smooth_picture(20 + 9 * k, 40, seed=k) for k in range(4)]
    with ArchiveWriter.create(tmp_path / "a.vaea", photo, embed_model=True) as writer:
        writer.add_batch(pictures, labels=range(4))
    dataset = ArchiveDataset(Archive(tmp_path / "a.vaea"))
    (batch,) = DataLoader(dataset, batch_size=4, collate_fn=list)
    assert [image.shape[0] for image, _ in batch] == [20, 29, 38, 47]
    assert [int(label) for _, label in batch] == [0, 1, 2, 3]
    equal = ArchiveDataset(Archive(tmp_path / "a.vaea"), transform=lambda image: image[:20, :20])
    ((images, _),) = DataLoader(equal, batch_size=4)
    assert images.shape == (4, 20, 20, 3)
    assert images.dtype == torch.uint8
    np.testing.assert_array_equal(images[2].numpy(), photo.decompress(photo.compress(pictures[2]))[:20, :20])
