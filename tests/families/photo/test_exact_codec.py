"""The exact twin of the whole codec: payloads have the bits that training counts, and give the pixels that it sees."""

import numpy as np
import pytest
import torch

from tests.families.photo.tiny import TINY, smooth_pictures, tiny_model
from vaecodec.families.photo.export import analysis_halo, export_model
from vaecodec.photo.coder import encode_picture
from vaecodec.photo.regions import BLOCK

LEVELS = torch.tensor([0.0, 1.0, 2.0])


@pytest.fixture(scope="module")
def models():
    model, pictures = tiny_model(), smooth_pictures(3, 128)
    return model, export_model("tiny", model, LEVELS, pictures, calibrated_at=LEVELS.tolist(), about={}), pictures


def test_a_payload_has_about_the_bits_that_training_counts(models):
    model, exported, pictures = models
    for row in (1, 2):
        x = torch.from_numpy(pictures[:1]).permute(0, 3, 1, 2).float() / 255
        with torch.no_grad():
            expected = model(x, LEVELS[row][None]).bits.item()
        found = 8 * len(encode_picture(exported, pictures[0], row).payloads[0])
        # Heads are random: symbols are far from what they expect, and escapes cost other bits than the floor.
        assert abs(found - expected) < 0.12 * expected + 300


def test_the_error_is_that_of_training(models):
    model, exported, pictures = models
    for row in range(len(LEVELS)):
        x = torch.from_numpy(pictures[:1]).permute(0, 3, 1, 2).float() / 255
        with torch.no_grad():
            expected = (255 * model(x, LEVELS[row][None]).x_hat.clamp(0, 1))[0].permute(1, 2, 0).numpy()
        made = encode_picture(exported, pictures[0], row).pixels
        errors = [np.square(picture - pictures[0].astype(float)).mean() for picture in (made, expected)]
        assert abs(10 * np.log10(errors[0] / errors[1])) < 0.5  # the analysis has rounded weights: other symbols


@torch.no_grad()
def test_the_exported_analysis_is_the_trained_one_at_any_size(models):
    model, exported, _ = models
    for height, width in ((3, 5), (9, 4)):
        pixels = smooth_pictures(1, 160)[0, : height * BLOCK, : width * BLOCK]
        x = torch.from_numpy(pictures_first(pixels)).float() / 255
        expected = model.analysis(x)[0].permute(1, 2, 0).numpy()
        assert np.abs(exported.analysis.latents(pixels) - expected).max() < 0.02 * np.abs(expected).max()
        z = model.hyper_analysis(torch.from_numpy(pictures_first(expected)))[0].permute(1, 2, 0).numpy()
        assert np.abs(exported.analysis.hyperlatents(expected) - z).max() < 0.02 * np.abs(z).max() + 0.01


def pictures_first(values):
    return np.ascontiguousarray(values.transpose(2, 0, 1)[None])


@torch.no_grad()
def test_no_latent_depends_on_pixels_beyond_the_halo(models):
    model, _, _ = models
    halo = analysis_halo(TINY)
    x = torch.rand(1, 3, 16 * BLOCK, 16 * BLOCK, generator=torch.Generator().manual_seed(0))
    changed = x.clone()
    changed[:, :, : (8 - halo) * BLOCK] = 0
    difference = (model.analysis(x) - model.analysis(changed)).abs().amax((0, 1, 3))
    assert difference[8:].max() == 0
    assert difference[7 - halo] > 0
