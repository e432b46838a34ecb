"""A small config of every family, and of each way that its network can take: name → tables."""

from typing import Any

SHARP = {"likelihood": "gaussian", "pixel_sigma": 0.02}  # so that latents carry something within some steps
LOSSLESS = {"units": 32, "map_units": 24, "map_channels": 6, "phase_width": 8, "phase_blocks": 1, "window": 3}
CONDITIONED_SIZES = {
    "height": 28,
    "width": 28,
    "latents": 24,
    "deep_latents": 16,
    "units": 32,
    "hidden": 32,
    "blocks": 2,
    "encoder_units": 32,
}
CONDITIONED = {**CONDITIONED_SIZES, "levels": 6, "knots": 3, "coarse_latents": 10, "opens_at": 2.0}
DRAWN = {
    "height": 64,
    "width": 64,
    "latents": 6,
    "units": 32,
    "blocks": 1,
    "encoder_units": 32,
    "encoder_blocks": 1,
    "levels": 4,
    "knots": 2,
    "beta_high": 8.0,
    "beta_low": 0.05,
    "half_planes": 8,
    "map_channels": 6,
    "moments": 4,
}
NVAE = {
    "height": 28,
    "width": 28,
    "sides": [1, 7],
    "groups": [2, 2],
    "group_channels": [4, 1],
    "widths": [16, 8],
    "head_width": 6,
    "prior_units": 24,
}
EXACT = {"height": 28, "width": 28, "latents": 10, "bases": 12, **LOSSLESS}
EXACT_DRAWN = {"height": 64, "width": 64, "latents": 6, "bit_depth": 1, "moments": 4, "half_planes": 8, **LOSSLESS}


def small(
    family: str, model: dict[str, Any], objective: dict[str, Any], data: str = "mnist", **finish: Any
) -> dict[str, Any]:
    """The tables of a config. finish: what [finish] says besides."""
    return {
        "name": f"small-{family}",
        "family": family,
        "data": data,
        "model": model,
        "objective": objective,
        "optimiser": {"steps": 40, "batch_size": 32, "learning_rate": 3e-3, "warmup_steps": 5},
        "finish": {"step_multipliers": [2.5, 3.46], "synthesis_steps": 6, **finish},
    }


def conv(family: str, model: dict[str, Any] | None = None, **objective: Any) -> dict[str, Any]:
    """Of a convolutional family."""
    sizes = {"height": 28, "width": 28, "latents": 6, "channels": [8], "hidden": 32}
    return small(family, {**sizes, **(model or {})}, {**SHARP, **objective})


SMALL: dict[str, dict[str, Any]] = {
    "vae": conv("vae"),
    "beta-vae": conv("beta-vae", beta=0.5),
    "beta-vae, learned prior": conv("beta-vae", {"patch": 2}, rate="uniform-noise"),
    "modified-beta-vae": conv("modified-beta-vae", beta=0.5),
    "capacity": conv("capacity", capacity_nats=12.0, gamma=10.0, warmup_steps=20),
    "decomposition, mixture": conv("decomposition", beta=0.5, alpha=5.0, prior="mixture"),
    "decomposition, inclusive": conv("decomposition", alpha=5.0, divergence="inclusive-kl"),
    "beta-vae-gan": conv("beta-vae-gan", adversarial_weight=5.0),
    "hfvae": conv("hfvae", {"categories": 3, "groups": [2, 4]}, within=2.0),
    "hfvae, joint": conv("hfvae", {"categories": 3, "groups": [2, 2, 2], "joint": True}),
    "conditioned-vae": small("conditioned-vae", CONDITIONED, {"likelihood": "gaussian"}),
    "conditioned-vae, drawn": small("conditioned-vae", DRAWN, {"warmup_steps": 20}, "dsprites"),
    "lossless-vae": small("lossless-vae", EXACT, {}),
    "lossless-vae, drawn": small("lossless-vae", EXACT_DRAWN, {"drawing_steps": 1}, "dsprites"),
    "nvae": small("nvae", NVAE, {**SHARP, "warmup_steps": 10}, prior_steps=40),
}
