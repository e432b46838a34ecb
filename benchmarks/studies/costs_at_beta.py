"""Two models at one β beside each other: their files, and what their trainings minimise. Pure."""

import math
from collections.abc import Mapping
from typing import Any

NATS_A_BYTE = 8 * math.log(2)


def compare(separate: Mapping[str, Any], conditioned: Mapping[str, Any]) -> dict[str, Any]:
    """Of two measured points, as ModelPoint.to_dict() has them; costs are distortion + β · rate, in nats an image."""
    beta = conditioned["beta"]
    told: dict[str, Any] = {"beta": beta}
    for name, measured in (("separate", separate), ("conditioned", conditioned)):
        point = measured["point"]
        rate_nats = NATS_A_BYTE * point["information_bytes"]
        told[name] = {
            "file_bytes": point["file_bytes"],
            "psnr_db": point["psnr_db"],
            "cost_nats": measured["distortion_nats"] + beta * rate_nats,
        }
    return told
