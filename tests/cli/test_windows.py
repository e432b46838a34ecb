"""--window and --restore-window: pictures of more than 8 bits go in with a window, and their values come out."""

import io
import json
import tarfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import vaecodec
from vaecodec.bitstream.window import Window
from vaecodec.codec.windows_of_streams import window_of

MODEL = ("--model", "golden-tiny-1")


@pytest.fixture
def crops():
    """uint16 (3, 28, 28), also as PNG files in crops/; beside them one of 8 bits."""
    rng = np.random.default_rng(0)
    values = rng.integers(300, 4000, (3, 28, 28)).astype(np.uint16)
    values[:, :4] //= 9
    Path("crops").mkdir()
    for k, crop in enumerate(values):
        Image.fromarray(crop).save(f"crops/{k}.png")
    Image.fromarray((values[0] >> 4).astype(np.uint8)).save("crops/small.png")
    return values


def restored(codec, values, low, high):
    """What comes back of values, and the pixels between."""
    window = Window(int(low), int(high), "uint16")
    pixels = codec.decompress(codec.compress(window.scale(values)))
    return window.restore(pixels), pixels


def test_a_picture_of_16_bits_asks_for_a_window_and_gives_its_values_back(run, fails, codec, crops):
    assert "--window minmax" in fails("compress", "crops/0.png", "0.vae", *MODEL)
    done = run("compress", "crops/0.png", "0.vae", "--window", "minmax", *MODEL)
    low, high = crops[0].min(), crops[0].max()
    assert f"window {low} to {high} of uint16, model" in done.stderr
    values, pixels = restored(codec, crops[0], low, high)
    plain = run("decompress", "0.vae", "pixels.png")
    assert np.array_equal(np.asarray(Image.open("pixels.png")), pixels)
    assert "--restore-window gives such values" in plain.stderr
    assert run("decompress", "0.vae", "--restore-window").exit_code == 0
    with Image.open("0.png") as image:
        assert image.mode == "I;16"
        assert np.array_equal(np.asarray(image), values)
    for out in ("0.npy", "0.tiff"):
        assert run("decompress", "0.vae", out, "--restore-window").exit_code == 0
    assert np.array_equal(np.load("0.npy"), values)
    assert np.array_equal(np.asarray(Image.open("0.tiff")), values)
    assert "uint16; .npy holds them" in fails("decompress", "0.vae", "0.webp", "--restore-window")
    info = json.loads(run("info", "0.vae", "--json").stdout)
    assert (info["version"], info["bytes"]["window"]) == (3, 5)
    assert info["window"] == f"{low} to {high} of uint16"


@pytest.mark.parametrize("spelt", [("--window", 500, 3000), ("--window", "500:3000"), ("--window=500:3000",)])
def test_two_numbers_are_a_window_and_what_lies_beyond_is_counted(run, crops, spelt):
    report = json.loads(run("compress", "crops/1.png", "1.vae", *spelt, "--json", *MODEL).stdout)
    lost = int(((crops[1] < 500) | (crops[1] > 3000)).sum())
    assert report["window"] == {"low": 500, "high": 3000, "dtype": "uint16", "clipped_values": lost}
    assert window_of(Path("1.vae").read_bytes()) == Window(500, 3000, "uint16")


def test_negative_ends_and_other_types(run, fails, tmp_path):
    values = np.linspace(-3, 5, 784, dtype=np.float32).reshape(28, 28)
    Image.fromarray(values).save("f.tiff")
    assert run("compress", "f.tiff", "f.vae", "--window", -2, 4.5, *MODEL).exit_code == 0
    assert run("decompress", "f.vae", "--restore-window").exit_code == 1  # f.tiff is there
    assert run("decompress", "f.vae", "--restore-window", "--force").exit_code == 0
    back = np.asarray(Image.open("f.tiff"))
    assert (back.dtype, back.min() >= -2, back.max() <= 4.5) == (np.float32, True, True)
    assert "float32; .npy holds them" in fails("decompress", "f.vae", "f.png", "--restore-window")


@pytest.mark.parametrize("wrong", ["maximum", "5:5", "9:2", "1:", "7"])
def test_what_is_no_window_is_wrong_usage(run, crops, wrong):
    done = run("compress", "crops/0.png", "0.vae", "--window", wrong)
    assert (done.exit_code, "--window" in done.stderr) == (2, True)


def test_8_bits_need_no_window_and_streams_without_one_give_pixels(run, crops, codec):
    done = run("compress", "crops/small.png", "s.vae", "--window", "minmax", *MODEL)
    assert "needs no window" in done.stderr.replace("need no", "needs no")
    assert Path("s.vae").read_bytes() == codec.compress(Image.open("crops/small.png"))
    assert "has no window" in run("decompress", "s.vae", "s.png", "--restore-window").stderr


