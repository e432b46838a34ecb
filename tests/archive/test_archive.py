"""Archives: what is written comes back, by number, name, slice and batch."""

import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import vaecodec
from vaecodec.bitstream.stream import unpack
from vaecodec.codec.codec import Codec
from vaecodec.codec.target import Target
from vaecodec.entropy.quantizer import Quantizer
from vaecodec.errors import (
    BadField,
    ConfigError,
    ImageModeError,
    ImageSizeError,
    LimitExceeded,
    ModelError,
    ModelMismatch,
    ModelNotFound,
    OutputError,
    TargetMissed,
    Truncated,
)

TINY = Path(__file__).parents[1] / "golden" / "v1" / "tiny.vaem"
CODEC = vaecodec.load(TINY)


def pictures(n, seed=0, size=(28, 28)):
    """Blobs, uint8 (n, h, w)."""
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[: size[0], : size[1]]
    centres = rng.uniform(5, 23, (n, 2, 1, 1))
    distance = (rows - centres[:, 0]) ** 2 + (columns - centres[:, 1]) ** 2
    return (255 * np.exp(-distance / rng.uniform(5, 60, (n, 1, 1)))).astype(np.uint8)


def decoded(images, codec=CODEC, level=0):
    return codec.lossy.synthesise(codec.lossy.analyse(images, level), level)


@pytest.fixture
def two_levels():
    level = CODEC.model.levels[0]
    coarse = replace(level, quantizer=Quantizer(level.quantizer.center, 2 * level.quantizer.step))
    return Codec(replace(CODEC.model, levels=(level, coarse)))


@pytest.fixture
def path(tmp_path):
    return tmp_path / "a.vaea"


def create(path, images, names=None, labels=None, **options):
    with vaecodec.ArchiveWriter.create(path, CODEC, **options) as writer:
        writer.add_batch(images, names, labels)


