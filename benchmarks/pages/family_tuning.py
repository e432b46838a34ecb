"""The tuning curve of modified-beta-vae, as a part of docs/families.md. Pure.

settings of one data set --tuning--> Markdown
"""

from collections.abc import Sequence

from benchmarks.pages.markdown import markdown
from benchmarks.pages.page import NOT_YET
from benchmarks.studies.family_summary import Setting, shown, tuned_beta, tuned_settings

HEAD = (
    "β",
    "bound on validation images, nats",
    "reconstruction, nats",
    "KL, nats",
    "file, bytes",
    "PSNR, dB",
    "mean absolute μ",
)


def tuning(found: Sequence[Setting]) -> str:
    """The tuning curve of modified-beta-vae."""
    chosen = tuned_beta(found)
    if chosen is None:
        return f"Tuning of modified-beta-vae: {NOT_YET}"
    rows = (
        (
            f"**{one.beta:g}**" if one is chosen else f"{one.beta:g}",
            shown(one.validation_bound_nats, 1),
            shown(one.reconstruction_nats, 1),
            shown(one.kl_nats, 1),
            shown(one.file_bytes, 1),
            shown(one.psnr_db, 2),
            shown(one.mean_latent, 3),
        )
        for one in tuned_settings(found)
    )
    return (
        f"Tuning of modified-beta-vae: β = {chosen.beta:g} has the lowest distortion + KL on validation images. That "
        "measure compares across β, but it is what training at β = 1 minimises, so that by it no β but 1 can be chosen "
        "other than by chance: at β = 1 this model is vae. The tables above show the setting that three seeds were "
        'trained of, whose model file is kept. "Mean absolute μ" is one reading of figure 8 of the paper, which does '
        f"not say of which mean it is.\n\n{markdown(HEAD, rows)}"
    )
