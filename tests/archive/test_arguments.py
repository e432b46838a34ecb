"""Arguments that mean nothing and archives that are closed are errors of ours; several numbers give several images."""

from pathlib import Path, PurePosixPath

import numpy as np
import pytest

import vaecodec
from vaecodec.errors import Closed, ConfigError, OutputError, VaecodecError, WrongType

TINY = Path(__file__).parents[1] / "golden" / "v1" / "tiny.vaem"
CODEC = vaecodec.load(TINY)
IMAGES = np.random.default_rng(3).integers(0, 256, (5, 28, 28), dtype=np.uint8)


@pytest.fixture
def path(tmp_path):
    place = tmp_path / "a.vaea"
    with vaecodec.ArchiveWriter.create(place, CODEC, block_images=2) as writer:
        writer.add_batch(IMAGES, [f"n/{k}.png" for k in range(5)], range(5))
    return place


@pytest.fixture
def archive(path):
    with vaecodec.Archive(path, model=CODEC) as opened:
        yield opened


def test_a_name_or_an_image_is_looked_for_as_in_a_sequence(archive):
    names = ("n/3.png", "n/9.png", "", "\udc80")
    assert [name in archive for name in names] == [True, False, False, False]
    assert [archive.count(name) for name in names] == [1, 0, 0, 0]
    assert (archive[4] in archive, np.zeros((28, 28), np.uint8) in archive) == (True, False)
    assert [thing in archive for thing in (4, None, b"n/3.png", [1])] == [False] * 4
    assert [archive.index("n/3.png"), archive.index(archive[4]), archive.index("n/3.png", 2)] == [3, 4, 3]
    assert archive.count(archive[0]) == 1
    for missing in ("n/9.png", np.zeros((28, 28), np.uint8), 3):
        with pytest.raises(ValueError, match="no image"):
            archive.index(missing)
    with pytest.raises(ValueError, match="no image"):
        archive.index("n/3.png", 0, 3)
    for name in ("", "\udc80"):
        with pytest.raises(KeyError):
            archive[name]


def test_several_numbers_give_a_list_of_images(archive):
    expected = archive.batch([3, 1, 4])
    chosen = np.array([False, True, False, True, False])
    for several in ([3, 1, -1], np.array([3, 1, 4]), np.array([3, 1, 4], np.uint8)):
        assert np.array_equal(archive[several], expected)
        assert np.array_equal(archive.images(several), expected)
    assert np.array_equal(archive[chosen], archive.batch([1, 3]))
    assert np.array_equal(archive[range(1, 5, 2)], archive.batch([1, 3]))
    assert (archive[[]], archive[np.int64(2)].shape) == ([], (28, 28))
    with pytest.raises(IndexError, match="the archive has 5"):
        archive[[1, 5]]


@pytest.mark.parametrize(
    "key", [1.5, None, ("n/1.png", 2), b"n/1.png", PurePosixPath("n/1.png"), [1.5], ["n/1.png"], [[1]]]
)
def test_what_is_no_number_is_refused(archive, key):
    for look in (lambda: archive[key], lambda: archive.label(key), lambda: archive.names[key]):
        with pytest.raises(WrongType, match="expected a whole number"):
            look()


def test_paths_may_be_bytes(path, tmp_path):
    place = bytes(tmp_path / "ü.vaea")
    vaecodec.ArchiveWriter.create(place, bytes(TINY)).close()
    with vaecodec.ArchiveWriter.append(place, CODEC) as writer:
        writer.add(IMAGES[0])
    assert len(vaecodec.Archive(place, model=bytes(TINY))) == 1
    assert vaecodec.load(bytes(TINY)).fingerprint == CODEC.fingerprint


@pytest.mark.parametrize("wrong", [None, 5, 1.5, ["a"], object()])
def test_what_is_no_path_or_model_is_refused(path, tmp_path, wrong):
    writer = vaecodec.ArchiveWriter
    uses = [lambda: vaecodec.Archive(wrong), lambda: writer.create(wrong, CODEC), lambda: writer.append(wrong, CODEC)]
    uses += [lambda: vaecodec.load(wrong), lambda: writer.create(tmp_path / "b", wrong)]
    if wrong is not None:
        uses += [lambda: vaecodec.Archive(path, model=[wrong]), lambda: vaecodec.Archive(path, cache_bytes=str(wrong))]
    for use in uses:
        with pytest.raises(WrongType):
            use()
    assert [place.name for place in tmp_path.iterdir()] == ["a.vaea"]


