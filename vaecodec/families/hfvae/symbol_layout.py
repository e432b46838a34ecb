"""The symbol layouts of an hfvae: [category, latents], or [category, a cell for each group].

    quantised (N, k + m): one-hot, latents ──coded──> (N, 1 + n) ──plain──> (N, k + n): one-hot, latents

Jointly coded, a group of latents is one symbol: the number of its cell. The table then knows what the latents of a
group have to do with each other, and the difference to tables of their own is their total correlation, in bits.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch
from jaxtyping import Float
from torch import Tensor, nn

from vaecodec.arrays import Symbols
from vaecodec.bitstream.limits import MAX_ALPHABET
from vaecodec.entropy.quantizer import Quantizer
from vaecodec.entropy.tables import CodingTables, tables_from_histogram
from vaecodec.exact.network import ExactNetwork
from vaecodec.families.hfvae.exact import joint_network, structured_network
from vaecodec.families.hfvae.joint_symbols import Cells, window
from vaecodec.families.hfvae.model import HFVAE
from vaecodec.families.hfvae.symbol_tables import category_table, cells_table, stack_tables
from vaecodec.layers.exact.synthesis import ExactSynthesis
from vaecodec.modelfile.analysis_weights import Analysis
from vaecodec.recipes.latents import COLLAPSED_BITS, FittedTables, carrying, entropy_bits, fit_tables
from vaecodec.recipes.onnx_export import export_module
from vaecodec.recipes.symbol_layout import SymbolLayout


class StructuredLayout(SymbolLayout):
    """What both have in common: the category first."""

    def __init__(self, model: HFVAE, quantised: Symbols) -> None:
        self.model = model
        self.categories = categories = model.config.categories
        self.active = carrying(quantised[:, categories:])
        self.used = np.concatenate([np.arange(categories), categories + self.active])

    def coded(self, quantised: Symbols) -> Symbols:
        names = quantised[:, : self.categories].argmax(axis=1)
        rest = self.coded_latents(quantised[:, self.categories + self.active])
        return np.column_stack([names, rest]).astype(np.int32)

    def plain(self, symbols: Symbols) -> Symbols:
        one_hot = np.eye(self.categories, dtype=np.int32)[symbols[:, 0]]
        return np.concatenate([one_hot, self.plain_latents(symbols[:, 1:])], axis=1)

    def category_tables(self, symbols: Symbols) -> CodingTables:
        """The first table."""
        carries = entropy_bits(symbols[:, 0]) >= COLLAPSED_BITS
        return category_table(symbols[:, 0], self.categories, coded=carries)

    @abstractmethod
    def coded_latents(self, latents: Symbols) -> Symbols:
        """The symbols after the category."""

    @abstractmethod
    def plain_latents(self, symbols: Symbols) -> Symbols:
        """The inverse of coded_latents, up to what lies outside its cells."""


class FactorisedLayout(StructuredLayout):
    """[category, latents]: a table for each."""

    def coded_latents(self, latents: Symbols) -> Symbols:
        return latents

    def plain_latents(self, symbols: Symbols) -> Symbols:
        return symbols

    def quantizer(self, every: Quantizer) -> Quantizer:
        chosen = self.categories + self.active
        return Quantizer(_first(0.0, every.center[chosen]), _first(1.0, every.step[chosen]))

    def export_analysis(self, every: Quantizer) -> Analysis:
        return export_module(CategoryAndLatents(self.model, torch.from_numpy(self.active)), self.model.config)

    def fit_tables(self, symbols: Symbols, validation: Symbols, rng: torch.Generator) -> FittedTables:
        rest = fit_tables(symbols[:, 1:], validation[:, 1:], rng)
        first = self.category_tables(symbols)
        bits = float(first.information_bits(first.fill_collapsed(validation[:, :1])).mean())
        tables = stack_tables([first, rest.tables])
        return FittedTables(tables, rest.made_by, rest.learned_bits + bits, rest.counts_bits + bits)

    def to_network(self, exact: ExactSynthesis) -> ExactNetwork:
        return structured_network(exact, self.categories)


class JointLayout(StructuredLayout):
    """[category, a cell for each group that carries anything]: a joint table for each group."""

    def __init__(self, model: HFVAE, quantised: Symbols) -> None:
        super().__init__(model, quantised)
        group_sizes = model.config.group_sizes
        group = np.repeat(np.arange(len(group_sizes)), group_sizes)[self.active]
        members = [np.flatnonzero(group == k) for k in range(len(group_sizes))]
        self.members = [part for part in members if len(part)]  # places among the active latents
        latents = quantised[:, self.categories + self.active]
        self.cells = [window(latents[:, part], MAX_ALPHABET - 1) for part in self.members]

    def coded_latents(self, latents: Symbols) -> Symbols:
        numbers = [cells.number(latents[:, part]) for part, cells in zip(self.members, self.cells, strict=True)]
        return np.stack(numbers, axis=1) if numbers else np.empty((len(latents), 0), np.int32)

    def plain_latents(self, symbols: Symbols) -> Symbols:
        parts = [cells.symbols(column) for cells, column in zip(self.cells, symbols.T, strict=True)]
        return np.concatenate(parts, axis=1) if parts else np.empty((len(symbols), 0), np.int32)

    def quantizer(self, every: Quantizer) -> Quantizer:
        """The graph gives whole numbers already."""
        return Quantizer.rounding(1 + len(self.cells))

    def export_analysis(self, every: Quantizer) -> Analysis:
        chosen = self.categories + self.active
        coded = Quantizer(every.center[chosen], every.step[chosen])
        return export_module(
            CategoryAndCells(self.model, torch.from_numpy(self.active), coded, self.cells), self.model.config
        )

    def fit_tables(self, symbols: Symbols, validation: Symbols, rng: torch.Generator) -> FittedTables:
        """learned_bits: of the joint tables. counts_bits: of smoothed counts of each latent by itself."""
        first = self.category_tables(symbols)
        joint = [cells_table(column, cells) for column, cells in zip(symbols[:, 1:].T, self.cells, strict=True)]
        tables = stack_tables([first, *joint])
        bits = float(tables.information_bits(tables.fill_collapsed(validation)).mean())
        alone, checked = (self.plain_latents(part[:, 1:]) for part in (symbols, validation))
        own = float(tables_from_histogram(alone).information_bits(checked).mean()) if alone.shape[1] else 0.0
        category = float(first.information_bits(first.fill_collapsed(validation[:, :1])).mean())
        return FittedTables(tables, "smoothed joint counts", bits, own + category)

    def to_network(self, exact: ExactSynthesis) -> ExactNetwork:
        return joint_network(exact, self.categories, self.cells)


def layout_of(model: HFVAE, quantised: Symbols) -> StructuredLayout:
    """The layout that the model's sizes ask for."""
    return (JointLayout if model.config.joint else FactorisedLayout)(model, quantised)


