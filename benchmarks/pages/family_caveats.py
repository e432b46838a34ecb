"""What a reader of the families' tables must know: how far from trained, how few seeds, which rows are odd. Pure.

settings, the long published training --caveats--> lines, every number of them from the rows
"""

from collections.abc import Iterator, Sequence

from benchmarks.pages.page import Result
from benchmarks.studies.family_summary import Setting, at_bytes, beta_curve

CHOSEN_ON_TEST = {  # settings that came about by looking at test images
    "dsprites": "The spike of 0.02 was added after one of 0.05 had missed its bar of zeros on test images, and became "
    "the kept row: that row was chosen on test images.",
}


def caveats(data: str, found: Sequence[Setting], long_run: Result | None) -> list[str]:
    """Lines of one data set. long_run: the published β = 1 on the same pictures, where there is one."""
    return [*_seeds(found), *_distance(found, long_run), *_decomposition(found), *_chosen(data, found)]


def _seeds(found: Sequence[Setting]) -> Iterator[str]:
    several = [one for one in found if one.seeds > 1]
    yield (
        f'{len(several)} of {len(found)} settings have several seeds; "±" is the standard deviation between them, not '
        "an interval. Only models of seed 0 are kept, and of beta-vae-gan the codes of the test images alone."
    )


def _distance(found: Sequence[Setting], long_run: Result | None) -> Iterator[str]:
    vae = next((one for one in found if one.family == "vae"), None)
    if long_run is None or vae is None:
        return
    reached = long_run["reached"]
    bound = reached["reconstruction_nats"] + reached["kl_nats"]
    deep = next((one for one in found if one.family == "nvae" and one.beta == 1), None)
    beside = (
        ""
        if deep is None
        else f" nvae's bound of {-deep.elbo_nats.mean:.1f} is better than vae's and far from that too."
    )
    yield (
        f"These trainings are short. A VAE at β = 1 trained for {long_run['steps']:,} steps (below, published points) "
        f"has a reconstruction of {reached['reconstruction_nats']:.1f} nats and a bound of {bound:.1f}; vae here has "
        f"{vae.reconstruction_nats.mean:.1f} and {-vae.elbo_nats.mean:.1f}.{beside} Differences between families are "
        "differences of short trainings."
    )


def _decomposition(found: Sequence[Setting]) -> Iterator[str]:
    curve = beta_curve(found, lambda one: one.psnr_db.mean)
    own = [one for one in found if one.family == "decomposition"]
    gaps = {one: there for one in own if (there := at_bytes(curve, one.file_bytes.mean)) is not None}
    beside = {one: one.psnr_db.mean - there for one, there in gaps.items()}
    kept = next((one for one in beside if one.kept), None)
    if kept is None or len(beside) < 2:
        return
    best = max(beside, key=lambda one: beside[one])
    yield (
        f"decomposition's kept row ({kept.setting}) is {beside[kept]:+.2f} dB beside the β-VAE at the same bytes; its "
        f"best setting ({best.setting}) is {beside[best]:+.2f} dB."
    )


def _chosen(data: str, found: Sequence[Setting]) -> Iterator[str]:
    if data in CHOSEN_ON_TEST and any(one.setting.startswith("narrow-spike") for one in found):
        yield CHOSEN_ON_TEST[data]