def test_a_name_with_a_zero_byte_is_no_file(tmp_path):
    for use in (vaecodec.Archive, lambda path: vaecodec.ArchiveWriter.create(path, CODEC)):
        with pytest.raises(OSError, match="zero byte"):
            use(f"{tmp_path}/a\0b")


@pytest.mark.parametrize("name", [5, b"x", PurePosixPath("a/b"), 1.5, ["a"]])
def test_a_name_that_is_no_text_is_refused_and_the_others_written(tmp_path, name):
    with vaecodec.ArchiveWriter.create(tmp_path / "b", CODEC) as writer:
        with pytest.raises(WrongType, match="image name"):
            writer.add(IMAGES[0], name)
        writer.add(IMAGES[1], np.str_("text"))
    archive = vaecodec.Archive(tmp_path / "b", model=CODEC)
    assert list(archive.names) == ["text"]
    with pytest.raises(WrongType):
        archive.number_of(name)


@pytest.mark.parametrize("option", [{"block_images": "3"}, {"block_images": 2.5}, {"target": "a"}, {"target": {}}])
def test_options_of_another_type_are_refused(tmp_path, option):
    with pytest.raises((ConfigError, WrongType)):
        vaecodec.ArchiveWriter.create(tmp_path / "b", CODEC, **option)
    assert list(tmp_path.iterdir()) == []


def test_a_closed_archive_gives_nothing_that_it_kept(path):
    archive = vaecodec.Archive(path, model=CODEC)
    names = archive.names
    assert (archive[0].shape, names[0], archive.labels.tolist()) == ((28, 28), "n/0.png", list(range(5)))
    archive.close()
    archive.close()
    uses = [lambda: archive[0], lambda: archive.images([1]), lambda: archive[1:], lambda: list(archive)]
    uses += [lambda: names[0], lambda: archive.number_of("n/0.png"), lambda: archive.labels, lambda: archive.label(0)]
    uses += [archive.verify, archive.info, lambda: list(archive.readable()), archive.__enter__]
    for use in uses:
        with pytest.raises(Closed, match="closed"):
            use()
    assert (len(archive), archive.problems) == (5, ())


@pytest.mark.parametrize("end", ["close", "abort"])
def test_a_closed_writer_takes_no_more_images(tmp_path, end):
    writer = vaecodec.ArchiveWriter.create(tmp_path / "b", CODEC)
    writer.add(IMAGES[0])
    getattr(writer, end)()
    for use in (lambda: writer.add(IMAGES[1]), lambda: writer.add_batch([]), writer.__enter__):
        with pytest.raises(Closed, match="closed"):
            use()
    writer.close()
    writer.abort()
    assert [len(vaecodec.Archive(place, model=CODEC)) for place in tmp_path.iterdir()] == [1] * (end == "close")


def full(_):
    raise OSError("disk full")


def test_a_block_that_could_not_be_written_gives_the_archive_up(tmp_path, monkeypatch):
    writer = vaecodec.ArchiveWriter.create(tmp_path / "b", CODEC, block_images=1)
    with monkeypatch.context() as patch:
        patch.setattr(writer._segment._output, "write", full)
        with pytest.raises(OSError, match="full"):
            writer.add(IMAGES[0])
    for use in (lambda: writer.add(IMAGES[1]), writer.close):
        with pytest.raises(OutputError, match="given up"):
            use()
    assert list(tmp_path.iterdir()) == []


def test_errors_of_arguments_are_both_ours_and_pythons():
    assert issubclass(WrongType, VaecodecError)
    assert issubclass(WrongType, TypeError)
    assert issubclass(Closed, ValueError)


@pytest.mark.parametrize(("images", "is_allowed"), [(0, False), (1, True), (128, True), (129, False)])
def test_a_block_holds_1_to_128_images(images, is_allowed, tmp_path):
    place = tmp_path / "a.vaea"
    if is_allowed:
        vaecodec.ArchiveWriter.create(place, CODEC, block_images=images).close()
        assert place.exists()
        return
    with pytest.raises(ConfigError, match=f"expected 1..128, found {images}"):
        vaecodec.ArchiveWriter.create(place, CODEC, block_images=images)
    assert not place.exists()
