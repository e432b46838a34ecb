"""The encoder's networks, run by ONNX Runtime in tiles: the only floats of a photograph, and no part of the format.

pixels uint8 (16 h, 16 w, 3) --tiles with a halo--> y float32 (h, w, 192)
y times the gains of a level, of one region --> z float32 (h/4, w/4, 96), before its gains and rounding
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from vaecodec.arrays import Pixels
from vaecodec.errors import ModelError
from vaecodec.modelfile.analysis_weights import Analysis
from vaecodec.modelfile.onnx_graph import Expected
from vaecodec.modelfile.onnx_session import keep_for_ever, start_session, watch_forks
from vaecodec.photo.convolution import Float32
from vaecodec.photo.regions import BLOCK, HYPER_BLOCK

TILE = 96  # positions a side that are computed at once: what is held stays below 400 MB
PEAK = np.float32(255)
RGB = 3


@dataclass(frozen=True, slots=True)
class GraphSize:
    """A graph takes some channels and gives some others; each of its positions stands for a square of this side."""

    takes: int
    gives: int
    side: int


class GraphSession:
    """One graph of a tensor (1, c, h, w) of any h and w; it is loaded at first use, in each process.

    size: what it gives. A pickle or copy holds the graph and its size alone.
    """

    def __init__(self, graph: Analysis, size: GraphSize) -> None:
        self._graph, self._size = graph, size
        self._session: Any = None
        watch_forks(self)

    def __getstate__(self) -> tuple[Analysis, GraphSize]:
        return self._graph, self._size

    def __setstate__(self, state: tuple[Analysis, GraphSize]) -> None:
        self.__init__(*state)  # type: ignore[misc]

    def forget_inherited(self) -> None:
        """In a forked child: begin anew, and keep the parent's session for ever, so that nothing destroys it."""
        if self._session is not None:
            keep_for_ever(self._session)
            self._session = None

    def __call__(self, x: Float32) -> Float32:
        """(1, c, h, w) -> (1, c', h', w'). Raises ModelError."""
        if self._session is None:
            if not self._graph.graph:
                raise ModelError("the model holds its decoder alone (it has no analysis graph): it cannot compress")
            expected = Expected((1, self._size.takes, None, None), (1, self._size.gives, None, None))
            self._session = start_session(self._graph, expected, keeps_memory=False)
        try:
            found: Float32 = self._session.run(None, {self._session.get_inputs()[0].name: x})[0]
        except Exception as error:  # ONNX Runtime's errors share no narrower parent
            raise ModelError(f"the analysis graph does not run on these pixels: {error}") from error
        wanted = (1, self._size.gives, *(-(-side // self._size.side) for side in x.shape[2:]))
        if found.shape != wanted or found.dtype != np.float32 or not np.isfinite(found).all():
            raise ModelError(f"the analysis graph gives {found.dtype} {found.shape}, expected finite float32 {wanted}")
        return found


class PhotoAnalysis:
    """The analysis and the hyperanalysis of a model.

    halo: positions around a tile that its latents depend on. channels: of y and of z.
    """

    def __init__(self, analysis: Analysis, hyper: Analysis, halo: int, channels: tuple[int, int]) -> None:
        self._analysis = GraphSession(analysis, GraphSize(RGB, channels[0], BLOCK))
        self._hyper = GraphSession(hyper, GraphSize(*channels, HYPER_BLOCK // BLOCK))
        self._halo = halo

    def latents(self, pixels: Pixels) -> Float32:
        """Pixels (16 h, 16 w, 3) -> y (h, w, c). Raises ModelError."""
        height, width = pixels.shape[0] // BLOCK, pixels.shape[1] // BLOCK
        rows = []
        for top in range(0, height, TILE):
            row = [self._tile(pixels, top, left) for left in range(0, width, TILE)]
            rows.append(np.concatenate(row, 1))
        return np.concatenate(rows)

    def _tile(self, pixels: Pixels, top: int, left: int) -> Float32:
        first = max(0, top - self._halo), max(0, left - self._halo)
        last = top + TILE + self._halo, left + TILE + self._halo  # beyond the end: there is no more
        seen = pixels[first[0] * BLOCK : last[0] * BLOCK, first[1] * BLOCK : last[1] * BLOCK]
        x = np.ascontiguousarray(seen.transpose(2, 0, 1)[None], np.float32) / PEAK
        y = self._analysis(x)[0].transpose(1, 2, 0)
        inside = y[top - first[0] :, left - first[1] :][:TILE, :TILE]
        return np.ascontiguousarray(inside)

    def hyperlatents(self, y: Float32) -> Float32:
        """y (h, w, c) of a region, times its gains -> z (h_z, w_z, c_z). Raises ModelError."""
        z = self._hyper(np.ascontiguousarray(y.transpose(2, 0, 1)[None]))
        return np.ascontiguousarray(z[0].transpose(1, 2, 0))