class CategoryAndLatents(nn.Module):
    """(b, h, w) → the likeliest category's number and the means of the coded latents (b, 1 + n)."""

    def __init__(self, model: HFVAE, active: Tensor) -> None:
        super().__init__()
        self.model = model
        self.active = active

    def forward(self, x: Float[Tensor, "b h w"]) -> Float[Tensor, "b n"]:
        posterior = self.model.analyse(x)
        name = posterior.category_logits.argmax(dim=1, keepdim=True)
        return torch.cat([name.to(x.dtype), posterior.mean[:, self.active]], dim=1)


class CategoryAndCells(nn.Module):
    """(b, h, w) → the likeliest category's number and those of the groups' cells (b, 1 + groups)."""

    def __init__(self, model: HFVAE, active: Tensor, quantizer: Quantizer, groups: Sequence[Cells]) -> None:
        super().__init__()
        self.model = model
        self.active = active
        self.center, self.step = torch.from_numpy(quantizer.center), torch.from_numpy(quantizer.step)
        self.low = torch.tensor([low for cells in groups for low in cells.low], dtype=torch.float32)
        self.top = torch.tensor([width - 1 for cells in groups for width in cells.width], dtype=torch.float32)
        self.into_cells = torch.zeros(len(self.low), len(groups))  # one column of strides for each group
        row = 0
        for k, cells in enumerate(groups):
            self.into_cells[row : row + len(cells.width), k] = torch.tensor(cells.strides, dtype=torch.float32)
            row += len(cells.width)

    def forward(self, x: Float[Tensor, "b h w"]) -> Float[Tensor, "b n"]:
        posterior = self.model.analyse(x)
        name = posterior.category_logits.argmax(dim=1, keepdim=True)
        places = ((posterior.mean[:, self.active] - self.center) / self.step).round() - self.low
        cells = torch.minimum(places.clamp_min(0), self.top) @ self.into_cells
        return torch.cat([name.to(x.dtype), cells], dim=1)


def _first(value: float, others: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    return np.concatenate([[np.float32(value)], others]).astype(np.float32)
