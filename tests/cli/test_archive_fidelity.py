"""Archives tell the truth: how good they are, which images do not fit, what was left out, and equal errors once."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from vaecodec.cli.equal_errors import EqualErrors

import vaecodec

GOLDEN = Path(__file__).parents[1] / "golden" / "v1"
EXAMPLES = Path(__file__).parents[2] / "examples"
LEVELS = ("--model", str(GOLDEN / "levels.vaem"))
MODEL = ("--model", "golden-tiny-1")


@pytest.fixture
def images():
    """uint8 (5, 28, 28) of growing contrast in images/, so that errors differ."""
    rng = np.random.default_rng(1)
    noise = rng.integers(-100, 101, (5, 28, 28))
    images = (100 + noise * np.arange(5)[:, None, None] // 4).astype(np.uint8)
    Path("images").mkdir()
    for k, image in enumerate(images):
        Image.fromarray(image).save(f"images/{k}.png")
    return images


def psnr(decoded, image):
    return 10 * np.log10(255**2 / np.mean((decoded.astype(float) - image) ** 2))


def test_fidelity_is_measured_on_what_a_reader_gets_and_kept(run, images):
    done = run("archive", "create", "a.vaea", "images", *MODEL)
    with vaecodec.Archive("a.vaea") as archive:
        errors = [np.mean((decoded.astype(float) - image) ** 2) for decoded, image in zip(archive, images, strict=True)]
        (kept,) = archive.metadata["fidelity"]
    worst = int(np.argmax(errors))
    assert (kept["first"], kept["images"], kept["exact"], kept["worst_image"]) == (0, 5, 0, worst)
    assert kept["psnr_db"] == pytest.approx(10 * np.log10(255**2 / np.mean(errors)), abs=0.006)
    assert kept["worst_psnr_db"] == pytest.approx(10 * np.log10(255**2 / max(errors)), abs=0.006)
    assert kept["percentiles_db"]["50"] == pytest.approx(10 * np.log10(255**2 / np.median(errors)), abs=0.006)
    assert f"{kept['psnr_db']:.2f} dB (median" in done.stderr
    assert f"worst {kept['worst_psnr_db']:.2f} dB: {worst}.png" in done.stderr


def test_no_verify_measures_nothing_and_writes_the_same_images(run, images):
    run("archive", "create", "a.vaea", "images", *MODEL)
    done = run("archive", "create", "b.vaea", "images", "--no-verify", *MODEL)
    assert " dB" not in done.stderr
    with vaecodec.Archive("a.vaea") as a, vaecodec.Archive("b.vaea") as b:
        assert b.metadata == {}
        assert [a.embedded_model(0), a.info().block_bytes] == [b.embedded_model(0), b.info().block_bytes]
    assert run("archive", "create", "c.vaea", "images", "--no-verify", "--misfits", "m", *MODEL).exit_code == 2
    assert not Path("c.vaea").exists()


def test_appends_are_measured_beside_what_was_and_metadata_stay(run, fails, images):
    Path("about.json").write_text('{"who": "me"}')
    run("archive", "create", "a.vaea", "images", "--metadata", "about.json", *MODEL)
    assert run("archive", "append", "a.vaea", "images/0.png").exit_code == 0
    with vaecodec.Archive("a.vaea") as archive:
        assert archive.metadata["who"] == "me"
        assert [(one["first"], one["images"]) for one in archive.metadata["fidelity"]] == [(0, 5), (5, 1)]
    Path("mine.json").write_text('{"fidelity": 1}')
    assert "is kept for" in fails("archive", "create", "b.vaea", "images", "--metadata", "mine.json", *MODEL)
    assert not Path("b.vaea").exists()


def test_images_of_another_kind_are_counted_warned_of_and_listed(run, images):
    done = run("archive", "create", "a.vaea", "images", "--misfits", "misfits.tsv", "--json", *MODEL)
    report = json.loads(done.stdout)
    rows = [line.split("\t") for line in Path("misfits.tsv").read_text().splitlines()]
    with vaecodec.Archive("a.vaea") as archive:
        poor = [k for k, image in enumerate(images) if psnr(archive[k], image) < 15]
        assert poor
        assert [(int(number), name) for number, name, _ in rows] == [(k, f"{k}.png") for k in poor]
        for number, _, decibels in rows:
            assert float(decibels) == pytest.approx(psnr(archive[int(number)], images[int(number)]), abs=0.006)
    assert report["fidelity"]["misfits"] == len(poor)
    assert any(f"{len(poor)} of 5 images" in text and "15 dB" in text for text in report["warnings"])
    assert done.exit_code == 0


def test_exact_coding_that_takes_more_than_png_is_said(run):
    np.savez("set.npz", images=np.tile(np.arange(28, dtype=np.uint8) * 9, (6, 28, 1)))
    done = run("archive", "create", "a.vaea", "set.npz", "--lossless", "--model", str(GOLDEN / "exact.vaem"))
    assert done.exit_code == 0, done.stderr
    assert "every pixel exact" in done.stderr
    assert "and PNG" in done.stderr


def test_what_cannot_be_read_or_does_not_fit_is_left_out_by_name(run, images):
    Path("images/broken.png").write_bytes(b"no image")
    Image.fromarray(np.zeros((30, 30), np.uint8)).save("images/large.png")
    done = run("archive", "create", "a.vaea", "images", "--json", *MODEL)
    assert done.exit_code == 1
    left = json.loads(done.stdout)["left_out"]
    assert [one["image"] for one in left] == ["images/broken.png", "large.png"]
    assert "2 images were left out" in done.stderr
    with vaecodec.Archive("a.vaea") as archive:
        assert list(archive.names) == [f"{k}.png" for k in range(5)]
    strict = run("archive", "create", "b.vaea", "images", "--strict", *MODEL)
    assert (strict.exit_code, Path("b.vaea").exists()) == (1, False)
    assert "images/broken.png: not an image" in strict.stderr
    Path("images/broken.png").unlink()
    assert "large.png: image of 30x30" in run("archive", "create", "b.vaea", "images", "--strict", *MODEL).stderr


def test_an_image_that_misses_its_target_is_left_out_and_the_others_are_not(run):
    images = np.stack([np.asarray(Image.open(EXAMPLES / f"digit-{k}.png")) for k in range(4)])
    Path("images").mkdir()
    for k, image in enumerate(images):
        Image.fromarray(image).save(f"images/{k}.png")
    done = run("archive", "create", "a.vaea", "images", "--target-psnr", 20, "--json", *LEVELS)
    left = [one["image"] for one in json.loads(done.stdout)["left_out"]]
    assert done.exit_code == 1
    assert left == ["2.png", "3.png"]
    with vaecodec.Archive("a.vaea", model=LEVELS[1]) as archive:
        assert list(archive.names) == ["0.png", "1.png"]
        for name in archive.names:
            assert psnr(archive[name], images[int(name[0])]) >= 20
    np.savez("set.npz", images=images)
    unnamed = json.loads(run("archive", "create", "n.vaea", "set.npz", "--target-psnr", 20, "--json", *LEVELS).stdout)
    assert [one["image"] for one in unnamed["left_out"]] == [f"image {name[0]} of the sources" for name in left]
    strict = run("archive", "create", "b.vaea", "images", "--target-psnr", 20, "--strict", *LEVELS)
    assert (strict.exit_code, Path("b.vaea").exists()) == (1, False)


def test_nothing_that_can_be_read_is_an_error(run, fails):
    Path("images").mkdir()
    Path("images/a.png").write_bytes(b"no image")
    assert "images/a.png: not an image" in fails("archive", "create", "a.vaea", "images")
    Path("images/b.png").symlink_to("nowhere")
    done = run("archive", "create", "a.vaea", "images")
    assert done.exit_code == 1
    assert "no image is left of 2" in done.stderr
    assert not Path("a.vaea").exists()


def test_twenty_thousand_equal_errors_are_one_line_with_a_count(capsys):
    errors = EqualErrors()
    for k in range(20_000):
        errors.add(f"crops/{k}.png", ValueError("x"))
    for k in range(30):
        errors.add(f"other/{k}.png", OSError(f"reason {k}"))
    errors.say()
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 21
    assert lines[0].startswith("crops/0.png and 19,999 more: ")
    assert lines[1] == "other/0.png: reason 0"
    assert lines[-1].startswith("11 more files, of 11 other errors")
