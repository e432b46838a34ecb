"""A picture of any size to payloads and back: the decoder gives the pixels that the encoder promised."""

import json
from dataclasses import replace

import numpy as np
import pytest

from tests.photo.tiny import LEVELS, smooth_picture, tiny_photo_model
from vaecodec.errors import BadField, FormatError, ImageSizeError, KnownAnswerMismatch, ModelError, NotCanonical
from vaecodec.photo import coder, regions
from vaecodec.photo.analysis import PhotoAnalysis
from vaecodec.photo.coder import decode_picture, encode_picture
from vaecodec.photo.latents import decode_region
from vaecodec.photo.model import PhotoModel, open_photo_model
from vaecodec.photo.regions import region_grid


@pytest.mark.parametrize("size", [(1, 1), (1, 50), (33, 2), (64, 64), (75, 130)])
@pytest.mark.parametrize("level", range(LEVELS))
def test_decoding_gives_the_pixels_that_encoding_promised(size, level):
    model, pixels = tiny_photo_model(), smooth_picture(*size)
    encoded = encode_picture(model, pixels, level)
    assert encoded.pixels.shape == pixels.shape
    assert np.array_equal(decode_picture(model, encoded.payloads, level, size), encoded.pixels)


def test_a_finer_level_is_nearer_to_the_picture():
    model, pixels = tiny_photo_model(), smooth_picture(96, 80)
    errors = [np.square(encode_picture(model, pixels, k).pixels.astype(float) - pixels).mean() for k in range(LEVELS)]
    assert errors[-1] < errors[1] < errors[0]


def test_large_pictures_have_a_payload_for_each_region(monkeypatch):
    model, pixels = tiny_photo_model(), smooth_picture(100, 180)
    monkeypatch.setattr(regions, "REGION", 4)
    monkeypatch.setattr(coder, "STRIPE_POSITIONS", 1)
    monkeypatch.setattr(coder, "LEAST_STRIPE", 3)
    assert len(region_grid((100, 180))) == 2 * 3
    encoded = encode_picture(model, pixels, 2)
    assert len(encoded.payloads) == 6
    assert np.array_equal(decode_picture(model, encoded.payloads, 2, (100, 180)), encoded.pixels)


def test_a_region_is_told_without_its_neighbours(monkeypatch):
    model = tiny_photo_model()
    monkeypatch.setattr(regions, "REGION", 4)
    first, second = smooth_picture(64, 128), smooth_picture(64, 128, seed=1)
    second[:, :64] = first[:, :64]
    payloads = [encode_picture(model, pixels, 0).payloads for pixels in (first, second)]
    told = [decode_picture(model, (payloads[0][0], p[1]), 0, (64, 128)) for p in payloads]
    assert np.array_equal(told[0], decode_picture(model, payloads[0], 0, (64, 128)))
    assert not np.array_equal(told[0], told[1])


