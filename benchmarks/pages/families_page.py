"""The families' tables, made from the stored rows: docs/families.md whole, and a block of the README.

results/families/*.json, rotation-*.json, published-*.json --render--> Markdown
"""

from collections.abc import Sequence
from pathlib import Path

from benchmarks.measuring.images import DATA
from benchmarks.measuring.machine import ROOT
from benchmarks.pages.family_bars import bars
from benchmarks.pages.family_caveats import caveats
from benchmarks.pages.family_claims import SAID, claim_table, claims
from benchmarks.pages.family_tuning import tuning
from benchmarks.pages.markdown import markdown
from benchmarks.pages.page import NOT_YET, README, TITLES, read, replace_block
from benchmarks.pages.published_table import section
from benchmarks.studies.family_rows import read_rows
from benchmarks.studies.family_runs import KEPT
from benchmarks.studies.family_summary import (
    BETA_FAMILIES,
    Setting,
    at_bytes,
    at_rate,
    beta_curve,
    settings,
    shown,
)

PAGE, PAPER = ROOT / "docs" / "families.md", ROOT / "docs" / "paper.md"
MARKERS = ("<!-- families:begin -->", "<!-- families:end -->")
CLAIM_MARKERS = ("<!-- claims:begin -->", "<!-- claims:end -->")
HEAD = """# The paper's systems, measured

Made by `python -m benchmarks.family_table` from the rows that `python -m benchmarks.families` stores
(benchmarks/results/families/); docs/models.md says what each family is. Rates and PSNR are of real files of whole test
sets; the bound, its parts and the latents are of the trained model on the same images, nats an image, one sample of
each posterior. "±" is the deviation between seeds. Networks and steps are the same for all but nvae.

"At the same bytes" is the curve through all β of vae, beta-vae and modified-beta-vae, which are one objective over one
network, by piecewise cubic interpolation. Active latents are those whose mean varies by more than 0.01 over the
images, and Hoyer is the sparsity of the means; nvae's latents are in steps of its quantizer and relative to priors, so
that neither compares with the others', and hfvae's category is not among its latents. Verdicts are those of `vaecodec
report benchmarks/results`, which has disentanglement too; docs/paper.md has a row for everything in the paper.
"""


def pages(folder: Path) -> dict[Path, str]:
    """What the page, docs/paper.md's claims and the README should say, by the results in a folder."""
    readme, paper = README.read_text(encoding="utf-8"), PAPER.read_text(encoding="utf-8")
    return {
        PAGE: page(folder),
        PAPER: replace_block(paper, claim_table(folder), CLAIM_MARKERS),
        README: replace_block(readme, block(folder), MARKERS),
    }


def page(folder: Path) -> str:
    """docs/families.md."""
    parts = [HEAD.strip()]
    for data in DATA:
        found = settings_of(folder, data)
        parts.append(f"## {TITLES[data]}")
        parts += _set_parts(found, folder, data) if found else [NOT_YET]
    parts.append(f"## Published points\n\n{section(folder)}")
    parts.append("## Bars\n\n" + "\n".join(f"- {line}" for line in bars(folder)))
    return "\n\n".join(parts) + "\n"


def block(folder: Path) -> str:
    """The README's block: one row for each family."""
    parts = []
    for data in DATA:
        found = settings_of(folder, data)
        kept = [one for one in found if one.kept]
        table = markdown(PAPER_HEAD, (paper_row(one, found) for one in kept)) if kept else NOT_YET
        parts.append(f"**{TITLES[data]}**\n\n{table}" if kept else f"**{TITLES[data]}**: {table}")
    return "\n\n".join(parts)


def settings_of(folder: Path, data: str) -> list[Setting]:
    """The settings of one data set."""
    return settings([row for row in read_rows(folder) if row.measured["data"] == data])


