"""A quantizer's center and step, which decoding does not need, but a model file has (section 10)."""

import numpy as np

from tests.independent.arrays import Sections
from tests.independent.refusal import require


def check_quantizer(sections: Sections, prefix: str, latents: int) -> None:
    """Refuses a center or step that is no quantizer's."""
    center, step = (sections.array(prefix + field, "<f4", 1) for field in ("center", "step"))
    require(center.shape == step.shape == (latents,), "BadField", f"{prefix}: another number of latents")
    require(bool(np.isfinite(center).all()), "BadField", f"{prefix}center is not finite")
    require(bool((np.isfinite(step) & (step > 0)).all()), "BadField", f"{prefix}step is not above 0")
