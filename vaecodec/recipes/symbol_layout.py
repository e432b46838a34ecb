"""A symbol layout: which numbers a file holds for an image, and how the synthesis gets its latents from them.

    quantised latents (N, m) ──coded──> symbols (N, n), as files hold them ──plain──> (N, used), for the synthesis

FlatLayout: the latents that carry anything, one symbol each.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np
import numpy.typing as npt
import torch

from vaecodec.arrays import Symbols
from vaecodec.entropy.quantizer import Quantizer
from vaecodec.exact.network import ExactNetwork
from vaecodec.layers.base import VAE
from vaecodec.layers.exact.synthesis import ExactSynthesis
from vaecodec.modelfile.analysis_weights import Analysis
from vaecodec.recipes.latents import FittedTables, carrying_or_first, fit_tables
from vaecodec.recipes.onnx_export import export_analysis


class SymbolLayout(ABC):
    """Made of a model and the quantised latents (N, m) of the training images.

    used: numbers of the quantised latents that the synthesis takes.
    """

    used: npt.NDArray[np.int64]

    @abstractmethod
    def coded(self, quantised: Symbols) -> Symbols:
        """The symbols of quantised latents."""

    @abstractmethod
    def plain(self, symbols: Symbols) -> Symbols:
        """What the synthesis takes, from symbols."""

    @abstractmethod
    def quantizer(self, every: Quantizer) -> Quantizer:
        """That of the symbols, given that of all latents."""

    @abstractmethod
    def export_analysis(self, every: Quantizer) -> Analysis:
        """The ONNX graph whose results the quantizer rounds to symbols."""

    @abstractmethod
    def fit_tables(self, symbols: Symbols, validation: Symbols, rng: torch.Generator) -> FittedTables:
        """The tables of the symbols."""

    @abstractmethod
    def to_network(self, exact: ExactSynthesis) -> ExactNetwork:
        """The network that takes the symbols. Raises NotExact."""


class FlatLayout(SymbolLayout):
    """One symbol for each latent that carries anything."""

    def __init__(self, model: VAE, quantised: Symbols) -> None:
        self.model = model
        self.used = carrying_or_first(quantised)

    def coded(self, quantised: Symbols) -> Symbols:
        return quantised[:, self.used]

    def plain(self, symbols: Symbols) -> Symbols:
        return symbols

    def quantizer(self, every: Quantizer) -> Quantizer:
        return Quantizer(every.center[self.used], every.step[self.used])

    def export_analysis(self, every: Quantizer) -> Analysis:
        return export_analysis(self.model, torch.from_numpy(self.used))

    def fit_tables(self, symbols: Symbols, validation: Symbols, rng: torch.Generator) -> FittedTables:
        return fit_tables(symbols, validation, rng)

    def to_network(self, exact: ExactSynthesis) -> ExactNetwork:
        return exact.to_network()
