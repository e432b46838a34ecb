"""Arrays of images in a real Zarr v3 store."""

import json
import tomllib
from pathlib import Path

import numpy as np
import pytest

zarr = pytest.importorskip("zarr", minversion="3")

import vaecodec  # noqa: E402
from vaecodec.codec.target import Target  # noqa: E402
from vaecodec.errors import (  # noqa: E402
    ConfigError,
    FormatError,
    ImageModeError,
    ImageSizeError,
    ModelError,
    ModelNotFound,
)
from vaecodec.integrations.zarr import VaecodecCodec, unpack_chunk  # noqa: E402
from vaecodec.modelfile.derived import strip_analysis  # noqa: E402
from vaecodec.modelfile.model import pack_model  # noqa: E402

ROOT = Path(__file__).parents[2]


def create(folder, shape, chunks, dtype="uint8", model="golden-tiny-1", **settings):
    return zarr.create_array(
        folder,
        shape=shape,
        chunks=chunks,
        dtype=dtype,
        serializer=VaecodecCodec(model=model, **settings),
        compressors=None,
        filters=None,
    )


def test_a_lossless_store_gives_back_the_images(tmp_path, monkeypatch):
    golden = ROOT / "tests" / "golden" / "v1"
    rows, columns = np.indices((28, 28))
    sizes = np.linspace(2, 12, 150).reshape(-1, 1, 1)
    images = np.clip(255 - 40 * (np.hypot(rows - 14, columns - 13) - sizes), 0, 255).astype(np.uint8)
    images[7] = np.random.default_rng(0).integers(0, 256, (28, 28), dtype=np.uint8)
    create(tmp_path / "a.zarr", images.shape, (140, 28, 28), model=str(golden / "exact.vaem"), max_error=0)[:] = images
    monkeypatch.setenv("VAECODEC_MODELS", str(golden))  # where reading finds the model
    assert np.array_equal(zarr.open_array(tmp_path / "a.zarr", mode="r")[:], images)


def test_a_store_gives_back_what_the_codec_makes_of_the_images(tmp_path, codec):
    images = np.random.default_rng(0).integers(0, 256, (300, 28, 28), dtype=np.uint8)
    create(tmp_path / "a.zarr", images.shape, (140, 28, 28))[:] = images
    array = zarr.open_array(tmp_path / "a.zarr", mode="r")
    expected = codec.lossy.synthesise(codec.lossy.analyse(images))
    assert np.array_equal(array[:], expected)
    assert np.array_equal(array[137:150, 3:5], expected[137:150, 3:5])
    assert sum(f.stat().st_size for f in (tmp_path / "a.zarr").rglob("*") if f.is_file()) < images.nbytes / 20


def test_smaller_images_and_unwritten_chunks_work(tmp_path, codec):
    array = create(tmp_path / "a.zarr", (10, 20, 9), (4, 20, 9))
    noise = np.random.default_rng(0).integers(0, 256, (4, 20, 9), dtype=np.uint8)
    array[4:8] = noise
    again = zarr.open_array(tmp_path / "a.zarr", mode="r")
    assert again[:].shape == (10, 20, 9)
    assert (again[:4] == 0).all()
    assert np.array_equal(again[4:8], [codec.decompress(codec.compress(image)) for image in noise])


def test_quality_and_targets_are_kept_in_the_metadata(tmp_path, images):
    levels = ROOT / "tests" / "golden" / "v1" / "levels.vaem"
    codec = vaecodec.load(levels)
    for k, setting in enumerate(({}, {"quality": 100.0}, {"target_bytes": 40}, {"level": 1})):
        folder = tmp_path / f"{k}.zarr"
        create(folder, (4, 28, 28), (4, 28, 28), model=str(levels), **setting)[:] = images[:4]
        (shown,) = json.loads((folder / "zarr.json").read_text())["codecs"]
        assert set(shown["configuration"]) == {"model", "fingerprint", *setting}
        written = VaecodecCodec.from_dict(shown)
        expected = [codec.decompress(codec.compress(image, **setting)) for image in images[:4]]
        assert written.target == Target(**setting)
        chunk = next(path for path in (folder / "c").rglob("*") if path.is_file())
        assert np.array_equal(unpack_chunk(chunk.read_bytes(), codec, (4, 28, 28)), expected)
    with pytest.raises(ConfigError, match="give one"):
        VaecodecCodec(model=str(levels), quality=3, level=1)
    with pytest.raises(ModelError, match="level 99"):
        VaecodecCodec(model=str(levels), level=99)