def test_what_is_no_picture_or_no_payload_is_refused():
    model, pixels = tiny_photo_model(), smooth_picture(40, 40)
    with pytest.raises(ImageSizeError):
        encode_picture(model, pixels[:, :, 0], 0)
    (payload,) = encode_picture(model, pixels, 3).payloads
    with pytest.raises(BadField, match="0 payloads, expected 1"):
        decode_picture(model, (), 3, (40, 40))
    with pytest.raises(BadField, match="level 4"):
        decode_picture(model, (payload,), 4, (40, 40))
    with pytest.raises(NotCanonical):
        decode_picture(model, (payload + b"\1",), 3, (40, 40))
    for cut in (1, 7, len(payload) // 2):
        try:
            found = decode_region(model.networks, payload[:-cut], 3, (3, 3))
        except FormatError:
            continue
        whole = decode_region(model.networks, payload, 3, (3, 3))
        assert not (np.array_equal(found.base, whole.base) and np.array_equal(found.detail, whole.detail))


def test_a_model_file_reads_back(tmp_path):
    model = tiny_photo_model()
    data = model.to_bytes()
    again = PhotoModel.from_bytes(data)
    assert again.to_bytes() == data
    assert again.fingerprint == model.fingerprint
    assert (again.name, again.family, again.betas, again.default_level) == ("tiny-photo", "photo", model.betas, 2)
    assert again.can_compress
    (tmp_path / "tiny.vaem").write_bytes(data)
    pixels = smooth_picture(50, 70)
    encoded = encode_picture(open_photo_model(tmp_path / "tiny.vaem"), pixels, 1)
    assert np.array_equal(decode_picture(again, encoded.payloads, 1, (50, 70)), encoded.pixels)
    assert encoded.payloads == encode_picture(model, pixels, 1).payloads


def test_a_model_without_analysis_decodes_only():
    whole = tiny_photo_model()
    encoded = encode_picture(whole, smooth_picture(40, 40), 1)
    model = PhotoModel(
        whole.name, whole.family, whole.betas, whole.default_level, whole.about, whole.decode, whole.sections, None
    )
    model = PhotoModel.from_bytes(model.to_bytes())
    assert model.fingerprint == whole.fingerprint
    assert np.array_equal(decode_picture(model, encoded.payloads, 1, (40, 40)), encoded.pixels)
    with pytest.raises(ModelError, match="decoder alone"):
        encode_picture(model, smooth_picture(40, 40), 1)


@pytest.mark.parametrize("rows", [4, 8, 63])
def test_stripes_of_any_height_give_the_same_pixels(rows, monkeypatch):
    model, size = tiny_photo_model(), (300, 130)
    encoded = encode_picture(model, smooth_picture(*size), 3)
    monkeypatch.setattr(coder, "STRIPE_POSITIONS", 1)
    monkeypatch.setattr(coder, "LEAST_STRIPE", rows)
    assert np.array_equal(decode_picture(model, encoded.payloads, 3, size), encoded.pixels)


@pytest.mark.parametrize("cores", ["1", "2", "3"])
def test_any_number_of_threads_and_any_block_give_the_same(cores, monkeypatch):
    model, pixels = tiny_photo_model(), smooth_picture(150, 220)
    expected = encode_picture(model, pixels, 2)
    monkeypatch.setattr("vaecodec.cores.core_count", lambda: int(cores))
    for bytes_at_once in (1, 5000):
        monkeypatch.setattr("vaecodec.photo.convolution.BLOCK_BYTES", bytes_at_once)
        monkeypatch.setattr("vaecodec.photo.checkerboard.BLOCK_BYTES", bytes_at_once)
        assert np.array_equal(decode_picture(model, expected.payloads, 2, (150, 220)), expected.pixels)


def test_a_machine_that_computes_wrongly_is_noticed_before_it_decodes():
    model = tiny_photo_model()
    decode = json.loads(json.dumps(model.decode))
    decode["known_answer"][0]["sha256"] = "0" * 64
    with pytest.raises(KnownAnswerMismatch, match="level 0"):
        _ = replace(model, decode=decode).networks


def test_an_analysis_in_tiles_gives_the_latents_of_the_whole(monkeypatch):
    encoder, pixels = tiny_photo_model().encoder, smooth_picture(320, 400)
    channels = encoder.gain.shape[1], encoder.z_gain.shape[1]
    analysis = PhotoAnalysis(encoder.analysis, encoder.hyper, 2 * encoder.halo, channels)  # a file has half the radius
    whole = analysis.latents(pixels)
    monkeypatch.setattr("vaecodec.photo.analysis.TILE", 7)
    tiles = analysis.latents(pixels)
    assert tiles.shape == whole.shape == (20, 25, 5)
    assert np.abs(tiles - whole).max() < 1e-4 * np.abs(whole).max()


def _with_gain(model, name, value):
    gain = np.full_like(getattr(model.encoder, name), value)
    return replace(model, encoder=replace(model.encoder, **{name: gain}))


@pytest.mark.parametrize(
    "change",
    [
        lambda model: replace(model, betas=(0.0,) * len(model.betas)),
        lambda model: replace(model, betas=(5e-324,) * len(model.betas)),
        lambda model: _with_gain(model, "gain", np.inf),
        lambda model: _with_gain(model, "z_gain", np.nan),
        lambda model: _with_gain(model, "gain", 3e38),
    ],
)
def test_what_a_model_says_to_an_encoder_alone_is_an_error_when_it_encodes(change):
    model, pixels = tiny_photo_model(), smooth_picture(20, 30)
    payloads = encode_picture(model, pixels, 2).payloads
    changed = change(model)
    assert decode_picture(changed, payloads, 2, (20, 30)).shape == (20, 30, 3)
    with pytest.raises(ModelError):
        encode_picture(changed, pixels, 2)
