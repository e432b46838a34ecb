"""Folders of shards, damaged and hostile: what is lost is what was there, and a forger's manifest is refused."""

import json

import numpy as np
import pytest

from tests.archive.test_archive import CODEC
from vaecodec.archive.folder import open_folder
from vaecodec.archive.manifest import INDEX_NAME, MANIFEST_NAME, Manifest
from vaecodec.archive.reader import Archive
from vaecodec.archive.shard_index import make_manifest
from vaecodec.archive.shards import ShardRecord, ShardSettings, SourceImage, record_of, shard_name, write_shard
from vaecodec.errors import BadField, Closed, FormatError, LimitExceeded, NotCanonical, Truncated, UnsupportedVersion

IMAGES = np.random.default_rng(5).integers(0, 256, (30, 28, 28), dtype=np.uint8)
PIXELS = CODEC.lossy.synthesise(CODEC.lossy.analyse(IMAGES))


@pytest.fixture
def folder(tmp_path):
    """Three shards of ten named images, blocks of four."""
    records = []
    for k in range(3):
        path = str(tmp_path / shard_name(k))
        images = [SourceImage(IMAGES[n], f"{n}.png", n, 784) for n in range(10 * k, 10 * k + 10)]
        written = write_shard(path, images, CODEC, ShardSettings(block_images=4, embed_model=True))
        records.append(record_of(path, "plan", k, written))
    make_manifest(open_folder(str(tmp_path)), records)
    return tmp_path


def test_every_image_by_number_and_name(folder):
    with Archive(folder) as archive:  # the model is embedded
        assert np.array_equal(archive.images(range(30)), PIXELS)
        assert all(archive.number_of(f"{n}.png") == n for n in range(30))
        assert archive.embedded_model() is not None
        assert archive.info().segments == 3
        assert archive.blocks.shards.tolist() == [0, 0, 0, 1, 1, 1, 2, 2, 2]


@pytest.mark.parametrize("damage", ["gone", "cut", "changed"])
def test_without_the_index_the_shards_own_are_read(folder, damage):
    data = bytearray((folder / INDEX_NAME).read_bytes())
    if damage == "gone":
        (folder / INDEX_NAME).unlink()
    elif damage == "cut":
        (folder / INDEX_NAME).write_bytes(data[:-30])
    else:
        data[-25] ^= 1
        (folder / INDEX_NAME).write_bytes(data)
    with Archive(folder) as archive:
        assert np.array_equal(archive["27.png"], PIXELS[27])
        assert np.array_equal(list(archive), PIXELS)
        assert len(archive.problems) == 1
        assert not archive.verify().whole


def test_a_shard_that_is_gone_costs_its_images(folder):
    (folder / shard_name(1)).unlink()
    with Archive(folder, model=CODEC) as archive:
        assert [image.number for image in archive.verify().lost] == list(range(10, 20))
        assert np.array_equal(archive[20], PIXELS[20])
        with pytest.raises(Truncated, match="not there"):
            archive[10]


def test_a_damaged_block_costs_its_images(folder):
    path = folder / shard_name(2)
    data = bytearray(path.read_bytes())
    data[json.loads((folder / MANIFEST_NAME).read_bytes())["shards"][2][3] + 30] ^= 1
    path.write_bytes(data)
    with Archive(folder, model=CODEC) as archive:
        assert [image.number for image in archive.verify().lost] == [20, 21, 22, 23]
        assert np.array_equal(archive[19], PIXELS[19])


def test_a_shard_in_the_place_of_another_is_found_by_its_hash(folder):
    """Blocks count images within their shard, so those of two shards look alike."""
    manifest = json.loads((folder / MANIFEST_NAME).read_bytes())
    manifest["shards"][1][:4] = manifest["shards"][0][:4]
    index = manifest["shards"]
    (folder / MANIFEST_NAME).write_text(json.dumps(manifest, sort_keys=True, separators=(",", ":")))
    (folder / INDEX_NAME).unlink()  # the shards' own footers then tell where blocks stand
    with Archive(folder, model=CODEC) as archive:
        assert np.array_equal(archive[10], PIXELS[0])
        assert f"{index[1][0]}: its SHA-256 is not the manifest's" in archive.verify().problems


