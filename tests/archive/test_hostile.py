"""What a hostile or damaged archive claims is bounded by its own length, and what is whole in it is found."""

import time
import tracemalloc
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import vaecodec
from vaecodec.archive.verify import LostImage, LostImages, LostRun
from vaecodec.bitstream.archive.block import pack_block, unpack_block
from vaecodec.bitstream.archive.index import pack_footer, unpack_footer
from vaecodec.bitstream.archive.limits import most_images
from vaecodec.bitstream.archive.model_record import ModelRecord, pack_model_record
from vaecodec.bitstream.archive.record import pack_frame, pack_header, pack_record, pack_trailer
from vaecodec.entropy.quantizer import Quantizer
from vaecodec.errors import BadChecksum, FormatError, LimitExceeded

TINY = Path(__file__).parents[1] / "golden" / "v1" / "tiny.vaem"
CODEC = vaecodec.load(TINY)
IMAGES = np.random.default_rng(5).integers(0, 256, (10, 28, 28), dtype=np.uint8)
NAMES = [f"p{k}" for k in range(10)]


def write(path, images=IMAGES, names=NAMES, **options):
    with vaecodec.ArchiveWriter.create(path, CODEC, overwrite=True, **{"block_images": 4, **options}) as writer:
        writer.add_batch(images, names)
    return path.read_bytes()


def block_of(data, path):
    """The bytes of the first block, and its fields."""
    path.write_bytes(data)
    with vaecodec.Archive(path, model=CODEC) as archive:
        raw = archive._blocks.raw(0)
    return raw, unpack_block(raw, lambda _: CODEC.fingerprint)


def forged(path, first):
    """A whole block at 0, and one that says that it begins at `first`; no footer."""
    _, block = block_of(write(path, IMAGES[:4], None), path)
    record = pack_model_record(ModelRecord(CODEC.fingerprint, (28, 28), "m"))
    blocks = [pack_block(replace(block, first=number), CODEC.fingerprint) for number in (0, first)]
    data = pack_header() + record + b"".join(blocks)
    path.write_bytes(data)
    return data


@pytest.mark.parametrize("first", [1 << 40, 2**63 - 1, 2**63 - 4, 1 << 20])
def test_a_block_beyond_what_the_file_has_room_for_is_not_taken(tmp_path, first):
    path = tmp_path / "a"
    forged(path, first)
    with vaecodec.Archive(path, model=CODEC) as archive:
        assert len(archive) == 4
        assert archive.verify().lost == ()
        assert [image.shape for image in archive] == [(28, 28)] * 4


def test_missing_images_within_that_are_lost_and_cost_no_memory(tmp_path):
    path = tmp_path / "a"
    first = most_images(len(forged(path, 1 << 15))) - 4
    assert first > 1000
    forged(path, first)
    with vaecodec.Archive(path, model=CODEC) as archive:
        lost = archive.verify().lost
        assert (len(archive), len(lost)) == (first + 4, first - 4)
        assert (lost[0], lost[-1]) == (LostImage(4, None), LostImage(first - 1, None))


def test_billions_of_lost_images_are_a_few_runs():
    lost = LostImages([LostRun(2, 0), LostRun(3, 1 << 40), LostRun(1 << 50, 2, ("a", "b"))])
    assert len(lost) == (1 << 40) + 2
    assert [lost[0].number, lost[-3].number] == [3, (1 << 40) + 2]
    assert lost[-2:] == (LostImage(1 << 50, "a"), LostImage((1 << 50) + 1, "b"))
    assert next(iter(lost)) == LostImage(3, None)
    assert LostImages([LostRun(1, 2)]) == [LostImage(1, None), LostImage(2, None)]


@pytest.mark.parametrize("first", [1 << 40, 2**63 - 1])
def test_a_footer_that_numbers_more_than_the_file_has_room_for_is_refused(tmp_path, first):
    path = tmp_path / "a"
    data = write(path)
    with vaecodec.ArchiveWriter.append(path, CODEC) as writer:
        writer.add_batch(IMAGES[:2], ["x", "y"])
    whole = path.read_bytes()
    footer_bytes = int.from_bytes(whole[-16:-8], "little")
    footer = unpack_footer(whole[-16 - footer_bytes : -16])
    assert footer.start == len(data)
    other = pack_footer(replace(footer, first_image=first))
    path.write_bytes(whole[: -16 - footer_bytes] + other + pack_trailer(len(other)))
    with vaecodec.Archive(path, model=CODEC) as archive:
        assert len(archive) == 12
        assert archive.verify().lost == ()
        assert "damaged" in archive.problems[0]


@pytest.mark.parametrize("junk", ["b73a00", "b73a81", "b73a0100", "b73a80ffff0f", "b73a8104", "b73a047f", "b73aff"])
def test_a_scan_takes_time_in_proportion_to_the_file(tmp_path, junk):
    """0.25 s a MB at most, here with room for a slow machine: 1 MB of false records took 16 s."""
    path = tmp_path / "a"
    path.write_bytes(pack_header() + bytes.fromhex(junk) * (1 << 18))
    started = time.process_time()
    with pytest.raises(FormatError):
        vaecodec.Archive(path)
    assert time.process_time() - started < 5


