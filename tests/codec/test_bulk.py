"""Bulk: however many images come at once, on however many cores: bytes, pixels and errors are those of one by one."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import vaecodec
from vaecodec import cores
from vaecodec import cores as blas
from vaecodec.bitstream.stream import pack
from vaecodec.codec import lossy
from vaecodec.codec.codec import Codec
from vaecodec.codec.target import Target
from vaecodec.cores import map_on_cores, one_blas_thread, pieces
from vaecodec.data import load_dataset
from vaecodec.entropy.lanes import MAX_LANES
from vaecodec.errors import BadChecksum, FormatError, KnownAnswerMismatch, Truncated

TESTS = Path(__file__).parents[1]
CODEC = vaecodec.load(TESTS / "golden" / "v1" / "levels.vaem")
DIGITS = load_dataset("mnist", "test", data_dir=TESTS / "fixtures" / "data").images
NOISE = np.random.default_rng(0).integers(0, 256, (40, 28, 28), dtype=np.uint8)  # its symbols need escapes
IMAGES = np.concatenate([DIGITS, NOISE])


@pytest.fixture(params=[1, 2])
def cores_used(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pieces small enough that both cores have several."""
    monkeypatch.setattr(cores, "core_count", lambda: request.param)
    monkeypatch.setattr(lossy, "LEAST_PIECE", 50)
    monkeypatch.setattr(lossy, "MOST_PIECE", 130)


def test_a_piece_fits_into_the_lanes() -> None:
    assert lossy.MOST_PIECE <= MAX_LANES  # written out there, so that whoever has no lanes to code does not import them


@pytest.mark.usefixtures("cores_used")
@pytest.mark.parametrize("level", [0, 3, 7])
def test_many_images_give_the_bytes_and_pixels_of_one_by_one(monkeypatch: pytest.MonkeyPatch, level: int) -> None:
    monkeypatch.setattr(lossy, "MIN_LANES", 10)
    streams = CODEC.compress_batch(IMAGES, level=level)
    decoded = CODEC.decompress_batch(streams)
    monkeypatch.setattr(lossy, "MIN_LANES", 1 << 30)
    assert streams == [CODEC.compress(image, level=level) for image in IMAGES]
    for data, image in zip(streams[::5], decoded[::5], strict=True):
        np.testing.assert_array_equal(CODEC.decompress(data), image)


def test_levels_sizes_and_escapes_mix(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lossy, "MIN_LANES", 10)
    streams = [
        CODEC.compress(image[: 28 - k % 3], level=k % 5 if k % 11 else 7)
        for k, image in enumerate(np.concatenate([DIGITS[:60], NOISE[:20]]))
    ]
    parsed = CODEC.lossy.parse_all(streams)
    for k, data in enumerate(streams):
        stream, symbols = CODEC.lossy.parse(data)
        assert (parsed.levels[k], parsed.sizes[k]) == (stream.coding, stream.size)
        np.testing.assert_array_equal(parsed.symbols[k], symbols)
    many = [image[: 28 - k % 2] for k, image in enumerate(DIGITS)]
    assert CODEC.compress_batch(many, level=2) == [CODEC.compress(image, level=2) for image in many]


def test_a_target_gives_each_image_its_own_level_in_bulk_as_alone() -> None:
    streams = CODEC.compress_batch(DIGITS, target=Target(target_bytes=30))
    assert streams[:20] == [CODEC.compress(image, target_bytes=30) for image in DIGITS[:20]]


@pytest.mark.usefixtures("cores_used")
def test_the_first_bad_stream_decides_the_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lossy, "MIN_LANES", 10)
    streams = CODEC.compress_batch(DIGITS, level=1)
    bad = {
        70: (streams[70][:5], Truncated),
        110: (bytes([*streams[110][:-1], streams[110][-1] ^ 1]), BadChecksum),
        # a whole stream of this model, but not the shortest payload
        140: (pack(1, CODEC.fingerprint, None, streams[140][4:-3] + b"\x80"), FormatError),
        160: (pack(60, CODEC.fingerprint, None, b""), FormatError),
    }
    for place in sorted(bad, reverse=True):
        streams[place], kind = bad[place]
        with pytest.raises(kind) as found:
            CODEC.decompress_batch(streams)
        with pytest.raises(type(found.value), match=str(found.value)):
            CODEC.decompress(streams[place])


@pytest.mark.parametrize(("count", "least", "most"), [(0, 5, 10), (1, 5, 10), (100, 5, 10), (41, 5, 10), (7, 5, 10)])
def test_pieces_are_contiguous_and_of_like_size(count: int, least: int, most: int) -> None:
    found = pieces(count, least=least, most=most)
    assert [k for part in found for k in range(count)[part]] == list(range(count))
    sizes = [part.stop - part.start for part in found]
    assert max(sizes) <= most
    assert max(sizes) - min(sizes) <= 1
    assert min(sizes) >= least or len(sizes) == 1


def test_the_cores_are_those_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    assert cores.core_count() == 1
    monkeypatch.setenv("OMP_NUM_THREADS", "many")
    assert cores.core_count() >= 1
    monkeypatch.setattr(cores, "core_count", lambda: 2)
    assert map_on_cores(lambda k: k * k, [3, 4, 5]) == [9, 16, 25]


def test_blas_has_one_thread_while_ours_work_and_its_own_afterwards() -> None:
    threads = blas._threads()
    if threads is None:
        pytest.skip("this numpy has another BLAS")
    before = threads.get()
    with one_blas_thread():
        assert threads.get() == 1
    assert threads.get() == before


def test_the_known_answer_is_proven_for_large_batches_too() -> None:
    wrong = Codec(replace(CODEC.model, known_answer=replace(CODEC.model.known_answer, sha256_all="0" * 64)))
    with pytest.raises(KnownAnswerMismatch, match="batch size 512"):
        wrong.lossy.synthesise(np.zeros((65, CODEC.model.latents), np.int32))
