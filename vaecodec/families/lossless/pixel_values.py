"""How likely a pixel is, given logits: zero or not, and what value it has where it is not zero.

    logits (b, 1 + K, h, w) ─┬─ first: P(zero) = sigmoid
                             └─ others: softmax ──mix──> K basis distributions over 1..255 (8 bit; 1 bit has only 255)

The pixels of a digit's outline are grey, all values alike; the others crowd at a few values near white. Bases are free
distributions, learned, that begin as logistics of all centers and widths.
"""

from __future__ import annotations

import torch
from jaxtyping import Float, UInt8
from torch import Tensor, nn
from torch.nn import functional as F

from vaecodec.modelfile.lossless_part import VALUES

WIDTHS = (3.0, 10.0, 30.0)  # of the logistics that bases begin as, in grey levels
SPIKES = 4  # bases that begin as one of the values 255, 254, …
SMALLEST = 1e-6  # probability of a value in a basis to begin with


class PixelValues(nn.Module):
    """The likelihood of images; bases: K, 0 where pixels are 0 or 255."""

    def __init__(self, bases: int) -> None:
        super().__init__()
        self.bases = nn.Parameter(begin_bases(bases).log()) if bases else None

    def nats(self, logits: Float[Tensor, "b o h w"], pixels: UInt8[Tensor, "b h w"]) -> Float[Tensor, " b"]:
        """-ln P of each image's pixels."""
        lit = pixels > 0
        flags = F.binary_cross_entropy_with_logits(logits[:, 0], (~lit).to(logits.dtype), reduction="none")
        nats = flags.flatten(1).sum(dim=1)
        if self.bases is None:
            return nats
        weights = logits.permute(0, 2, 3, 1)[lit][:, 1:].log_softmax(dim=1)
        found = self.log_probabilities().T[pixels[lit].long() - 1]
        owners = lit.nonzero()[:, 0]
        return nats.index_add(0, owners, -(weights + found).logsumexp(dim=1))

    def log_probabilities(self) -> Float[Tensor, "k v"]:
        """ln P of the values 1..255 in each basis."""
        assert self.bases is not None
        return self.bases.log_softmax(dim=1)


def begin_bases(count: int) -> Float[Tensor, "k v"]:
    """Probabilities of 1..255: one flat basis, spikes near white, and logistics of a grid of centres and widths."""
    values = torch.arange(1, VALUES + 1, dtype=torch.float32)
    rows = [torch.ones(VALUES)]
    rows += [(-(values - (VALUES - k)).abs() * 3).exp() for k in range(min(SPIKES, count - 1))]
    centers = -(-(count - len(rows)) // len(WIDTHS))  # of each width, rounded up
    for place in torch.linspace(1, VALUES, max(centers, 1)).tolist():
        rows += [_logistic(values, place, width) for width in WIDTHS]
    table = torch.stack(rows[:count]).clamp_min(SMALLEST)
    return table / table.sum(dim=1, keepdim=True)


def _logistic(values: Tensor, center: float, width: float) -> Tensor:
    return torch.sigmoid((values + 0.5 - center) / width) - torch.sigmoid((values - 0.5 - center) / width)
