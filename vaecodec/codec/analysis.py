"""AnalysisSession: the analysis transform, run by ONNX Runtime, which is imported when an image is first compressed.

images uint8 (b, h, w) ──> float32 in 0..1 ──ONNX──> y float32 (b, n)
level ─────────────────> int64 (b,), a second input where the model has several levels
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from vaecodec.errors import ModelError
from vaecodec.modelfile.analysis_weights import Analysis
from vaecodec.modelfile.onnx_graph import Expected
from vaecodec.modelfile.onnx_session import keep_for_ever, start_session, watch_forks

Levels = npt.NDArray[np.int64]
MAX_BATCH = 256  # bounds the memory of the feature maps


class AnalysisSession:
    """The graph of one model; an empty one cannot be run, only held.

    expected: the geometry that the graph must have, where it is known. Its weights are unpacked and the session is made
    at first use, in each process. A pickle or copy holds the analysis and its geometry alone; a forked child must not
    use the session that it inherits, nor destroy it: ONNX Runtime would wait for threads that the child does not have.
    """

    def __init__(self, analysis: Analysis, expected: Expected | None = None) -> None:
        self._analysis = analysis
        self._expected = expected
        self._session: Any = None
        watch_forks(self)

    def __getstate__(self) -> tuple[Analysis, Expected | None]:
        return self._analysis, self._expected

    def __setstate__(self, state: tuple[Analysis, Expected | None]) -> None:
        self.__init__(*state)  # type: ignore[misc]

    def forget_inherited(self) -> None:
        """In a forked child: begin anew, and keep the parent's session for ever, so that nothing destroys it."""
        if self._session is not None:
            keep_for_ever(self._session)
            self._session = None

    def __call__(self, images: npt.NDArray[np.uint8], level: int | Levels = 0) -> npt.NDArray[np.float32]:
        """Latents (b, n) of images (b, h, w) at a level, or each at its own (b,). Raises ModelError."""
        session = self._started()
        names = [taken.name for taken in session.get_inputs()]
        levels = np.broadcast_to(np.asarray(level, np.int64), (len(images),))
        parts = []
        for start in range(0, len(images), MAX_BATCH):
            part = images[start : start + MAX_BATCH]
            numbers = np.resize(np.arange(start, start + len(part)), max(len(part), 2))  # the graph wants two at least
            x = images[numbers].astype(np.float32) / np.float32(255)
            try:
                inputs = (x, levels[numbers])[: len(names)]
                parts.append(session.run(None, dict(zip(names, inputs, strict=False)))[0][: len(part)])
            except Exception as error:  # ONNX Runtime's errors share no narrower parent
                raise ModelError(f"the analysis graph does not run on these images: {error}") from error
            self._check(parts[-1], len(part))
        if not parts:
            return np.empty((0, session.get_outputs()[0].shape[1]), np.float32)
        return np.concatenate(parts)

    def _check(self, y: npt.NDArray[np.float32], images: int) -> None:
        """What a graph declares of its output binds nobody. Raises ModelError."""
        latents = y.shape[1:] if self._expected is None else self._expected.gives[1:]
        if y.shape != (images, *latents) or y.dtype != np.float32 or not np.isfinite(y).all():
            wanted = "x".join(map(str, (images, *latents)))
            raise ModelError(f"the analysis graph gives {y.dtype} {y.shape}, expected finite float32 {wanted}")

    def start(self) -> None:
        """Make the session now, before several threads need it. Raises ModelError."""
        self._started()

    def _started(self) -> Any:
        if self._session is None:
            if not self._analysis.graph:
                raise ModelError("the model holds its decoder alone (it has no analysis graph): it cannot compress")
            self._session = start_session(self._analysis, self._expected)
        return self._session
