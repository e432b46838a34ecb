"""Archives of exact images: solid blocks of all kinds, what they cost, and damage to them."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import vaecodec
from vaecodec.archive.blocks import decode_apart, decode_block
from vaecodec.archive.encode import PendingImage, encode_block
from vaecodec.bitstream.archive.block import Block, pack_block
from vaecodec.bitstream.archive.codings import Codings
from vaecodec.bitstream.stream import CODING_LOSSLESS, CODING_NEAR_LOSSLESS, CODING_STORED, CODING_STORED_BITS
from vaecodec.codec.codec import Codec, load
from vaecodec.codec.target import Target
from vaecodec.data import load_dataset
from vaecodec.errors import BadChecksum, BadField, FormatError, ModelError, TrailingData, Truncated
from vaecodec.modelfile.derived import join_models

GOLDEN = Path(__file__).parents[1] / "golden" / "v1"
EXACT, BITS, TINY, JOINED = (load(GOLDEN / f"{name}.vaem") for name in ("exact", "bits", "tiny", "joined"))
LEVELS = Codec(join_models(load(GOLDEN / "levels.vaem").model, EXACT.model, "levels"))
DIGITS = load_dataset("mnist", "test", data_dir=GOLDEN.parents[1] / "fixtures" / "data").images[:80]
NOISE = np.random.default_rng(0).integers(0, 256, (28, 28), np.uint8)
CHEQUERED = (np.indices((28, 28)).sum(axis=0) % 2 * 255).astype(np.uint8)
LOSSLESS = Target(max_error=0)


def written(path: Path, images: list[np.ndarray], codec: Codec = EXACT, **options: object) -> vaecodec.Archive:
    with vaecodec.ArchiveWriter.create(path, codec, target=LOSSLESS, **options) as writer:
        writer.add_batch(images)
    return vaecodec.Archive(path, model=codec)


def codings(archive: vaecodec.Archive) -> list[tuple[int, ...]]:
    return [archive._blocks.read(k).codings.each for k in range(archive.info().blocks)]


def test_images_come_back_in_any_order_and_one_by_one(tmp_path: Path) -> None:
    archive = written(tmp_path / "a", list(DIGITS), block_images=32)
    assert np.array_equal(np.stack(list(archive)), DIGITS)
    assert np.array_equal(archive[77], DIGITS[77])
    chosen = [70, 3, 3, 50, 1]
    assert np.array_equal(archive.batch(chosen), DIGITS[chosen])
    assert archive.verify().whole


def test_blocks_of_exact_images_are_small_unless_it_is_said_otherwise(tmp_path: Path) -> None:
    assert [len(each) for each in codings(written(tmp_path / "a", list(DIGITS)))] == [32, 32, 16]
    assert [len(each) for each in codings(written(tmp_path / "b", list(DIGITS), block_images=128))] == [80]
    with vaecodec.ArchiveWriter.append(tmp_path / "a", EXACT, target=LOSSLESS) as writer:
        writer.add_batch(DIGITS[:33])
    assert [len(each) for each in codings(vaecodec.Archive(tmp_path / "a", model=EXACT))] == [32, 32, 16, 32, 1]


def test_what_is_kept_takes_a_fraction_of_the_pixels_and_may_be_written_into(tmp_path: Path) -> None:
    written(tmp_path / "a", list(DIGITS))
    archive = vaecodec.Archive(tmp_path / "a", model=EXACT, cache_bytes=DIGITS.nbytes // 2)
    for _ in range(2):
        image = archive[40]
        assert np.array_equal(image, DIGITS[40])
        image[:] = 7
    assert np.array_equal(np.stack(list(archive)), DIGITS)
    assert len(archive._blocks._kept) == 3


def test_a_stored_image_needs_none_of_its_block(tmp_path: Path) -> None:
    images = [DIGITS[0], NOISE, CHEQUERED[:9]]
    wrong = changed(images, codings=Codings((CODING_LOSSLESS, CODING_STORED, CODING_STORED_BITS), 0, 1))
    apart = decode_apart(wrong, EXACT, [2, 1])
    assert np.array_equal(apart.pixels[1], NOISE)
    assert np.array_equal(apart.pixels[2], CHEQUERED[:9])
    assert decode_apart(wrong, EXACT, [1, 0]) is None
    assert decode_apart(wrong, TINY, [1]) is None
    archive = written(tmp_path / "a", images)
    assert np.array_equal(archive[1], NOISE)
    assert not archive._blocks._kept
    assert all(map(np.array_equal, archive.images([2, 0, 1]), [images[k] for k in (2, 0, 1)]))


def test_a_block_costs_less_than_its_streams(tmp_path: Path) -> None:
    archive = written(tmp_path / "a", list(DIGITS))
    streams = EXACT.compress_batch(DIGITS, target=LOSSLESS)
    assert archive.info().block_bytes < sum(map(len, streams)) - 6 * len(DIGITS)


def test_images_that_coding_makes_larger_are_stored_among_the_others(tmp_path: Path) -> None:
    images = [DIGITS[0], NOISE, DIGITS[1, :20], CHEQUERED, NOISE[:3, :5], DIGITS[2]]
    archive = written(tmp_path / "a", images)
    kinds = (CODING_LOSSLESS, CODING_STORED, CODING_LOSSLESS, CODING_STORED_BITS, CODING_STORED, CODING_LOSSLESS)
    assert codings(archive) == [kinds]
    for found, image in zip(archive, images, strict=True):
        assert np.array_equal(found, image)
    assert archive.info().block_bytes < sum(len(EXACT.compress(image, lossless=True)) for image in images) + 30


def test_a_block_may_be_stored_throughout(tmp_path: Path) -> None:
    archive = written(tmp_path / "a", [NOISE, NOISE[::-1]])
    assert codings(archive) == [(CODING_STORED, CODING_STORED)]
    assert np.array_equal(archive[1], NOISE[::-1])
    assert archive.info().block_bytes < 2 * NOISE.size + 20


def test_a_part_of_one_bit_stores_grey(tmp_path: Path) -> None:
    disc = (np.hypot(*np.indices((12, 10))) < 6).astype(np.uint8)
    archive = written(tmp_path / "a", [disc * np.uint8(255), disc * np.uint8(9)], BITS)
    assert codings(archive) == [(CODING_LOSSLESS, CODING_STORED)]
    assert np.array_equal(archive[1], disc * np.uint8(9))


def test_kinds_have_blocks_of_their_own(tmp_path: Path) -> None:
    path = tmp_path / "a"
    with vaecodec.ArchiveWriter.create(path, LEVELS, level=1) as writer:
        writer.add_batch(DIGITS[:3])
        writer.add_batch(DIGITS[3:6], target=LOSSLESS)
        writer.add_batch(DIGITS[6:8], target=Target(quality=100))
        writer.add_batch(DIGITS[8:10], target=Target(max_error=4))
        writer.add(DIGITS[10], target=Target(max_error=5))
    with vaecodec.ArchiveWriter.append(path, LEVELS, target=Target(quality=0)) as writer:
        writer.add(DIGITS[11])
    archive = vaecodec.Archive(path, model=LEVELS)
    assert codings(archive) == [
        (1,) * 3,
        (CODING_LOSSLESS,) * 5,
        (CODING_NEAR_LOSSLESS,) * 2,
        (CODING_NEAR_LOSSLESS,),
        (0,),
    ]
    images = archive.images(range(len(archive)))
    assert np.array_equal(np.stack(images[3:8]), DIGITS[3:8])
    for k, error in ((8, 4), (9, 4), (10, 5)):
        assert np.abs(images[k].astype(int) - DIGITS[k]).max() <= error
    assert np.array_equal(images[0], LEVELS.lossy.synthesise(LEVELS.lossy.analyse(DIGITS[:1], 1), 1)[0])
    assert archive.verify().whole


def test_a_model_of_a_part_alone_needs_no_target(tmp_path: Path) -> None:
    with vaecodec.ArchiveWriter.create(tmp_path / "a", EXACT, embed_model=True) as writer:
        writer.add_batch(DIGITS[:3])
    assert np.array_equal(vaecodec.Archive(tmp_path / "a").batch([0, 1, 2]), DIGITS[:3])


def test_a_model_without_the_part_refuses(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no lossless part"):
        vaecodec.ArchiveWriter.create(tmp_path / "a", TINY, target=LOSSLESS)
    assert not (tmp_path / "a").exists()


def pending(images: list[np.ndarray], error: int = 0) -> list[PendingImage]:
    return [PendingImage(EXACT.frame.fit(image), Target(max_error=error), None, None) for image in images]


def changed(images: list[np.ndarray], **changes: object) -> Block:
    return replace(encode_block(pending(images), EXACT, 0, 0), **changes)


def test_wrong_pixels_are_a_bad_checksum() -> None:
    with pytest.raises(BadChecksum, match="pixels of the block"):
        decode_block(changed([DIGITS[0]], codings=Codings((CODING_LOSSLESS,), 0, 1)), EXACT)


def test_stored_pixels_that_are_cut_or_followed_are_refused() -> None:
    with pytest.raises(Truncated):
        decode_block(changed([NOISE], payload=NOISE.tobytes()[:-1]), EXACT)
    with pytest.raises(TrailingData):
        decode_block(changed([NOISE], payload=NOISE.tobytes() + b"\0"), EXACT)


def test_any_payload_is_a_format_error() -> None:
    rng = np.random.default_rng(1)
    for length in range(0, 200, 7):
        with pytest.raises(FormatError):
            decode_block(changed([DIGITS[0], DIGITS[1, :9]], payload=rng.bytes(length)), EXACT)


def test_an_exact_block_needs_a_model_with_the_part() -> None:
    with pytest.raises(BadField, match="no lossless part"):
        decode_block(changed([DIGITS[0]]), TINY)


def test_a_damaged_block_loses_its_images_and_no_others(tmp_path: Path) -> None:
    archive = written(tmp_path / "a", list(DIGITS[:12]), block_images=4)
    offset = int(archive._directory.offsets[1])
    data = bytearray((tmp_path / "a").read_bytes())
    data[offset + 60] ^= 4
    (tmp_path / "b").write_bytes(data)
    damaged = vaecodec.Archive(tmp_path / "b", model=EXACT)
    assert [image.number for image in damaged.verify().lost] == [4, 5, 6, 7]
    assert np.array_equal(damaged[9], DIGITS[9])
    with pytest.raises(FormatError):
        damaged[5]


def test_blocks_have_one_spelling() -> None:
    block = encode_block(pending([DIGITS[0], NOISE]), EXACT, 0, 0)
    assert pack_block(block, EXACT.fingerprint) == pack_block(
        encode_block(pending([DIGITS[0], NOISE]), EXACT, 0, 0), EXACT.fingerprint
    )
