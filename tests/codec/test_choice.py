"""Any picture finds its model: the special one of its geometry where it is of that kind, else the photograph model."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.photo.tiny import smooth_picture, tiny_photo_model
from vaecodec.codec import kind
from vaecodec.codec.choice import Advice, Choice
from vaecodec.codec.codec import Codec
from vaecodec.codec.kind import no_worse, of_another_kind
from vaecodec.codec.photograph import Coded, PhotographCodec
from vaecodec.codec.picture import Picture, as_picture
from vaecodec.codec.quality import mse
from vaecodec.codec.target import Target
from vaecodec.errors import ImageModeError, ModelMismatch, ModelNotFound, TargetMissed
from vaecodec.modelfile import installed

pytestmark = pytest.mark.usefixtures("special_models_alone")  # each test installs what it speaks of

ADVICE = Advice(image="name one", stream="install it")
ROOT = Path(__file__).parents[2]


def digit():
    with Image.open(ROOT / "examples" / "digit-7.png") as image:
        return np.array(image.convert("L"))


def sprite():
    """A square of dSprites' kind."""
    pixels = np.zeros((64, 64), np.uint8)
    pixels[20:38, 24:42] = 255
    return pixels


@pytest.fixture(scope="module")
def photo():
    return PhotographCodec(tiny_photo_model())


@pytest.fixture
def choice(photo, tmp_path, monkeypatch):
    """With the photograph model installed."""
    monkeypatch.setenv("VAECODEC_MODELS", str(tmp_path))
    (tmp_path / "photo-1.vaem").write_bytes(photo.model.to_bytes())
    return Choice(ADVICE)


def chosen(choice, pixels, **settings):
    (one,) = choice.compress([as_picture(pixels)], Target(**settings))
    return one


SETTINGS = [{}, {"quality": 0}, {"quality": 50}, {"quality": 100}, {"target_bytes": 30}, {"target_psnr": 20.0}]


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
@pytest.mark.parametrize(("name", "pixels"), [("mnist", digit()), ("dsprites", sprite())], ids=["digit", "sprite"])
def test_what_a_special_model_knows_stays_with_it_and_no_photograph_model_is_opened(
    choice, name, pixels, settings, monkeypatch
):
    def opened(*_):
        raise AssertionError("the photograph model was opened")

    monkeypatch.setattr("vaecodec.codec.choice._photograph", opened)
    special = Codec.load(name)
    one = chosen(choice, pixels, **settings)
    assert one.codec.fingerprint == special.fingerprint
    assert one.stream == special.compress(pixels, **settings)


@pytest.mark.parametrize("settings", [{}, {"quality": 0}, {"quality": 80}, {"target_bytes": 2000}], ids=str)
@pytest.mark.parametrize("size", [(28, 28), (64, 64)])
def test_a_photograph_of_a_special_size_never_becomes_what_that_model_knows(choice, photo, size, settings):
    grey = smooth_picture(*size, seed=5)[..., 0]
    one = chosen(choice, grey, **settings)
    others = photo.compress(grey, **settings)
    if one.codec.fingerprint == photo.fingerprint:
        assert one.stream == others
    else:  # no worse, and smaller
        assert mse(one.codec.decompress(one.stream), grey) <= mse(photo.decompress(others), grey)
        assert len(one.stream) < len(others) or "target_bytes" in settings


def test_colour_other_sizes_and_what_comes_with_the_pixels_go_to_the_photograph_model(choice, photo):
    pictures = [
        as_picture(smooth_picture(28, 28)),
        as_picture(digit()[:20]),
        as_picture(np.zeros((1, 1), np.uint8)),
        Picture(np.repeat(digit()[..., None], 3, 2), grey=True, chunks={"exif": b"MM"}),
        Picture(np.repeat(digit()[..., None], 3, 2), grey=True, alpha=digit()),
    ]
    found = choice.compress([*pictures, as_picture(digit())], Target(quality=30))
    assert [one.codec.fingerprint == photo.fingerprint for one in found] == [True] * 5 + [False]
    for one, picture in zip(found, pictures, strict=False):
        assert one.stream == photo.compress(picture, quality=30)
    assert dict(photo.decompress_picture(found[3].stream).chunks) == {"exif": b"MM"}


def test_exact_files_are_of_special_models(choice):
    noise = np.random.default_rng(0).integers(0, 256, (28, 28)).astype(np.uint8)
    one = chosen(choice, noise, max_error=0)
    np.testing.assert_array_equal(one.codec.decompress(one.stream), noise)