@pytest.mark.parametrize("n", [0, 1, 5, 64, 65, 300])
def test_reading_inverts_writing(path, n):
    images = pictures(n)
    names = [f"a/{k % 7}/ü{k}.png" for k in range(n)]
    labels = np.arange(n) * 10**17
    create(path, images, names, labels, block_images=64)
    with vaecodec.Archive(path, model=CODEC) as archive:
        assert len(archive) == n
        assert np.array_equal(np.array(list(archive)).reshape(-1, 28, 28), decoded(images))
        assert list(archive.names) == names
        assert n == 0 or np.array_equal(archive.labels, labels)
        assert [archive.number_of(name) for name in names] == list(range(n))
        assert archive.verify().whole
        assert archive.info().blocks == -(-n // 64)


def test_numbers_slices_names_and_batches_give_the_same_images(path):
    images = pictures(150)
    create(path, images, [str(k) for k in range(150)])
    archive, expected = vaecodec.Archive(path, model=CODEC), decoded(images)
    assert np.array_equal(archive[-1], expected[149])
    assert np.array_equal(archive["130"], expected[130])
    assert np.array_equal(archive[149:100:-7], expected[149:100:-7])
    numbers = np.random.default_rng(1).integers(0, 150, 40)
    assert np.array_equal(archive.batch(numbers), expected[numbers])
    assert archive.batch([]).shape[0] == 0
    for number in (150, -151):
        with pytest.raises(IndexError):
            archive[number]
    with pytest.raises(KeyError):
        archive["150"]
    assert "7" in archive.names
    assert None not in archive.names


def test_sizes_levels_and_label_columns_may_differ(path, two_levels):
    images = pictures(6)
    with vaecodec.ArchiveWriter.create(path, two_levels, level=1) as writer:
        writer.add(images[0])
        writer.add(images[1], level=0)
        writer.add(images[2][:20, :9])
        writer.add(images[3], "named", [1, -2, 2**63 - 1])
        writer.add(images[4], None, 7)
        writer.add(images[5])
        with pytest.raises(ModelError, match="level 2"):
            writer.add(images[5], level=2)
    archive = vaecodec.Archive(path, model=two_levels)
    assert np.array_equal(archive[0], decoded(images[:1], two_levels, 1)[0])
    assert np.array_equal(archive[1], decoded(images[1:2], two_levels, 0)[0])
    assert [archive[2].shape, archive[3].shape] == [(20, 9), (28, 28)]
    assert archive.label(3).tolist() == [1, -2, 2**63 - 1]
    assert (archive.label(0), archive.labels, archive.names[4]) == (None, None, None)
    with pytest.raises(ImageSizeError):
        archive.batch([1, 2])
    assert archive.verify().whole


def test_an_append_goes_on_where_the_archive_ended(path):
    images = pictures(40)
    create(path, images[:10], [str(k) for k in range(10)], range(10), metadata={"of": "old", "π": [1, None, 2.5]})
    before = path.read_bytes()
    for k in (10, 20, 30):
        with vaecodec.ArchiveWriter.append(path, CODEC) as writer:
            writer.add_batch(images[k : k + 10], [str(i) for i in range(k, k + 10)], range(k, k + 10))
            assert len(writer) == k + 10
    assert path.read_bytes().startswith(before), "an append must not touch what is there"
    archive = vaecodec.Archive(path, model=CODEC)
    assert np.array_equal(list(archive), decoded(images))
    assert [archive.number_of(str(k)) for k in range(40)] == list(range(40))
    assert archive.labels.tolist() == list(range(40))
    assert archive.metadata == {"of": "old", "π": [1, None, 2.5]}
    assert (archive.info().segments, archive.problems) == (4, ())
    with vaecodec.ArchiveWriter.append(path, CODEC, metadata={"of": "new"}):
        pass
    assert vaecodec.Archive(path, model=CODEC).metadata == {"of": "new"}


def test_an_append_of_nothing_changes_nothing(path):
    create(path, pictures(3))
    before = path.read_bytes()
    with vaecodec.ArchiveWriter.append(path, CODEC):
        pass
    assert path.read_bytes() == before


def test_an_archive_may_hold_several_models(path, two_levels):
    images = pictures(4)
    create(path, images[:2])
    with vaecodec.ArchiveWriter.append(path, two_levels, level=1) as writer:
        writer.add_batch(images[2:])
    archive = vaecodec.Archive(path, model=[CODEC, two_levels])
    assert np.array_equal(archive.batch([0, 3]), [decoded(images)[0], decoded(images, two_levels, 1)[3]])
    with pytest.raises(ModelNotFound):
        vaecodec.Archive(path, model=CODEC).verify()


def test_an_embedded_model_makes_the_archive_readable_alone(path):
    create(path, pictures(2), embed_model=True)
    with vaecodec.Archive(path) as archive:
        assert np.array_equal(archive[1], decoded(pictures(2))[1])
        assert archive.embedded_model() == TINY.read_bytes()
        assert archive.info().models == (("golden-tiny-1", CODEC.fingerprint.hex(), True),)
    with vaecodec.ArchiveWriter.append(path) as writer:
        writer.add(pictures(1)[0])
    assert len(vaecodec.Archive(path)) == 3


def test_the_missing_model_is_named(path, monkeypatch, tmp_path):
    monkeypatch.setenv("VAECODEC_MODELS", str(tmp_path))
    create(path, pictures(2))
    with pytest.raises(ModelNotFound, match="golden-tiny-1"):
        vaecodec.Archive(path)[0]


def test_another_model_is_refused(path, two_levels):
    create(path, pictures(2))
    with pytest.raises(ModelMismatch, match="golden-tiny-1"):
        vaecodec.Archive(path, model=two_levels)


def test_writing_the_same_twice_gives_the_same_bytes(path, tmp_path):
    for target in (path, tmp_path / "b"):
        create(target, pictures(70), [f"{k}" for k in range(70)], range(70), metadata={"b": 1, "a": 2})
    assert path.read_bytes() == (tmp_path / "b").read_bytes()


def test_a_failed_creation_leaves_nothing_and_a_failed_append_the_old(path, tmp_path):
    def broken():
        yield from pictures(200)
        raise RuntimeError("the source broke")

    with pytest.raises(RuntimeError):
        create(path, broken())
    assert list(tmp_path.iterdir()) == []
    create(path, pictures(3))
    before = path.read_bytes()
    with pytest.raises(RuntimeError), vaecodec.ArchiveWriter.append(path, CODEC) as writer:
        writer.add_batch(broken())
    assert path.read_bytes() == before


def test_what_cannot_be_written_is_refused(path, tmp_path):
    create(path, pictures(1))
    with pytest.raises(OutputError, match="exists"):
        vaecodec.ArchiveWriter.create(path, CODEC)
    with vaecodec.ArchiveWriter.append(path, CODEC) as writer:
        with pytest.raises(OutputError, match="another process"):
            vaecodec.ArchiveWriter.append(path, CODEC)
        with pytest.raises(ImageSizeError):
            writer.add(np.zeros((29, 28), np.uint8))
        with pytest.raises(ImageModeError):
            writer.add(np.zeros((28, 28), np.uint16))
        for name, error in (("", BadField), ("\udc80", BadField), ("x" * 4097, LimitExceeded)):
            with pytest.raises(error):
                writer.add(pictures(1)[0], name)
        for label in (2**63, 0.5, [], "x"):
            with pytest.raises(BadField):
                writer.add(pictures(1)[0], None, label)
        with pytest.raises(BadField, match="fewer"):
            writer.add_batch(pictures(2), ["a"])
        with pytest.raises(BadField, match="more"):
            writer.add_batch(pictures(1), None, [1, 2])
    with pytest.raises(BadField, match="JSON"):
        create(tmp_path / "b", pictures(1), metadata={"a": float("nan")})
    (tmp_path / "short").write_bytes(path.read_bytes()[:5])
    with pytest.raises(Truncated):
        vaecodec.Archive(tmp_path / "short")


LEVELS = vaecodec.load(TINY.with_name("levels.vaem"))


def codings(path):
    """The level of each image."""
    archive = vaecodec.Archive(path, model=LEVELS)
    return [coding for k in range(archive.info().blocks) for coding in archive._blocks.read(k).codings.each]


def test_a_target_decides_the_level_of_each_image_as_in_its_own_stream(path):
    images = pictures(20)
    with vaecodec.ArchiveWriter.create(path, LEVELS, target=Target(target_bytes=30), block_images=7) as writer:
        writer.add_batch(images[:18])
        writer.add(images[18], target=Target(quality=100))
        writer.add(images[19], level=1)
    expected = [unpack(LEVELS.compress(image, target_bytes=30)).coding for image in images[:18]]
    assert codings(path) == [*expected, len(LEVELS.model.levels) - 1, 1]
    with pytest.raises(ConfigError, match="give one"):
        vaecodec.ArchiveWriter.append(path, LEVELS, level=1, target=Target(level=1))


def test_an_image_whose_target_no_level_meets_is_named_and_the_archive_given_up(path, tmp_path):
    images = pictures(6)
    images[3] = np.random.default_rng(0).integers(0, 256, (28, 28))
    with (
        pytest.raises(TargetMissed, match=r"image 3 \(d\): target"),
        vaecodec.ArchiveWriter.create(path, LEVELS, target=Target(target_psnr=8.5)) as writer,
    ):
        writer.add_batch(images, "abcdef")
    assert list(tmp_path.iterdir()) == []
    writer = vaecodec.ArchiveWriter.create(path, LEVELS, target=Target(target_bytes=1), block_images=1)
    with pytest.raises(TargetMissed):
        writer.add(images[0])
    for step in (lambda: writer.add(images[1]), writer.close):
        with pytest.raises(OutputError, match="given up"):
            step()
    assert list(tmp_path.iterdir()) == []


def test_a_temporary_folder_that_is_not_there_or_full_is_named_and_nothing_is_left(path, tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "nowhere"))
    with pytest.raises(OutputError, match=r"the archive's index, in .*nowhere: No such"):
        vaecodec.ArchiveWriter.create(path, CODEC)
    monkeypatch.undo()
    writer = vaecodec.ArchiveWriter.create(path, CODEC, block_images=1)
    full = open("/dev/full", "wb", buffering=0)  # noqa: SIM115
    monkeypatch.setattr(writer._segment._spool, "_names", full)
    with pytest.raises(OutputError, match=r"the archive's index, in .*: No space left"), writer:
        writer.add(pictures(1)[0], "a")
    assert full.closed
    assert list(tmp_path.iterdir()) == []


def test_a_second_temporary_file_that_fails_leaves_no_first(path, tmp_path, monkeypatch):
    made = []

    def second_fails():
        if made:
            raise OSError(28, "No space left on device")
        made.append(open(tmp_path / "first", "w+b"))  # noqa: SIM115
        return made[0]

    monkeypatch.setattr(tempfile, "TemporaryFile", second_fails)
    with pytest.raises(OutputError, match="the archive's index"):
        vaecodec.ArchiveWriter.create(path, CODEC)
    assert made[0].closed
    assert [place.name for place in tmp_path.iterdir()] == ["first"]
