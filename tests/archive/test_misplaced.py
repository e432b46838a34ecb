"""Blocks that are whole are found, wherever they stand: swapped, doubled, moved, or behind a footer that is gone."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import vaecodec
from vaecodec.bitstream.archive.block import pack_block, unpack_block
from vaecodec.bitstream.archive.index import pack_footer, unpack_footer
from vaecodec.bitstream.archive.model_record import pack_embedded
from vaecodec.bitstream.archive.record import pack_trailer
from vaecodec.errors import BadChecksum, FormatError

GOLDEN = Path(__file__).parents[1] / "golden" / "v1"
CODEC = vaecodec.load(GOLDEN / "tiny.vaem")
IMAGES = np.random.default_rng(8).integers(0, 256, (30, 28, 28), dtype=np.uint8)
NAMES = [f"folder/{k}.png" for k in range(30)]


def segments(path, *parts):
    """An archive with a segment for each range of images, four images a block."""
    for part in parts:
        opened = vaecodec.ArchiveWriter.append if path.exists() else vaecodec.ArchiveWriter.create
        with opened(path, CODEC, block_images=4) as writer:
            writer.add_batch(IMAGES[part], NAMES[part])
    with vaecodec.Archive(path, model=CODEC) as archive:
        directory = archive._directory
        places = [(int(o), int(o + n)) for o, n in zip(directory.offsets, directory.lengths, strict=True)]
        return path.read_bytes(), places, list(archive)


def assert_nothing_is_lost(path, data, images):
    path.write_bytes(data)
    with vaecodec.Archive(path, model=CODEC) as archive:
        assert archive.verify().lost == ()
        assert archive.verify().problems
        assert np.array_equal(list(archive), images)
        assert list(archive.names) == NAMES[: len(images)]
        assert [archive.number_of(name) for name in NAMES[: len(images)]] == list(range(len(images)))


@pytest.mark.parametrize(("a", "b"), [(0, 1), (0, 6), (2, 5), (3, 4)])
def test_two_swapped_blocks_lose_nothing(tmp_path, a, b):
    data, places, images = segments(tmp_path / "a", slice(0, 28))
    (start_a, end_a), (start_b, end_b) = places[a], places[b]
    middle = data[end_a:start_b]
    swapped = data[:start_a] + data[start_b:end_b] + middle + data[start_a:end_a] + data[end_b:]
    assert_nothing_is_lost(tmp_path / "a", swapped, images)


def test_all_blocks_in_reverse_order_lose_nothing(tmp_path):
    data, places, images = segments(tmp_path / "a", slice(0, 30))
    blocks = b"".join(data[start:end] for start, end in reversed(places))
    assert_nothing_is_lost(tmp_path / "a", data[: places[0][0]] + blocks + data[places[-1][1] :], images)


def test_blocks_of_two_segments_may_be_swapped(tmp_path):
    data, places, images = segments(tmp_path / "a", slice(0, 14), slice(14, 30))
    (start_a, end_a), (start_b, end_b) = places[1], places[5]
    swapped = data[:start_a] + data[start_b:end_b] + data[end_a:start_b] + data[start_a:end_a] + data[end_b:]
    assert_nothing_is_lost(tmp_path / "a", swapped, images)


@pytest.mark.parametrize("of", range(7))
@pytest.mark.parametrize("before", [0, 3, 6])
def test_a_doubled_block_loses_nothing(tmp_path, of, before):
    data, places, images = segments(tmp_path / "a", slice(0, 28))
    copy, at = data[slice(*places[of])], places[before][0]
    assert_nothing_is_lost(tmp_path / "a", data[:at] + copy + data[at:], images)


def test_a_damaged_block_does_not_take_the_place_of_another(tmp_path):
    data, places, images = segments(tmp_path / "a", slice(0, 28))
    damaged = bytearray(data)
    damaged[places[3][0] + 12] ^= 1
    path = tmp_path / "a"
    path.write_bytes(damaged)
    with vaecodec.Archive(path, model=CODEC) as archive:
        assert [(lost.number, lost.name) for lost in archive.verify().lost] == [(k, NAMES[k]) for k in range(12, 16)]
        assert np.array_equal(archive[16:], images[16:])


def test_a_block_in_the_place_of_another_does_not_lend_it_its_names(tmp_path):
    """A copy of the second block stands where the third one was: the third is lost, and its names with it."""
    path = tmp_path / "a"
    same = np.repeat(IMAGES[:1], 28, axis=0)
    with vaecodec.ArchiveWriter.create(path, CODEC, block_images=4) as writer:
        writer.add_batch(same, [chr(65 + k) for k in range(28)])
    data = bytearray(path.read_bytes())
    with vaecodec.Archive(path, model=CODEC) as archive:
        offsets, lengths = archive._directory.offsets.tolist(), archive._directory.lengths.tolist()
    assert lengths[1] == lengths[2]
    data[offsets[2] : offsets[2] + lengths[2]] = data[offsets[1] : offsets[1] + lengths[1]]
    path.write_bytes(data)
    with vaecodec.Archive(path, model=CODEC) as archive:
        assert [(lost.number, lost.name) for lost in archive.verify().lost] == [(k, None) for k in range(8, 12)]


@pytest.mark.parametrize("first", [3, 4, 5])
def test_a_page_of_zeros_over_the_last_footers_loses_what_it_touches(tmp_path, first):
    """The second segment's footer, and all of the third: the second's blocks come from a tail without an index."""
    data, places, images = segments(tmp_path / "a", slice(0, 10), slice(10, 22), slice(22, 26))
    start = places[first][0] + 5
    path = tmp_path / "a"
    path.write_bytes(data[:start] + bytes(len(data) - start))
    kept = [0, 4, 8, 10, 14, 18][first]
    with vaecodec.Archive(path, model=CODEC) as archive:
        assert np.array_equal(list(archive), images[:kept])
        assert archive.number_of(NAMES[kept - 1]) == kept - 1
        assert archive.problems
    before = path.read_bytes()
    if first > 3:  # no append cuts off blocks that are whole
        with pytest.raises(BadChecksum, match="index is damaged"):
            vaecodec.ArchiveWriter.append(path, CODEC)
        assert path.read_bytes() == before


def test_blocks_behind_the_last_whole_footer_are_found_by_what_follows_them(tmp_path):
    data, _, images = segments(tmp_path / "a", slice(0, 10), slice(10, 22))
    footer_bytes = int.from_bytes(data[-16:-8], "little")
    zeroed = data[: -16 - footer_bytes] + bytes(16 + footer_bytes)
    assert_nothing_is_lost(tmp_path / "a", zeroed, images)
    assert_nothing_is_lost(tmp_path / "a", data[: -16 - footer_bytes + 5], images)


def test_junk_behind_an_archive_is_ignored_and_cut_off_by_the_next_append(tmp_path):
    data, _, images = segments(tmp_path / "a", slice(0, 10))
    path = tmp_path / "a"
    path.write_bytes(data + bytes(4096))
    with vaecodec.Archive(path, model=CODEC) as archive:
        assert archive.problems == ("torn tail of 4096 bytes is ignored: an append was not finished",)
        assert np.array_equal(list(archive), images)
    with vaecodec.ArchiveWriter.append(path, CODEC):
        pass
    assert path.read_bytes() == data


def test_whole_footers_are_believed_against_what_a_scan_finds(tmp_path):
    """The first footer is damaged, and a block of its segment claims images of the second."""
    data, places, _ = segments(tmp_path / "a", slice(0, 4), slice(4, 12))
    block = unpack_block(data[slice(*places[0])], lambda _: CODEC.fingerprint)
    forged = pack_block(replace(block, first=8), CODEC.fingerprint)
    path = tmp_path / "a"
    broken = bytearray(data[: places[0][0]] + forged + data[places[0][1] :])
    broken[places[0][1] + 100 :][:1] = b"\0"
    path.write_bytes(broken)
    with vaecodec.Archive(path, model=CODEC) as archive:
        assert len(archive) == 12
        assert [lost.number for lost in archive.verify().lost] == [0, 1, 2, 3]
        with pytest.raises(FormatError):
            list(archive)


def test_a_last_footer_without_blocks_still_counts_the_images_before_it(tmp_path):
    path = tmp_path / "a"
    data, places, _ = segments(path, slice(0, 8))
    with vaecodec.ArchiveWriter.append(path, CODEC, metadata={"k": "v"}):
        pass
    damaged = bytearray(path.read_bytes())
    damaged[places[1][0] + 12] ^= 1  # the last block
    damaged[len(data) - 20] ^= 1  # the first footer
    path.write_bytes(damaged)
    with vaecodec.Archive(path, model=CODEC) as archive:
        assert len(archive) == 8
        assert [lost.number for lost in archive.verify().lost] == [4, 5, 6, 7]
        with pytest.raises(BadChecksum):
            list(archive)


def test_the_first_image_of_a_name_is_found_where_an_index_before_it_is_damaged(tmp_path):
    path = tmp_path / "a"
    data, _, _ = segments(path, slice(0, 8))
    with vaecodec.ArchiveWriter.append(path, CODEC) as writer:
        writer.add(IMAGES[20], NAMES[3])
    damaged = bytearray(path.read_bytes())
    damaged[len(data) - 20] ^= 1
    path.write_bytes(damaged)
    with vaecodec.Archive(path, model=CODEC) as archive:
        assert (archive.number_of(NAMES[3]), len(archive)) == (3, 9)


def test_an_embedded_model_of_another_fingerprint_is_refused(tmp_path):
    """A whole model file, but not of the model that the archive names."""
    path = tmp_path / "a"
    with vaecodec.ArchiveWriter.create(path, CODEC, embed_model=True) as writer:
        writer.add_batch(IMAGES[:4])
    data = path.read_bytes()
    with vaecodec.Archive(path, model=CODEC) as archive:
        assert archive.embedded_model() == (GOLDEN / "tiny.vaem").read_bytes()
        place = archive._directory.models[0].embedded
    footer = unpack_footer(data[-16 - int.from_bytes(data[-16:-8], "little") : -16])
    other = pack_embedded((GOLDEN / "mini.vaem").read_bytes())
    changed = pack_footer(replace(footer, models=(replace(footer.models[0], embedded_bytes=len(other)),)))
    blocks = data[sum(place) : footer.offset]
    path.write_bytes(data[: place[0]] + other + blocks + changed + pack_trailer(len(changed)))
    with vaecodec.Archive(path, model=CODEC) as archive:
        with pytest.raises(BadChecksum, match="fingerprint"):
            archive.embedded_model()
        assert archive.verify().lost == ()
        assert "embedded model 0 is lost" in archive.verify().problems[0]