def sparse(path, before, body_bytes, after):
    with open(path, "wb") as file:
        file.write(before)
        file.truncate(len(before) + body_bytes)
        file.seek(0, 2)
        file.write(after)


def peak_bytes(action):
    tracemalloc.start()
    try:
        action()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("what", ["metadata", "block", "embedded", "model"])
def test_the_size_of_a_record_is_compared_before_it_is_read(tmp_path, what):
    """400 MB of a file without blocks on the disk."""
    path, size = tmp_path / "a", 400 << 20
    start = pack_header()
    kind = {"metadata": 3, "block": 0x80, "embedded": 2, "model": 1}[what]
    frame = pack_frame(kind, size)
    footer_of = unpack_footer(footer_record(write(tmp_path / "b", IMAGES[:0], None)))
    model = footer_of.models[0]
    whole = len(frame) + size + 4
    changed = {
        "metadata": replace(footer_of, models=(), metadata_bytes=whole),
        "embedded": replace(footer_of, models=(replace(model, record_bytes=1, embedded_bytes=whole - 1),)),
        "model": replace(footer_of, models=(replace(model, record_bytes=whole),)),
        "block": None,
    }[what]
    footer = pack_record(5, b"damaged") if changed is None else pack_footer(changed)
    sparse(path, start + frame, size + 4, footer + pack_trailer(len(footer)))

    def use():
        with vaecodec.Archive(path) as archive:
            assert not archive.verify().whole
            assert archive.info().blocks == 0
            if what == "metadata":
                with pytest.raises(LimitExceeded):
                    _ = archive.metadata
            if what == "embedded":
                with pytest.raises(LimitExceeded):
                    archive.embedded_model()

    assert peak_bytes(use) < 100 << 20


def footer_record(data):
    return data[-16 - int.from_bytes(data[-16:-8], "little") : -16]


@pytest.mark.parametrize("cut", [1, 7, 9, 20, 60])
@pytest.mark.parametrize("given", [True, False])
def test_bytes_cut_from_the_beginning_lose_no_image(tmp_path, monkeypatch, cut, given):
    """By the fingerprint of a footer that is whole, though not where it says; by a model that is installed."""
    folder = tmp_path / "models"
    folder.mkdir()
    (folder / "tiny.vaem").write_bytes(TINY.read_bytes())
    monkeypatch.setenv("VAECODEC_MODELS", str(folder))
    path = tmp_path / "a"
    data = write(path)
    with vaecodec.Archive(path, model=CODEC) as archive:
        expected, before = list(archive), archive._directory.offsets[0]
    assert cut < before
    path.write_bytes(data[cut:])
    with vaecodec.Archive(path, model=CODEC if given else None) as archive:
        assert np.array_equal(list(archive), expected)
        assert [archive.number_of(name) for name in NAMES] == list(range(10))
        assert archive.problems


def test_bytes_that_come_before_lose_no_image(tmp_path):
    path = tmp_path / "a"
    data = write(path, embed_model=True)
    path.write_bytes(b"junk" * 100 + data)
    with vaecodec.Archive(path) as archive:
        assert (len(archive), archive.verify().lost) == (10, ())


def test_a_footer_alone_tells_the_fingerprint(tmp_path):
    """The model's record is gone, no model is given or installed: the archive says which one it needs."""
    path = tmp_path / "a"
    data = write(path)
    path.write_bytes(data[:9] + data[60:])
    with vaecodec.Archive(path) as archive:
        assert len(archive) == 10
        assert archive._directory.models[0].fingerprint == CODEC.fingerprint


def test_a_model_whose_record_is_lost_does_not_take_anothers_number(tmp_path):
    path = tmp_path / "a"
    data = write(path)
    level = CODEC.model.levels[0]
    coarse = replace(level, quantizer=Quantizer(level.quantizer.center, 2 * level.quantizer.step))
    other = vaecodec.Codec(replace(CODEC.model, levels=(level, coarse)))
    assert other.fingerprint != CODEC.fingerprint
    with vaecodec.ArchiveWriter.append(path, other) as writer:
        writer.add_batch(IMAGES[:3], ["x", "y", "z"])
    whole = bytearray(path.read_bytes())
    with vaecodec.Archive(path, model=[CODEC, other]) as archive:
        expected = list(archive)
    whole[20] ^= 1  # the first model's record
    whole[len(data) - 20] ^= 1  # the first footer
    whole[-20] ^= 1  # the last
    path.write_bytes(bytes(whole))
    with vaecodec.Archive(path, model=[CODEC, other]) as archive:
        assert archive.verify().lost == ()
        assert np.array_equal(list(archive), expected)


def test_a_lost_image_is_still_found_by_its_name(tmp_path):
    path = tmp_path / "a"
    data = bytearray(write(path))
    with vaecodec.Archive(path, model=CODEC) as archive:
        offset = int(archive._directory.offsets[0])
    data[offset + 12] ^= 1
    path.write_bytes(bytes(data))
    with vaecodec.Archive(path, model=CODEC) as archive:
        assert list(archive.names) == NAMES
        assert archive.number_of("p1") == 1
        for key in ("p1", 1):
            with pytest.raises(BadChecksum):
                archive[key]
        assert archive["p7"].shape == (28, 28)