def test_a_pickled_archive_of_shards_opens_again(folder):
    import pickle

    with Archive(folder, model=CODEC) as archive:
        again = pickle.loads(pickle.dumps(archive))
        assert np.array_equal(again[15], archive[15])


def test_a_closed_archive_of_shards_is_closed(folder):
    archive = Archive(folder, model=CODEC)
    archive.close()
    with pytest.raises(Closed):
        archive[29]


def test_no_more_files_are_open_than_are_kept(folder, monkeypatch):
    monkeypatch.setattr("vaecodec.archive.sharded.OPEN_FILES", 1)
    with Archive(folder, model=CODEC, cache_bytes=0) as archive:
        assert np.array_equal(archive.images([0, 29, 10, 1]), PIXELS[[0, 29, 10, 1]])
        assert len(archive._source._open) == 1


def test_manifests_and_records_come_back(folder):
    data = (folder / MANIFEST_NAME).read_bytes()
    assert Manifest.from_bytes(data).to_bytes() == data
    record = record_of(
        str(folder / shard_name(0)), "p", 0, write_shard(str(folder / "x.vaea"), [], CODEC, ShardSettings())
    )
    assert ShardRecord.from_bytes(record.to_bytes()) == record


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"format": "x"}, BadField),
        ({"version": 2}, UnsupportedVersion),
        ({"more": 1}, BadField),
        ({"shards": []}, BadField),
        ({"shards": [["../x.vaea", 10, 5, 9, "00"]]}, BadField),
        ({"shards": [["x.vaea", -1, 5, 9, "00"]]}, BadField),
        ({"shards": [["x.vaea", 1.5, 5, 9, "00"]]}, BadField),
        ({"shards": [["x.vaea", 1, 5]]}, BadField),
        ({"shards": [["x.vaea", 1 << 33, 5, 9, "00"]]}, LimitExceeded),
        ({"shards": [["x.vaea", 1, 1 << 61, 9, "00"]]}, LimitExceeded),
        ({"fingerprint": "zz"}, BadField),
        ({"index_bytes": True}, BadField),
        ({"footer_bytes": 1 << 40}, BadField),
        ({"model_record": None}, BadField),
        ({"metadata": [1]}, BadField),
        ({"plan": 3}, BadField),
    ],
)
def test_a_manifest_that_is_none_is_refused(folder, change, error):
    value = {**json.loads((folder / MANIFEST_NAME).read_bytes()), **change}
    (folder / MANIFEST_NAME).write_text(json.dumps(value, sort_keys=True, separators=(",", ":")))
    with pytest.raises(error):
        Archive(folder)


@pytest.mark.parametrize("numbers", [[9, 10, 11], [10, 10, 9], [30, 0, 1]])
def test_shards_whose_blocks_are_not_the_manifests_are_not_believed(folder, numbers):
    value = json.loads((folder / MANIFEST_NAME).read_bytes())
    for row, count in zip(value["shards"], numbers, strict=True):
        row[1] = count
    (folder / MANIFEST_NAME).write_text(json.dumps(value, sort_keys=True, separators=(",", ":")))
    with pytest.raises(FormatError):
        Archive(folder)


def test_a_shard_that_was_appended_to_makes_no_manifest(folder):
    from vaecodec.archive.writer import ArchiveWriter

    path = str(folder / shard_name(0))
    with ArchiveWriter.append(path, CODEC) as writer:
        writer.add(IMAGES[0])
    eleven = [SourceImage(IMAGES[0], None, None, 1)] * 11
    written = write_shard(str(folder / "x.vaea"), eleven, CODEC, ShardSettings())
    with pytest.raises(NotCanonical, match="appended"):
        make_manifest(open_folder(str(folder)), [record_of(path, "plan", 0, written)])


def test_bytes_that_are_no_record_are_refused():
    for data in (b"", b"{}", b"[]", b'{"plan":1}'):
        with pytest.raises(FormatError):
            ShardRecord.from_bytes(data)
