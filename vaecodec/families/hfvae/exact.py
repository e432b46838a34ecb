"""The integer-exact network of an hfvae: its first layer takes the category and, where they are coded jointly, cells.

    symbols (b, 1 + …) ─┬─ category ─table─> (hidden) ──────────────┐
                        ├─ latents ─Dense─> (hidden) ───────────────┼─ + ─ Rescale ─> as ExactSynthesis goes on
                        └─ cell ─table─> its latents ─Dense─> (hidden) ┘

ExactSynthesis is trained on the one-hot category and the latents themselves; a one-hot times a matrix is a table's row.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from vaecodec.exact.network import ExactNetwork
from vaecodec.families.hfvae.joint_symbols import Cells
from vaecodec.layers.exact.dense import ACTIVATION_TOP
from vaecodec.layers.exact.graph import ExactGraph
from vaecodec.layers.exact.synthesis import ExactSynthesis


def structured_network(exact: ExactSynthesis, categories: int) -> ExactNetwork:
    """The network of symbols [category, latents]. Raises NotExact."""
    weight, _ = exact.embed.integers()
    limit = exact.limit[categories:].numpy().astype(np.int32)
    low, high = np.append(0, -limit), np.append(categories - 1, limit)
    graph = _graph(low, high)
    beside = torch.cat([torch.zeros(len(weight), 1), weight[:, categories:]], dim=1)
    return _finish(graph, exact, categories, beside, [])


def joint_network(exact: ExactSynthesis, categories: int, groups: Sequence[Cells]) -> ExactNetwork:
    """The network of symbols [category, a cell for each group]. Raises NotExact."""
    weight, _ = exact.embed.integers()
    graph = _graph(np.zeros(1 + len(groups)), np.array([categories - 1, *(group.cells - 1 for group in groups)]))
    parts, start = [], categories
    for k, group in enumerate(groups):
        table = group.symbols(np.arange(group.cells, dtype=np.int32)).astype(np.float32)
        latents = graph.lookup(graph.slice(graph.input, 1 + k, 2 + k), table)
        columns = weight[:, start : start + len(group.width)]
        parts.append(graph.dense(latents, columns, torch.zeros(len(weight))))
        start += len(group.width)
    return _finish(graph, exact, categories, torch.zeros(len(weight), 1 + len(groups)), parts)


def _graph(low: npt.NDArray[np.generic], high: npt.NDArray[np.generic]) -> ExactGraph:
    return ExactGraph(low.astype(np.int32), high.astype(np.int32))


def _finish(
    graph: ExactGraph, exact: ExactSynthesis, categories: int, beside: Tensor, parts: list[int]
) -> ExactNetwork:
    """beside (hidden, inputs): what the first layer multiplies the symbols themselves with; parts: values to add."""
    weight, bias = exact.embed.integers()
    total = graph.lookup(graph.slice(graph.input, 0, 1), weight[:, :categories].T)
    for part in (graph.dense(graph.input, beside, bias), *parts):
        total = graph.add(total, part)
    embedded = graph.rescale(total, exact.embed.shift, 0, ACTIVATION_TOP)
    exact.build_behind(graph, embedded)
    return graph.network()