def test_a_target_that_the_special_model_misses_may_be_met_by_the_other(choice, photo):
    grey = smooth_picture(28, 28, seed=2)[..., 0]
    least = len(photo.compress(grey, level=0))
    one = chosen(choice, grey, target_bytes=least)
    assert len(one.stream) <= least
    with pytest.raises(TargetMissed):
        chosen(choice, grey, target_bytes=1)


def test_effort_is_for_those_that_have_it(choice, photo):
    assert chosen(choice, digit(), effort=1).stream == Codec.load("mnist").compress(digit(), effort=1)
    picture = smooth_picture(30, 30)
    assert chosen(choice, picture, effort=2).stream == photo.compress(picture)


def test_the_codec_that_was_asked_for_is_taken_whatever_the_picture_shows(choice, photo):
    mnist = Codec.load("mnist")
    grey = smooth_picture(28, 28)[..., 0]
    assert chosen(Choice(ADVICE, given=mnist), grey).stream == mnist.compress(grey)
    assert chosen(Choice(ADVICE, given=photo), digit()).stream == photo.compress(digit())
    with pytest.raises(ImageModeError, match="transparent"):
        Choice(ADVICE, given=mnist).compress([Picture(np.repeat(grey[..., None], 3, 2), True, grey)], Target())


def test_streams_find_their_models_by_fingerprint(choice, photo):
    assert choice.for_stream(photo.compress(digit())).fingerprint == photo.fingerprint
    assert choice.for_stream(Codec.load("mnist").compress(digit())).model.name == Codec.load("mnist").model.name
    with pytest.raises(ModelNotFound, match="photo-1 \\(any size, "):
        choice.for_stream(b"\xba\0\1\2" + photo.compress(digit())[4:])
    with pytest.raises(ModelMismatch, match="a photograph model, which"):
        Choice(ADVICE, given=Codec.load("mnist")).for_stream(photo.compress(digit()))
    with pytest.raises(ModelMismatch, match="a model of one geometry, which"):
        Choice(ADVICE, given=photo).for_stream(Codec.load("mnist").compress(digit()))


def test_of_two_streams_the_better_is_taken():
    """no_worse() with made-up rivals: larger, smaller, better, worse."""
    mnist = Codec.load("mnist")
    stream = mnist.compress(digit(), target_bytes=30)
    error = mse(mnist.decompress(stream), digit())
    assert no_worse(mnist, as_picture(digit()), Coded(0, bytes(1000), error), Target()) is not None
    assert no_worse(mnist, as_picture(digit()), Coded(0, b"short", error), Target()) is None
    assert no_worse(mnist, as_picture(digit()), Coded(0, bytes(1000), error), Target(target_bytes=30)) is None
    assert no_worse(mnist, as_picture(digit()), Coded(0, bytes(1000), 9e9), Target(target_bytes=30)) is not None
    assert no_worse(mnist, as_picture(digit()), Coded(0, bytes(1000), 9e9), Target(target_bytes=1)) is None


def test_an_image_of_one_value_is_of_every_kind_if_it_comes_back_exactly():
    mnist = Codec.load("mnist")
    blank = np.zeros((28, 28), np.uint8)
    assert kind._explains(blank, blank)
    assert not kind._explains(blank + 1, blank)
    assert of_another_kind(mnist, [digit()], [mnist.compress(digit())]) == []


def test_an_alias_comes_before_the_users_own_and_a_decoder_alone_is_not_taken(photo, tmp_path, monkeypatch):
    monkeypatch.setenv("VAECODEC_MODELS", str(tmp_path))
    (tmp_path / "b.vaem").write_bytes(photo.stripped().model.to_bytes())
    assert installed.photograph_model() is None
    (tmp_path / "c.vaem").write_bytes(photo.model.to_bytes())
    found = installed.photograph_model()
    assert found is not None
    assert found.name == "c"
    assert Choice(ADVICE).for_stream(photo.compress(digit())).fingerprint == photo.fingerprint


def test_a_digit_is_decompressed_without_the_rooms_of_photographs(choice, tmp_path):
    """Start-up decides the time of a command: what a digit does not use is not imported."""
    (tmp_path / "x.vae").write_bytes(Codec.load("mnist").compress(digit()))
    code = (
        "import sys; from pathlib import Path; from vaecodec.codec.choice import Advice, Choice\n"
        f"data = Path({str(tmp_path / 'x.vae')!r}).read_bytes()\n"
        "Choice(Advice('', '')).for_stream(data).decompress(data)\n"
        "print([name for name in sys.modules if name.startswith(('vaecodec.photo', 'PIL', 'onnxruntime')) "
        "or name == 'vaecodec.codec.photograph'])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env={**os.environ})
    assert done.stdout.strip() == "[]"
