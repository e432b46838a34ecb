"""Spectral regularisation: the sum of the layers' largest singular values (Yoshida & Miyato 2017).

u <── W v, v <── Wᵀ u, normalised: one step of the power iteration for each step of training;  σ = uᵀ W v

An nvae's KL can be made unbounded by layers that answer to small changes with large ones; keeping the spectral norms
down keeps it trainable (Vahdat & Kautz 2020, section 3.2).
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F


class SpectralNorms(nn.Module):
    """Of the layers of a model, which stay the model's own; the vectors of the iteration are buffers."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self._layers = [layer for layer in model.modules() if isinstance(layer, nn.Linear | nn.Conv2d)]
        for k, layer in enumerate(self._layers):
            first = torch.ones(layer.weight[0].numel())
            self.register_buffer(f"right_{k}", F.normalize(first, dim=0))

    def forward(self) -> Tensor:
        """Σ σ of all layers, after one more step of the iteration."""
        return torch.stack([self._norm(k, layer.weight.flatten(1)) for k, layer in enumerate(self._layers)]).sum()

    def _norm(self, k: int, matrix: Float[Tensor, "out in"]) -> Tensor:
        right = self.get_buffer(f"right_{k}")
        with torch.no_grad():
            left = F.normalize(matrix @ right, dim=0)
            right.copy_(F.normalize(matrix.T @ left, dim=0))
        return left @ (matrix @ right.clone())
