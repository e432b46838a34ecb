"""Every command line of README.md and docs/cli.md is run, or, where that takes minutes, parsed."""

import json
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import click
import numpy as np
import pytest
from PIL import Image
from vaecodec.cli.main import command

import vaecodec
from vaecodec.data.splits import in_split

ROOT = Path(__file__).parents[2]
DATA = ROOT / "tests" / "fixtures" / "data"
TAKES_MINUTES = ("train", "export")
# What a command makes, and so must not be there before it.
MADE = {
    "compress": ["crop.vae", "digit.vae", "photograph.vae", "seven.vae", "streams"],
    "decompress": ["digit.png", "pictures"],
    "archive create": ["digits.vaea", "mine.vaea", "shards"],
    "archive extract": ["pictures"],
}


def lines():
    """Every line of a shell block that calls vaecodec."""
    for page in ("README.md", "docs/cli.md"):
        for block in re.findall(r"```sh\n(.*?)```", (ROOT / page).read_text(encoding="utf-8"), re.DOTALL):
            yield from (line for line in block.splitlines() if re.search(r"\bvaecodec ", line))


LINES = list(lines())


@pytest.fixture(scope="module")
def stock(tmp_path_factory):
    """A folder with every file that an example reads."""
    folder = tmp_path_factory.mktemp("stock")
    digit = np.array(Image.open(ROOT / "examples" / "digit-7.png"))
    shifted = np.stack([np.roll(digit, (k // 8, k % 8), (0, 1)) for k in range(64)])
    tested = shifted[in_split(shifted, "test")][0]  # one of those that `evaluate` takes of a folder
    names = (
        "digit.png",
        "pictures/one.png",
        "pictures/a/1.png",
        "pictures/a/2.png",
        "more/3.png",
        "examples/digit-7.png",
    )
    for name, image in [*((name, digit) for name in names), ("pictures/tested.png", tested)]:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(folder / name)
    photograph = Image.open(ROOT / "examples" / "photograph-canyon-wren.png").convert("RGB").crop((0, 0, 90, 70))
    for name in ("holiday.jpg", "photograph.jpg"):
        photograph.save(folder / name, quality=95)
    (folder / "photograph.vae").write_bytes(vaecodec.load("photo").compress(photograph))
    np.savez(folder / "set.npz", images=digit[None])
    np.savez(
        folder / "pneumoniamnist.npz",
        train_images=shifted[:9],
        train_labels=np.uint8([[1]] * 9),
        val_images=digit[None],
    )
    deep = digit.astype(np.uint16) * 16 + 15
    (folder / "crops").mkdir()
    for name in ("crop.tiff", "crops/1.tiff"):
        Image.fromarray(deep).save(folder / name)
    (folder / "crop.vae").write_bytes(vaecodec.load("mnist").compress(deep, window="minmax"))
    (folder / "about.json").write_text(json.dumps({"made": "today"}))
    codec = vaecodec.load("mnist")
    (folder / "streams").mkdir()
    for name in ("digit.vae", "seven.vae", "streams/one.vae"):
        (folder / name).write_bytes(codec.compress(digit))
    for name in ("digits.vaea", "mine.vaea"):
        with vaecodec.ArchiveWriter.create(folder / name, codec) as writer:
            writer.add_batch([digit] * 210, [f"a/{k}.png" for k in range(210)])
    (folder / "runs" / "mine").mkdir(parents=True)
    for name in ("mine.vaem", "runs/mine/mine.vaem"):
        shutil.copy(ROOT / "tests" / "golden" / "v1" / "tiny.vaem", folder / name)
    results = ROOT / "benchmarks" / "results"
    (folder / "benchmarks" / "results" / "families").mkdir(parents=True)
    for path in (*results.glob("disentanglement-*.json"), *results.glob("families/*vae-dsprites*.json")):
        shutil.copy(path, folder / "benchmarks" / "results" / path.relative_to(results))
    shutil.copytree(DATA, folder / "data")
    return folder


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    """A folder whose `vaecodec` runs this checkout's command line."""
    package, folder = tmp_path_factory.mktemp("package"), tmp_path_factory.mktemp("bin")
    (package / "vaecodec").mkdir()
    for path in (ROOT / "vaecodec").iterdir():
        (package / "vaecodec" / path.name).symlink_to(path)
    (package / "vaecodec" / "cli").symlink_to(ROOT / "cli")
    call = f"exec {sys.executable} -P -c 'from vaecodec.cli.main import main; main()' \"$@\""
    (folder / "vaecodec").write_text(f"#!/bin/sh\nPYTHONPATH={package} {call}\n")
    (folder / "vaecodec").chmod(0o755)
    return folder


@pytest.mark.parametrize("line", LINES)
def test_a_command_of_the_pages_works(line, stock, program, tmp_path, monkeypatch):
    words = shlex.split(line, comments=True)
    if words[:1] == ["vaecodec"] and words[1] in TAKES_MINUTES:
        found = command.get_command(click.Context(command), words[1])
        assert found.make_context(words[1], words[2:]) is not None
        return
    shutil.copytree(stock, tmp_path / "here")
    for name in [name for called, names in MADE.items() if f"vaecodec {called} " in line for name in names]:
        place = tmp_path / "here" / name
        shutil.rmtree(place) if place.is_dir() else place.unlink(missing_ok=True)
    models = tmp_path / "models"
    models.mkdir()
    if "models add" not in line:
        shutil.copy(stock / "mine.vaem", models / "mine.vaem")
    monkeypatch.setenv("VAECODEC_MODELS", str(models))
    monkeypatch.setenv("VAECODEC_DATA", str(DATA))
    monkeypatch.setenv("PATH", str(program), prepend=":")
    done = subprocess.run(["bash", "-c", line], cwd=tmp_path / "here", capture_output=True, timeout=100, check=False)
    assert done.returncode == 0, done.stderr.decode()


def test_there_are_examples_to_run():
    assert len(LINES) > 30
