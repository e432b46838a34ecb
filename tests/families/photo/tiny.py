"""A photograph model small enough for tests, and pictures for it."""

import torch

from vaecodec.families.photo.config import PhotoConfig
from vaecodec.families.photo.model import Photo
from vaecodec.families.photo.prior import LogisticMixture

TINY = PhotoConfig(
    anchors=3,
    analysis_widths=(8, 8, 8),
    synthesis_widths=(8, 8, 8),
    analysis_blocks=1,
    synthesis_blocks=(1, 1, 1),
    base_slices=(2, 3),
    detail_slices=(16, 32),
    hyper_channels=4,
    hyper_widths=(8, 8, 8),
    slice_widths=(8, 8, 8),
    detail_widths=(8, 8, 8, 8),
    detail_from=0.5,
)


def tiny_model(seed=0, config=TINY):
    """A model with random weights; the heads' last layers are not zero, so that contexts matter."""
    torch.manual_seed(seed)
    model = Photo(config, LogisticMixture(config.hyper_channels))
    for parameter in model.detail_heads.parameters():
        if parameter.abs().sum() == 0:
            torch.nn.init.normal_(parameter, std=0.1)
    return model


def smooth_pictures(count, side=64, seed=0):
    """uint8 (count, side, side, 3), random and smooth."""
    rng = torch.Generator().manual_seed(seed)
    coarse = torch.rand(count, 3, side // 8, side // 8, generator=rng)
    fine = torch.nn.functional.interpolate(coarse, scale_factor=8, mode="bilinear")
    return (fine * 255).round().to(torch.uint8).permute(0, 2, 3, 1).numpy()
