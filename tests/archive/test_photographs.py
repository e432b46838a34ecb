"""Archives of photographs: of different sizes, with what comes with their pixels, at random, verified, repaired."""

import pickle
from dataclasses import replace

import numpy as np
import pytest

from tests.photo.tiny import smooth_picture, tiny_photo_model
from vaecodec import Archive, ArchiveWriter, load
from vaecodec.archive import photographs
from vaecodec.archive.folder import open_folder
from vaecodec.archive.shard_index import make_manifest
from vaecodec.archive.shards import ShardSettings, SourceImage, record_of, shard_name, write_shard
from vaecodec.bitstream.archive.block import pack_block, pack_streams, unpack_block, unpack_streams
from vaecodec.bitstream.archive.codings import CODING_STREAMS, Codings
from vaecodec.codec.photograph import PhotographCodec
from vaecodec.codec.picture import Picture
from vaecodec.codec.target import Target
from vaecodec.errors import BadField, FormatError, LimitExceeded, ModelError, ModelNotFound, TargetMissed

SIZES = [(20, 30), (1, 1), (64, 48), (33, 70), (40, 40)]
PIXELS = [smooth_picture(*size, seed=k) for k, size in enumerate(SIZES)]
NAMES = [f"trip/{k}.png" for k in range(len(SIZES))]
CHUNKS = {"icc": bytes(300), "xmp": b"<x/>"}


@pytest.fixture(scope="module")
def codec():
    return PhotographCodec(tiny_photo_model())


@pytest.fixture(scope="module")
def decoded(codec):
    return [codec.decompress(codec.compress(pixels)) for pixels in PIXELS]


@pytest.fixture
def path(codec, tmp_path):
    """Three blocks: of two, two and one photographs."""
    with ArchiveWriter.create(tmp_path / "trip.vaea", codec, block_images=2) as writer:
        writer.add_batch(PIXELS, NAMES, labels=range(len(PIXELS)))
    return tmp_path / "trip.vaea"


def test_photographs_of_different_sizes_come_back_by_number_and_name(codec, path, decoded):
    with Archive(path, model=codec) as archive:
        assert len(archive) == len(PIXELS)
        for k in (3, 0, 4, 1, 2):
            np.testing.assert_array_equal(archive[k], decoded[k])
            np.testing.assert_array_equal(archive[NAMES[k]], decoded[k])
        for one, other in zip(archive, decoded, strict=True):
            np.testing.assert_array_equal(one, other)
        assert list(archive.names) == NAMES
        assert archive.labels.tolist() == list(range(len(PIXELS)))
        assert archive.verify().whole
        assert archive.info().blocks == 3


def test_each_is_the_stream_that_it_is_alone(codec, path):
    data = path.read_bytes()
    for pixels in PIXELS:
        assert codec.compress(pixels) in data
    whole = sum(len(codec.compress(pixels)) for pixels in PIXELS) + sum(map(len, NAMES))
    assert len(data) < whole + 400


def test_what_comes_with_the_pixels_comes_back(codec, tmp_path):
    picture = Picture(PIXELS[0], alpha=PIXELS[0][..., 0], chunks=CHUNKS)
    grey = Picture(np.repeat(PIXELS[2][..., :1], 3, axis=2), grey=True)
    with ArchiveWriter.create(tmp_path / "a.vaea", codec, level=3) as writer:
        writer.add(picture)
        writer.add(grey)
    with Archive(tmp_path / "a.vaea", model=codec) as archive:
        first, second = archive.pictures([0, 1])
        np.testing.assert_array_equal(first.alpha, picture.alpha)
        assert dict(first.chunks) == CHUNKS
        assert second.grey
        assert archive[1].shape == grey.size
        assert [one.size for one in archive.pictures([-1, 0])] == [grey.size, picture.size]


def test_targets_are_each_photographs_own(codec, tmp_path):
    with ArchiveWriter.create(tmp_path / "a.vaea", codec, target=Target(target_bytes=400)) as writer:
        for pixels in PIXELS:
            writer.add(pixels)
        writer.add(PIXELS[0], target=Target(quality=0))
        with pytest.raises(TargetMissed, match=r"image 6 \(big\.png\): target of 20 bytes"):
            writer.add(PIXELS[3], "big.png", target=Target(target_bytes=20))
        with pytest.raises(ModelError, match="PNG and JPEG XL"):
            writer.add(PIXELS[0], target=Target(max_error=0))
    with Archive(tmp_path / "a.vaea", model=codec) as archive:
        for k, pixels in enumerate(PIXELS):
            np.testing.assert_array_equal(archive[k], codec.decompress(codec.compress(pixels, target_bytes=400)))
        np.testing.assert_array_equal(archive[5], codec.decompress(codec.compress(PIXELS[0], quality=0)))


def test_a_block_is_full_before_it_is_large(codec, tmp_path, monkeypatch):
    monkeypatch.setattr(photographs, "FULL_BLOCK_BYTES", 100)
    with ArchiveWriter.create(tmp_path / "a.vaea", codec) as writer:
        writer.add_batch(PIXELS)
    with Archive(tmp_path / "a.vaea", model=codec) as archive:
        assert 2 <= archive.info().blocks <= len(PIXELS)
        assert archive.verify().whole
    monkeypatch.setattr(photographs, "MAX_STREAM_BYTES", 100)
    with ArchiveWriter.create(tmp_path / "b.vaea", codec) as writer:
        writer.add(PIXELS[1])
        with pytest.raises(LimitExceeded, match="image 1: "):
            writer.add(PIXELS[3])


