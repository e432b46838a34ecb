"""A network's table of pixels says which logit an index stands for: the one that its family was trained at."""

from pathlib import Path

import numpy as np
import pytest
import torch

from vaecodec.errors import ModelError
from vaecodec.families.conditioned.config import ConditionedConfig
from vaecodec.families.conditioned.exact import ExactConditionedSynthesis
from vaecodec.families.conditioned.model import ConditionedVAE
from vaecodec.layers.exact.pixel_scales import PIXEL_SCALES, SIGMOID, SOFT_CLAMP, PixelScale, scale_of
from vaecodec.layers.exact.symbols import SymbolRange
from vaecodec.layers.exact.synthesis import ExactSynthesis
from vaecodec.layers.transforms import ConvSynthesis
from vaecodec.modelfile.model import read_model
from vaecodec.recipes.sizes import ModelConfig

ROOT = Path(__file__).parents[3]
PHOTOGRAPHS = "photo-"  # whose pixels are made without a table of logits
MODELS = sorted(
    path
    for folder in ("vaecodec/zoo", "benchmarks/results/families")
    for path in (ROOT / folder).glob("*.vaem")
    if not path.name.startswith(PHOTOGRAPHS)
)


def test_a_conditioned_synthesis_is_softly_clamped() -> None:
    config = ConditionedConfig(8, 8, latents=6, deep_latents=4, units=8, hidden=8, blocks=1, encoder_units=8)
    model = ConditionedVAE(config)
    symbols, level = torch.randint(-9, 10, (32, 6)).float(), torch.randint(config.levels, (32,))
    exact = ExactConditionedSynthesis(model.synthesis, torch.full((6,), 9.0), symbols, level)
    with torch.no_grad():
        index, logits = exact(symbols, level), exact.logits(symbols, level)
    scale = scale_of(exact.to_network())
    assert scale is SOFT_CLAMP
    torch.testing.assert_close(scale.logits_of(index), logits)


def test_a_convolutional_synthesis_is_behind_a_sigmoid() -> None:
    config = ModelConfig(8, 8, latents=2, channels=(4,), hidden=8)
    symbols = torch.randint(-3, 4, (32, 2)).float()
    meaning = SymbolRange(torch.zeros(2), torch.ones(2), torch.arange(2), torch.full((2,), 3))
    exact = ExactSynthesis(ConvSynthesis(config), symbols, meaning)
    with torch.no_grad():
        index, logits = exact(symbols), exact.logits(symbols)
    scale = scale_of(exact.to_network())
    assert scale is SIGMOID
    torch.testing.assert_close(scale.logits_of(index), logits)


@pytest.mark.parametrize("scale", PIXEL_SCALES, ids=lambda scale: scale.name)
def test_the_logit_of_an_index_is_the_logit_of_its_pixel(scale: PixelScale) -> None:
    index = torch.arange(-scale.top, scale.top + 1, dtype=torch.float64)
    table = scale.table().ravel()
    assert np.abs(255 * scale.logits_of(index).sigmoid().numpy() - table).max() <= 0.5 + 1e-3
    assert (np.diff(table) >= 0).all()
    assert (table[0], table[scale.top], table[-1]) == (0, 128, 255)


@pytest.mark.parametrize("path", MODELS, ids=lambda path: path.stem)
def test_every_kept_model_with_levels_has_one_of_the_scales(path: Path) -> None:
    model = read_model(path)
    if model.levels:
        assert scale_of(model.synthesis) in PIXEL_SCALES


def test_another_table_is_refused() -> None:
    with pytest.raises(ModelError, match="no table of"):
        scale_of(read_model(ROOT / "tests" / "golden" / "v1" / "mini.vaem").synthesis)
