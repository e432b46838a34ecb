"""compress and decompress on folders: a mirrored tree, and one bad file does not stop the rest."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

NAME = "golden-tiny-1"
LEVELS = Path(__file__).parents[1] / "golden" / "v1" / "levels.vaem"


@pytest.fixture
def pictures():
    """uint8 by relative path, also as PNG files in the folder pictures/; two sizes."""
    rng = np.random.default_rng(0)
    images = {}
    for name, size in (("0.png", (28, 28)), ("a/1.png", (28, 28)), ("a/b/2.png", (20, 9)), ("ü.png", (28, 28))):
        images[name] = rng.integers(0, 256, size, dtype=np.uint8)
        path = Path("pictures", name)
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(images[name]).save(path)
    Path("pictures/notes.txt").write_text("no image")
    return images


def files(folder):
    return sorted(path.relative_to(folder).as_posix() for path in Path(folder).rglob("*") if path.is_file())


def test_a_folder_goes_forth_and_back_in_its_shape(run, pictures, codec):
    result = run("compress", "pictures", "out", "--model", NAME)
    assert result.exit_code == 0, result.stderr
    assert files("out") == ["0.vae", "a/1.vae", "a/b/2.vae", "ü.vae"]
    for name, image in pictures.items():
        assert Path("out", name).with_suffix(".vae").read_bytes() == codec.compress(image)
    assert run("decompress", "out", "back").exit_code == 0
    assert files("back") == sorted(pictures)
    for name, image in pictures.items():
        assert np.array_equal(np.array(Image.open(Path("back", name))), codec.decompress(codec.compress(image)))
    assert run("decompress", "out").exit_code == 0
    assert "a/b/2.png" in files("out")


def test_a_file_that_fails_is_named_and_the_rest_goes_on(run, pictures):
    Path("pictures/a/bad.png").write_bytes(b"no image")
    Image.new("RGB", (28, 28), (1, 2, 3)).save("pictures/colour.webp", lossless=True)
    Image.new("L", (29, 28)).save("pictures/large.png")
    Image.new("L", (28, 28)).save("pictures/0.bmp")
    result = run("compress", "pictures", "out", "--model", NAME, "--json")
    assert result.exit_code == 1
    found = json.loads(result.stdout)
    assert [failure["file"] for failure in found["failed"]] == ["0.png", "colour.webp", "large.png", "a/bad.png"]
    assert (found["images"], len(files("out"))) == (4, 4)
    for line in ("pictures/a/bad.png: not an image", "0.png: out/0.vae is the output of 0.bmp", "4 of 8 files failed"):
        assert line in result.stderr
    Path("out/a/1.vae").write_bytes(b"broken")
    result = run("decompress", "out", "back")
    assert result.exit_code == 1
    assert "out/a/1.vae: " in result.stderr
    assert len(files("back")) == 3


def test_what_is_no_file_is_named_and_the_rest_goes_on(run, fails, pictures, tmp_path):
    os.mkfifo("pictures/a/pipe.png")
    Path("pictures/gone.png").symlink_to("nowhere")
    Path("linked").mkdir()
    Path("pictures/link").symlink_to(Path("linked").resolve())
    result = run("compress", "pictures", "out", "--model", NAME, "--json")
    assert result.exit_code == 1
    assert json.loads(result.stdout)["failed"] == [
        {"file": "gone.png", "error": "No such file or directory"},
        {"file": "a/pipe.png", "error": "not a regular file"},
    ]
    for line in ("pictures/a/pipe.png: not a regular file", "note: pictures/link: a link to a folder", "2 of 6 files"):
        assert line in result.stderr
    assert len(files("out")) == 4
    create = ("archive", "create", "a.vaea", "--strict", "--model", NAME)
    assert "pictures/gone.png: No such file" in fails(*create, "pictures/gone.png")
    assert "pictures/gone.png: No such file" in run(*create, "pictures").stderr
    Path("pictures/gone.png").unlink()
    for source in ("pictures", "pictures/a/pipe.png", "-"):
        result = run(*create, source, input=b"pictures/a/pipe.png")
        assert (result.exit_code, "pictures/a/pipe.png: not a regular file" in result.stderr) == (1, True)
    assert not Path("a.vaea").exists()
    os.mkfifo("out/stream.vae")
    assert "out/stream.vae: not a regular file" in run("decompress", "out", "back").stderr
    assert len(files("back")) == 4
    assert "not a regular file" in fails("archive", "list", "pictures/a/pipe.png")


@pytest.mark.skipif(not shutil.which("setpriv"), reason="nothing here takes root's rights away")
def test_an_unreadable_folder_is_named_and_the_rest_goes_on(package, folders, pictures):
    secret = Path("pictures/a/b")
    secret.chmod(0)
    code = "from vaecodec.cli.main import main; main()"
    rights = "-dac_override,-dac_read_search"
    start = ["setpriv", f"--bounding-set={rights}", f"--inh-caps={rights}", sys.executable, "-P", "-c", code]
    environment = {**os.environ, "PYTHONPATH": str(package)}

    def run(*arguments):
        return subprocess.run([*start, *arguments], env=environment, capture_output=True, text=True, check=False)

    try:
        done = run("compress", "pictures", "out", "--model", NAME)
        assert done.returncode == 1
        assert "pictures/a/b: Permission denied" in done.stderr
        assert len(files("out")) == 3
        for options, is_made in ((["--strict"], False), ([], True)):
            done = run("archive", "create", "a.vaea", "pictures", "--model", NAME, *options)
            assert done.returncode == 1
            assert "pictures/a/b: Permission denied" in done.stderr
            assert Path("a.vaea").exists() == is_made
    finally:
        secret.chmod(0o755)


def test_a_target_that_one_image_misses_fails_that_image_alone(run, pictures, tmp_path):
    Image.new("L", (28, 28)).save("pictures/black.png")
    result = run("compress", "pictures", "out", "--model", LEVELS, "--target-psnr", 12)
    assert result.exit_code == 1
    assert "pictures/0.png: target of mean squared error" in result.stderr
    assert "black.vae" in files("out")
    assert run("compress", "pictures", "few", "--model", LEVELS, "--target-bytes", 400).exit_code == 0
    assert len(files("few")) == 5


def test_nothing_is_overwritten_without_force(run, pictures):
    assert run("compress", "pictures", "out", "--model", NAME).exit_code == 0
    Path("out/0.vae").write_text("precious")
    Path("out/a/1.vae").unlink()
    result = run("compress", "pictures", "out", "--model", NAME)
    assert result.exit_code == 1
    assert "exists already; --force" in result.stderr
    assert Path("out/0.vae").read_text() == "precious"
    assert Path("out/a/1.vae").exists()
    assert run("compress", "pictures", "out", "--model", NAME, "--force").exit_code == 0
    assert Path("out/0.vae").read_bytes() != b"precious"


def test_links_do_not_lead_out_of_the_folder(run, pictures):
    for folder in ("out", "elsewhere"):
        Path(folder).mkdir()
    Path("out/a").symlink_to(Path("elsewhere").resolve())
    Path("elsewhere/kept").write_text("precious")
    Path("out/0.vae").symlink_to(Path("elsewhere/kept").resolve())
    result = run("compress", "pictures", "out", "--model", NAME, "--force")
    assert result.exit_code == 1
    assert result.stderr.count("a link leads out of the folder") == 3
    assert files("elsewhere") == ["kept"]
    assert Path("elsewhere/kept").read_text() == "precious"


def test_what_a_folder_cannot_become_is_said(run, fails, pictures):
    Path("file").write_text("a file")
    Path("empty").mkdir()
    assert "expected a folder" in fails("compress", "pictures", "file", "--model", NAME)
    assert "found no file that ends in" in fails("compress", "empty", "out", "--model", NAME)
    assert "found no file that ends in .vae" in fails("decompress", "empty")
    for command in ("compress", "decompress"):
        assert run(command, "pictures", "-").exit_code == 2


def test_an_image_the_model_was_not_made_for_gets_a_warning(run, pictures, folders):
    result = run("compress", "pictures/0.png", "noise.vae", "--model", NAME, "--json")
    assert result.exit_code == 0
    (warning,) = json.loads(result.stdout)["warnings"]
    assert "not an image of the kind" in warning
    assert f"vaecodec: warning: pictures/0.png: {warning}" in result.stderr
    found = json.loads(run("compress", "pictures", "out", "--model", NAME, "--json").stdout)
    assert {warning["file"] for warning in found["warnings"]} == set(pictures)
    assert (
        json.loads(run("compress", "--no-verify", "pictures", "no", "--model", NAME, "--json").stdout)["warnings"] == []
    )


def test_another_model_that_would_be_smaller_is_named(run, digit, folders):
    from vaecodec.codec.codec import load

    (folders / "levels.vaem").write_bytes(LEVELS.read_bytes())
    finest = len(load(LEVELS).model.levels) - 1
    result = run("compress", digit, "a.vae", "--model", LEVELS, "--level", finest, "--json")
    report = json.loads(result.stdout)
    assert report["psnr_db"] < 20
    (warning,) = [warning for warning in report["warnings"] if "bytes instead of" in warning]
    name, promised = re.search(r"--model (\S+) would take (\d+) bytes", warning).groups()
    target = ("--target-psnr", report["psnr_db"])
    other = json.loads(run("compress", digit, "b.vae", "--model", name, *target, "--json").stdout)
    assert other["file_bytes"] == int(promised) < report["file_bytes"]
    assert other["psnr_db"] >= report["psnr_db"]
