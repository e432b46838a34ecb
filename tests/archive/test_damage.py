"""Archives that are damaged: a flipped byte loses one block at most, verify names it, and the rest is right."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

import vaecodec
from vaecodec.archive.source import FileSource
from vaecodec.errors import BadChecksum, FormatError

CODEC = vaecodec.load(Path(__file__).parents[1] / "golden" / "v1" / "tiny.vaem")
BLOCK = 4
COUNT = 18
NAMES = [f"folder/{k}.png" for k in range(COUNT)]


@dataclass(frozen=True)
class Whole:
    data: bytes
    images: np.ndarray
    blocks: list[tuple[int, int]]  # offset, end


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Two segments, blocks of four images, the last of each smaller: 4 4 2 | 4 4."""
    path = tmp_path_factory.mktemp("damage") / "a.vaea"
    images = np.random.default_rng(5).integers(0, 256, (COUNT, 28, 28), dtype=np.uint8)
    with vaecodec.ArchiveWriter.create(path, CODEC, block_images=BLOCK, metadata={"k": "v"}) as writer:
        writer.add_batch(images[:10], NAMES[:10], range(10))
    with vaecodec.ArchiveWriter.append(path, CODEC, block_images=BLOCK) as writer:
        writer.add_batch(images[10:], NAMES[10:], range(10, COUNT))
    archive = vaecodec.Archive(path, model=CODEC)
    directory = archive._directory
    blocks = [(int(o), int(o + n)) for o, n in zip(directory.offsets, directory.lengths, strict=True)]
    return Whole(path.read_bytes(), np.stack(list(archive)), blocks)


def opened(path, data):
    path.write_bytes(data)
    return vaecodec.Archive(path, model=CODEC)


FIRSTS = [0, 4, 8, 10, 14, COUNT]


def check(archive, whole, hit):
    """The archive with block number `hit` (or None) damaged at most."""
    result = archive.verify()
    lost = [image.number for image in result.lost]
    block = [] if hit is None else list(range(FIRSTS[hit], FIRSTS[hit + 1]))
    assert lost in ([], block), (lost, block)
    assert not result.whole
    assert {image.name for image in result.lost} <= {None} | {NAMES[k] for k in block}
    assert len(archive) == COUNT
    for k in lost:
        with pytest.raises(FormatError):
            archive[k]
    there = [k for k in range(COUNT) if k not in lost]
    assert np.array_equal(archive.batch(there), whole.images[there])
    others = [k for k in range(COUNT) if k not in block]
    assert [archive.number_of(NAMES[k]) for k in others] == others
    return lost


@pytest.mark.parametrize("part", range(8))
def test_a_flipped_byte_anywhere_loses_one_block_at_most(whole, tmp_path, part):
    rng = np.random.default_rng(part)
    lost_somewhere = 0
    for position in range(part, len(whole.data), 8):
        data = bytearray(whole.data)
        data[position] ^= int(rng.integers(1, 256))
        hit = next((k for k, (start, end) in enumerate(whole.blocks) if start <= position < end), None)
        lost_somewhere += bool(check(opened(tmp_path / "b", bytes(data)), whole, hit))
    assert lost_somewhere


def test_damage_to_pixels_leaves_the_lost_images_named(whole, tmp_path):
    start = whole.blocks[1][0]
    data = bytearray(whole.data)
    data[start + 12] ^= 1
    lost = opened(tmp_path / "b", bytes(data)).verify().lost
    assert [(image.number, image.name) for image in lost] == [(k, NAMES[k]) for k in range(4, 8)]


def test_damage_to_names_loses_names_only(whole, tmp_path):
    end = whole.blocks[1][1]
    data = bytearray(whole.data)
    data[end - 10] ^= 1
    archive = opened(tmp_path / "b", bytes(data))
    assert [np.array_equal(archive[k], whole.images[k]) for k in range(COUNT)] == [True] * COUNT
    result = archive.verify()
    assert result.lost == ()
    assert "names of images 4 to 7" in result.problems[0]
    with pytest.raises(BadChecksum):
        archive.names[5]