def test_an_archive_may_hold_photographs_and_digits(codec, path):
    digits = np.zeros((3, 28, 28), np.uint8)
    digits[:, 8:20, 13:15] = 255
    with ArchiveWriter.append(path, "mnist") as writer:
        writer.add_batch(digits)
    with ArchiveWriter.append(path, codec) as writer:
        writer.add(PIXELS[0])
    with Archive(path, model=codec) as archive:
        assert [image.shape[:2] for image in archive] == [*SIZES, *[(28, 28)] * 3, SIZES[0]]
        assert [picture.size for picture in archive.pictures([5, 0])] == [(28, 28), SIZES[0]]
        assert archive.verify().whole
        again = pickle.loads(pickle.dumps(archive))
        np.testing.assert_array_equal(again[8], archive[0])
        again.close()


def test_the_model_is_found_embedded_or_installed(codec, tmp_path, monkeypatch, decoded):
    with ArchiveWriter.create(tmp_path / "a.vaea", codec, embed_model=True) as writer:
        writer.add(PIXELS[0])
    with Archive(tmp_path / "a.vaea") as archive:
        np.testing.assert_array_equal(archive[0], decoded[0])
        assert archive.embedded_model() == codec.model.to_bytes()
    with ArchiveWriter.create(tmp_path / "b.vaea", codec) as writer:
        writer.add(PIXELS[0])
    monkeypatch.setenv("VAECODEC_MODELS", str(tmp_path / "models"))
    with Archive(tmp_path / "b.vaea") as archive, pytest.raises(ModelNotFound, match="tiny-photo"):
        archive[0]
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "tiny-photo.vaem").write_bytes(codec.model.to_bytes())
    with Archive(tmp_path / "b.vaea") as archive:
        np.testing.assert_array_equal(archive[0], decoded[0])
    with ArchiveWriter.append(tmp_path / "b.vaea") as writer:  # with the model used last
        writer.add(PIXELS[1])
    assert len(Archive(tmp_path / "b.vaea")) == 2


def test_damage_loses_one_block(codec, path, decoded):
    data = bytearray(path.read_bytes())
    data[data.index(codec.compress(PIXELS[2])) + 30] ^= 1
    path.write_bytes(data)
    with Archive(path, model=codec) as archive:
        found = archive.verify()
        assert [(image.number, image.name) for image in found.lost] == [(2, NAMES[2]), (3, NAMES[3])]
        np.testing.assert_array_equal(archive[4], decoded[4])
        with pytest.raises(FormatError):
            archive[3]
        with pytest.raises(FormatError):
            list(archive)


def test_without_its_index_an_archive_is_read_by_scanning(codec, path, decoded):
    data = path.read_bytes()
    path.write_bytes(data[:-40])
    with Archive(path, model=codec) as archive:
        assert archive.problems
        for k, pixels in enumerate(decoded):
            np.testing.assert_array_equal(archive[k], pixels)


def test_a_block_of_streams_is_refused_with_another_kind_of_model(codec, path):
    mnist = load("mnist")
    block = unpack_block(Archive(path, model=codec)._blocks.raw(0), lambda _: codec.fingerprint)
    assert block.codings == Codings((CODING_STREAMS,) * 2)
    from vaecodec.archive.blocks import decode_block

    with pytest.raises(BadField, match="coding 123"):
        decode_block(block, mnist)
    with pytest.raises(BadField, match="coding 0"):
        decode_block(replace(block, codings=Codings((0, 0))), codec)
    for sizes in ((5, 5), (6, 6)), ((5, 5), (5, 5)):
        with pytest.raises(BadField, match="streams"):
            pack_block(replace(block, sizes=sizes), codec.fingerprint)
    mixed = replace(block, codings=Codings((CODING_STREAMS, 0)))
    with pytest.raises(BadField):
        pack_block(mixed, codec.fingerprint)


def test_lengths_that_lie_are_refused(codec):
    streams = [codec.compress(pixels) for pixels in PIXELS[:3]]
    payload = pack_streams(streams)
    assert unpack_streams(payload, 3) == tuple(streams)
    for bad in (b"\xff\xff\xff\x7f" + payload[1:], payload[:5], b"\x80\0" + payload[1:]):
        with pytest.raises(FormatError):
            unpack_streams(bad, 3)


def test_photographs_of_any_size_in_shards(codec, decoded, tmp_path):
    records = []
    for k, numbers in enumerate(((0, 1), (2, 3, 4))):
        path = str(tmp_path / shard_name(k))
        images = [SourceImage(Picture(PIXELS[n], chunks=CHUNKS), NAMES[n], None, 100) for n in numbers]
        written = write_shard(path, images, codec, ShardSettings())
        assert written.sampled == 1
        assert written.psnr_db == written.least_psnr_db > 0
        records.append(record_of(path, "plan", k, written))
    make_manifest(open_folder(str(tmp_path)), records)
    with Archive(tmp_path, model=codec) as archive:
        np.testing.assert_array_equal(archive[NAMES[3]], decoded[3])
        (picture,) = archive.pictures([2])
        assert dict(picture.chunks) == CHUNKS
        assert archive.verify().whole