def test_numpys_numbers_are_numbers(tmp_path, images):
    levels = str(ROOT / "tests" / "golden" / "v1" / "levels.vaem")
    for settings in (
        {"level": np.int64(3)},
        {"quality": np.float32(75)},
        {"target_bytes": np.uint8(40)},
        {"level": 3.0},
    ):
        array = create(tmp_path / f"{settings}.zarr", (4, 28, 28), (4, 28, 28), model=levels, **settings)
        array[:] = images[:4]
        (name,) = settings
        (shown,) = json.loads((tmp_path / f"{settings}.zarr" / "zarr.json").read_text())["codecs"]
        assert shown["configuration"][name] == float(settings[name])
    for settings in ({"level": 3.5}, {"quality": "75"}, {"effort": True}, {"max_error": 10**400}):
        with pytest.raises(ConfigError, match="|".join(settings)):
            VaecodecCodec(model=levels, **settings)


def test_chunks_larger_than_the_model_are_refused_when_the_array_is_made(tmp_path):
    with pytest.raises(ImageSizeError, match="29x28"):
        create(tmp_path / "a.zarr", (4, 29, 28), (4, 29, 28))
    assert create(tmp_path / "b.zarr", (4, 56, 56), (4, 28, 28)).shape == (4, 56, 56)


@pytest.mark.parametrize(
    ("shape", "inner", "dtype", "error"),
    [
        ((8, 56, 56), (4, 56, 56), "uint8", ImageSizeError),
        ((8, 28, 28), (4, 28, 28), "float32", ImageModeError),
        ((8, 28, 28, 3), (4, 28, 28, 3), "uint8", ImageModeError),
        ((8, 28), (4, 28), "uint8", ImageModeError),
    ],
)
def test_what_shards_cannot_hold_is_refused_when_the_array_is_made(tmp_path, shape, inner, dtype, error):
    codec = VaecodecCodec(model="golden-tiny-1")
    options = {"serializer": codec, "compressors": None, "filters": None, "shards": shape}
    with pytest.raises(error):
        zarr.create_array(tmp_path / "a.zarr", shape=shape, chunks=inner, dtype=dtype, **options)


def test_images_in_chunks_of_shards_are_read_and_written(tmp_path, codec):
    noise = np.random.default_rng(0).integers(0, 256, (8, 56, 28), dtype=np.uint8)
    options = {"serializer": VaecodecCodec(model="golden-tiny-1"), "compressors": None, "filters": None}
    zarr.create_array(
        tmp_path / "a.zarr", shape=noise.shape, chunks=(4, 28, 28), shards=(8, 56, 28), dtype="uint8", **options
    )[:] = noise
    array = zarr.open_array(tmp_path / "a.zarr", mode="r")
    assert np.array_equal(array[:, :28], [codec.decompress(codec.compress(image)) for image in noise[:, :28]])
    assert array.metadata.to_dict()["shape"] == (8, 56, 28)


def test_a_model_that_only_decodes_is_refused_when_the_codec_is_made(tmp_path):
    stripped = tmp_path / "stripped.vaem"
    stripped.write_bytes(pack_model(strip_analysis(vaecodec.load("golden-tiny-1").model)))
    with pytest.raises(ModelError, match="decoder alone"):
        VaecodecCodec(model=stripped)


def test_a_codec_is_what_its_metadata_say(codec):
    made = VaecodecCodec(model=ROOT / "tests" / "golden" / "v1" / "tiny.vaem", level=0)
    again = VaecodecCodec.from_dict(made.to_dict())
    assert (again, again.model, again.fingerprint) == (made, "tiny", codec.fingerprint.hex())
    assert again != VaecodecCodec(model="golden-tiny-1")
    for configuration in (
        {},
        {"model": 3},
        {"model": "golden-tiny-1", "fingerprint": "no hex"},
        {"model": "golden-tiny-1", "fingerprint": 7},
        {"model": "golden-tiny-1", "more": 1},
    ):
        with pytest.raises(ConfigError):
            VaecodecCodec.from_dict({"name": "vaecodec", "configuration": configuration})


def test_what_is_wrong_is_said(tmp_path, monkeypatch):
    with pytest.raises(ImageModeError, match="uint8"):
        create(tmp_path / "b.zarr", (4, 28, 28), (4, 28, 28), "float32")
    create(tmp_path / "a.zarr", (4, 28, 28), (4, 28, 28))[:] = 77
    (chunk,) = (path for path in (tmp_path / "a.zarr" / "c").rglob("*") if path.is_file())
    data = bytearray(chunk.read_bytes())
    data[9] ^= 1
    chunk.write_bytes(data)
    with pytest.raises(FormatError):
        zarr.open_array(tmp_path / "a.zarr", mode="r")[:]
    monkeypatch.setenv("VAECODEC_MODELS", str(tmp_path))
    with pytest.raises(ModelNotFound, match="golden-tiny-1"):
        zarr.open_array(tmp_path / "a.zarr", mode="r")[:]


def test_the_package_registers_the_codec_by_entry_point():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["entry-points"]["zarr.codecs"] == {"vaecodec": "vaecodec.integrations.zarr:VaecodecCodec"}