def _set_parts(found: Sequence[Setting], folder: Path, data: str) -> list[str]:
    kept = [one for one in found if one.kept]
    long_run = (
        read(folder / "published-dsprites-beta-1.json") if data == "dsprites" else None
    )  # MNIST's has other pictures
    return [
        "**To be known first**\n\n" + "\n".join(f"- {line}" for line in caveats(data, found, long_run)),
        "The paper's Table 1, in numbers: each family at the setting whose model file is kept.",
        markdown(PAPER_HEAD, (paper_row(one, found) for one in kept)),
        matched_rate(found),
        "At equal β: the objectives whose rate has the weight 1.",
        markdown(PAPER_HEAD, (paper_row(one, found) for one in found if weighs_rate_once(one))),
        "Every setting, and the gaps between the bound and the file: KL of the trained model, information content of "
        "the symbols under the stored tables, payload, file.",
        markdown(EVERY_HEAD, (every_row(one) for one in found)),
        tuning(found),
        "**What the paper says, and what was measured**\n\n"
        + "\n".join(f"- {line}" for line in claims(folder, data) or [NOT_YET]),
    ]


PAPER_HEAD = (
    "",
    "file, bytes",
    "PSNR, dB",
    "β-VAE's PSNR at the same bytes",
    "MS-SSIM",
    "ELBO, nats",
    "reconstruction, nats",
    "active latents",
    "the paper says",
)
EVERY_HEAD = (
    "",
    "KL, bits",
    "information, bits",
    "payload, bits",
    "file, bytes",
    "PSNR, dB",
    "MS-SSIM",
    "gradient energy",
    "reconstruction, nats",
    "KL, nats",
    "active",
    "coded",
    "Hoyer",
)


def paper_row(one: Setting, found: Sequence[Setting]) -> Sequence[str]:
    """A family at one setting, beside the β-VAE at as many bytes."""
    there = at_bytes(beta_curve(found, lambda other: other.psnr_db.mean), one.file_bytes.mean)
    return (
        name_of(one),
        shown(one.file_bytes, 1),
        shown(one.psnr_db, 2),
        "on its curve" if one.family in BETA_FAMILIES else "outside its curve" if there is None else f"{there:.2f}",
        shown(one.ms_ssim, 4),
        shown(one.elbo_nats, 1),
        shown(one.reconstruction_nats, 1),
        shown(one.active_latents, 0),
        SAID.get(one.family, ""),
    )


def every_row(one: Setting) -> Sequence[str]:
    """Everything that is known of a setting."""
    return (
        name_of(one),
        shown(one.kl_bits, 1),
        shown(one.information_bits, 1),
        shown(one.payload_bits, 1),
        shown(one.file_bytes, 1),
        shown(one.psnr_db, 2),
        shown(one.ms_ssim, 4),
        shown(one.gradient_energy_ratio, 2),
        shown(one.reconstruction_nats, 1),
        shown(one.kl_nats, 1),
        shown(one.active_latents, 0),
        shown(one.coded_latents, 0),
        shown(one.hoyer, 3),
    )


def weighs_rate_once(one: Setting) -> bool:
    """Whether the objective is distortion + 1 · rate, with or without other terms; hfvae's are parts of the rate."""
    return one.beta == 1 and one.family != "capacity" and (one.family != "hfvae" or one.knob == 1)


def matched_rate(found: Sequence[Setting]) -> str:
    """PSNR, MS-SSIM and sharpness at the vae's bytes, each family between the settings of its own sweep."""
    vae = next((one for one in found if one.family == "vae"), None)
    if vae is None:
        return f"At equal rate: {NOT_YET}"
    rows = []
    for family in ("vae", *(family for family in KEPT if family not in BETA_FAMILIES)):
        values = [at_rate(found, family, vae.file_bytes.mean, value) for value in (_psnr, _ms_ssim, _energy)]
        texts = [
            "not enclosed" if value is None else f"{value:.{digits}f}"
            for value, digits in zip(values, (2, 4, 2), strict=True)
        ]
        rows.append((", ".join(BETA_FAMILIES) if family == "vae" else family, *texts))
    head = ("", "PSNR, dB", "MS-SSIM", "gradient energy to the original's")
    rate = f"the vae's {vae.file_bytes.mean:.1f} bytes a file"
    return f"At equal rate: {rate}, between the settings of each family's sweep.\n\n{markdown(head, rows)}"


def name_of(one: Setting) -> str:
    """Family and setting."""
    return one.family if one.setting == one.family else f"{one.family}, {one.setting}"


def _psnr(one: Setting) -> float:
    return one.psnr_db.mean


def _ms_ssim(one: Setting) -> float:
    return one.ms_ssim.mean


def _energy(one: Setting) -> float:
    return one.gradient_energy_ratio.mean