def test_a_folder_is_scaled_by_windows_of_each_or_by_one(run, crops, codec):
    done = run("compress", "crops", "each", "--window", "minmax", *MODEL)
    assert (done.exit_code, "3 pictures scaled by a window, no value lost" in done.stderr) == (0, True)
    assert run("compress", "crops", "one", "--window", "minmax", "--one-window", *MODEL).exit_code == 0
    of_each = {window_of(Path(f"each/{k}.vae").read_bytes()) for k in range(3)}
    of_one = {window_of(Path(f"one/{k}.vae").read_bytes()) for k in range(3)}
    assert len(of_each) > 1
    assert of_one == {Window(int(crops.min()), int(crops.max()), "uint16")}
    assert run("decompress", "one", "back", "--restore-window").exit_code == 0
    values, _ = restored(codec, crops[2], crops.min(), crops.max())
    assert np.array_equal(np.asarray(Image.open("back/2.tiff")), values)
    assert np.asarray(Image.open("back/small.tiff")).dtype == np.uint8
    assert run("compress", "crops/0.png", "0.vae", "--window", "minmax", "--one-window").exit_code == 2
    assert run("compress", "crops", "none", "--one-window").exit_code == 2


def test_an_archive_keeps_the_windows_and_extracts_the_values(run, crops, codec):
    done = run("archive", "create", "a.vaea", "crops", "--window", "minmax", *MODEL)
    assert (done.exit_code, "3 pictures scaled by a window" in done.stderr) == (0, True)
    expected = [restored(codec, crop, crop.min(), crop.max())[0] for crop in crops]
    with vaecodec.Archive("a.vaea") as archive:
        assert [np.array_equal(archive.restore(k), expected[k]) for k in range(3)] == [True] * 3
        assert archive.window(3) is None
    assert run("archive", "extract", "a.vaea", "back", "--restore-window").exit_code == 0
    assert np.array_equal(np.asarray(Image.open("back/1.png")), expected[1])
    assert run("archive", "extract", "a.vaea", "v.npz", "--restore-window", "--range", ":3").exit_code == 0
    with np.load("v.npz") as back:
        assert np.array_equal(back["images"], np.stack(expected))
    mixed = run("archive", "extract", "a.vaea", "w.npz", "--restore-window")
    assert (mixed.exit_code, "values of uint16 and uint8" in mixed.stderr) == (1, True)
    one = run("archive", "create", "o.vaea", "crops", "--window", "percentile", "--one-window", *MODEL)
    assert one.exit_code == 0
    with vaecodec.Archive("o.vaea") as archive:
        assert len({archive.window(k) for k in range(3)}) == 1
    piped = run("archive", "create", "p.vaea", "-", "--window", "minmax", "--one-window", input=b"crops/0.png\n")
    assert (piped.exit_code, "read once" in piped.stderr) == (1, True)
    np.savez("set.npz", images=np.zeros((2, 28, 28), np.uint8))
    of_set = run("archive", "create", "p.vaea", "set.npz", "--window", "minmax", "--one-window")
    assert (of_set.exit_code, "one window is found of image files" in of_set.stderr) == (1, True)


def test_images_go_to_a_pipe_as_tar_or_npz(process, run, crops, codec):
    assert run("archive", "create", "a.vaea", "crops/small.png", *MODEL).exit_code == 0
    pixels = codec.decompress(codec.compress(Image.open("crops/small.png")))
    tars = [process("archive", "extract", "a.vaea", "-").stdout for _ in range(2)]
    assert tars[0] == tars[1]
    with tarfile.open(fileobj=io.BytesIO(tars[0])) as tar:
        assert tar.getnames() == ["crops/small.png"]
        assert np.array_equal(np.asarray(Image.open(tar.extractfile("crops/small.png"))), pixels)
    npz = process("archive", "extract", "a.vaea", "-", "--format", "npz").stdout
    with np.load(io.BytesIO(npz)) as back:
        assert np.array_equal(back["images"], pixels[None])
        assert back["names"].tolist() == ["crops/small.png"]
    assert run("archive", "extract", "a.vaea", "b.tar").exit_code == 0
    assert Path("b.tar").read_bytes() == tars[0]
    assert run("archive", "extract", "a.vaea", "b.tar").exit_code == 1  # it is there
    assert run("archive", "extract", "a.vaea", "-", "--format", "folder").exit_code == 2


def test_an_archive_goes_to_an_address(run, crops):
    fsspec = pytest.importorskip("fsspec")
    address = "memory://cli/a.vaea"
    fsspec.filesystem("memory").rm("/cli", recursive=True) if fsspec.filesystem("memory").exists("/cli") else None
    made = run("archive", "create", address, "crops/small.png", *MODEL)
    assert made.exit_code == 0, made.stderr
    assert json.loads(run("archive", "info", address, "--json").stdout)["images"] == 1
    again = run("archive", "create", address, "crops/small.png", *MODEL)
    assert (again.exit_code, "exists already; --force" in again.stderr) == (1, True)
    assert run("archive", "create", address, "crops/small.png", "--force", *MODEL).exit_code == 0
