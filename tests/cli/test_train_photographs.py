"""vaecodec train --family photo."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.families.photo.tiny import smooth_pictures
from vaecodec.codec.codec import load

PHOTOGRAPHS = 3


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "photographs"
    made.mkdir()
    for number, pixels in enumerate(smooth_pictures(PHOTOGRAPHS, 320)):
        Image.fromarray(pixels).save(made / f"{number}.png")
    return made


@pytest.mark.slow
@pytest.mark.timeout(1200)  # the released network, which is no small one
def test_a_folder_of_photographs_gives_a_model_that_codes_them(folder: Path, tmp_path: Path, run) -> None:
    out = tmp_path / "run"
    options = ("--family", "photo", "--steps", "2", "--batch-size", "2", "--name", "mine", "--out", str(out))
    result = run("train", str(folder), *options)
    assert result.exit_code == 0, result.output
    assert result.stdout.strip() == str(out / "mine.vaem")
    codec = load(out / "mine.vaem")
    pixels = np.asarray(Image.open(folder / "0.png"))[:200, :150]
    assert codec.decompress(codec.compress(pixels, quality=60)).shape == pixels.shape
    again = run("train", str(folder), *options)
    assert again.exit_code == 2
    assert "--resume" in again.output


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--family", "photo", "--latents", "8"), "takes no --latents"),
        (("--minutes", "1", "--steps", "5"), "give one of them"),
        (("--start", "weights-0.npz"), "--start goes with --family photo"),
    ],
)
def test_options_that_do_not_go_together_are_refused(options: tuple[str, ...], said: str, folder: Path, run) -> None:
    result = run("train", str(folder), *options)
    assert result.exit_code == 2
    assert said in result.output


def test_photographs_are_to_be_named(tmp_path: Path, run) -> None:
    result = run("train", str(tmp_path / "none"), "--family", "photo")
    assert result.exit_code == 2
    assert "name a folder of photographs" in result.output