def test_a_cut_file_gives_the_old_archive_or_an_error_or_what_is_whole(whole, tmp_path):
    first_end = whole.blocks[3][0]
    footer_begun = len(whole.data) - 16 - int.from_bytes(whole.data[-16:-8], "little") + 4  # its sync, kind and length
    for length in range(0, len(whole.data), 3):
        if length < whole.blocks[0][1]:
            with pytest.raises(FormatError):
                opened(tmp_path / "b", whole.data[:length])
            continue
        archive = opened(tmp_path / "b", whole.data[:length])
        assert archive.problems
        if length >= footer_begun:
            assert len(archive) == COUNT
        elif length >= first_end - 16:
            assert len(archive) == 10
        assert np.array_equal(archive.batch(range(len(archive))), whole.images[: len(archive)])


def test_a_torn_tail_is_reported_and_cut_off_by_the_next_append(whole, tmp_path):
    first_end = whole.blocks[3][0]
    torn = whole.data[: whole.blocks[4][0] + 5]
    archive = opened(tmp_path / "b", torn)
    assert len(archive) == 10
    assert archive.problems == (f"torn tail of {len(torn) - first_end} bytes is ignored: an append was not finished",)
    with vaecodec.ArchiveWriter.append(tmp_path / "b", CODEC, block_images=BLOCK) as writer:
        writer.add_batch(whole.images[:0])
    assert (tmp_path / "b").read_bytes() == whole.data[:first_end]


def test_an_append_mends_a_damaged_trailer_and_refuses_a_damaged_index(whole, tmp_path):
    path = tmp_path / "b"
    path.write_bytes(whole.data[:-3])
    with vaecodec.ArchiveWriter.append(path, CODEC):
        pass
    assert path.read_bytes() == whole.data
    path.write_bytes(whole.data[:-20] + b"\0" + whole.data[-19:])
    with pytest.raises(BadChecksum, match="index is damaged"):
        vaecodec.ArchiveWriter.append(path, CODEC)


def test_everything_but_the_blocks_may_be_gone(whole, tmp_path):
    """Zeros where the footers, the names' tables and the metadata stood: found by scanning, from the first block on."""
    data = bytearray(len(whole.data))
    data[: whole.blocks[0][0]] = whole.data[: whole.blocks[0][0]]
    for start, end in whole.blocks:
        data[start:end] = whole.data[start:end]
    archive = opened(tmp_path / "b", bytes(data))
    assert np.array_equal(list(archive), whole.images)
    assert [archive.number_of(name) for name in NAMES] == list(range(COUNT))
    assert archive.labels.tolist() == list(range(COUNT))
    assert archive.problems


@pytest.mark.parametrize("seed", range(30))
def test_hostile_bytes_raise_only_our_errors(whole, tmp_path, seed):
    rng = np.random.default_rng(seed)
    data = bytearray(whole.data)
    for _ in range(int(rng.integers(1, 40))):
        at, size = int(rng.integers(0, len(data))), int(rng.integers(1, 30))
        kind = rng.integers(0, 3)
        if kind == 0:
            data[at : at + size] = rng.bytes(size)
        elif kind == 1:
            del data[at : at + size]
        else:
            data[at:at] = data[at : at + size]
    try:
        archive = opened(tmp_path / "b", bytes(data))
        result = archive.verify()
        lost = {image.number for image in result.lost}
        for k in range(min(len(archive), 100)):
            assert (k in lost) or archive[k].shape == (28, 28)
    except FormatError:
        pass


def test_a_flood_of_false_records_is_given_up(tmp_path):
    """Each looks like a block that reaches to the end: a scan that believed them all would take quadratic time."""
    frame = bytes.fromhex("b73a80") + b"\xff\xff\x0f"
    data = b"\x89VAEA\r\n\x1a\x01" + frame * 60_000
    with pytest.raises(FormatError):
        opened(tmp_path / "b", data)


def test_an_embedded_model_survives_damage(tmp_path):
    path = tmp_path / "a"
    with vaecodec.ArchiveWriter.create(path, CODEC, embed_model=True) as writer:
        writer.add(np.zeros((28, 28), np.uint8))
    data = path.read_bytes()
    source = FileSource(path)
    source.close()
    for position in [*range(9, 200, 10), *np.random.default_rng(0).integers(200, 70_000, 30).tolist()]:
        damaged = bytearray(data)
        damaged[position] ^= 0x55
        path.write_bytes(damaged)
        with vaecodec.Archive(path) as archive:
            assert archive[0].shape == (28, 28)
            assert archive.verify().lost == ()
            assert not archive.verify().whole
