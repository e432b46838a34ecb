"""Evaluation: what a codec's files cost (rate), what they keep (distortion), what its latents mean. No torch.

distortion.py   MSE, PSNR, MS-SSIM           images (n, h, w) uint8, twice -> numbers
rd.py           RatePoint, RateCurve
bd.py           BD-rate between two curves, by PSNR or MS-SSIM
classical.py    PNG, JPEG, WebP, AVIF, JPEG 2000, JPEG XL; headers.py: the same with their headers stripped
held_out.py     a model's curve beside classical codecs, as a table and a chart
pca.py          the trivial learned codec that a VAE has to beat
codes.py        what a model makes of images: means, symbols, bits
disentanglement/ what single latents say of an image's factors, and what entanglement costs in bits
results/        what the benchmarks stored, and what may be said of differences
figures/        the paper's figures and ours        report/  one page of it all, with its JSON
"""

from vaecodec.evaluation.bd import bd_rate, bd_rate_ms_ssim
from vaecodec.evaluation.classical import ClassicalCodec, classical_codecs
from vaecodec.evaluation.distortion import mean_image_psnr, ms_ssim, ms_ssim_db, mse, psnr_db_from_mse, psnr_of_set
from vaecodec.evaluation.rd import RateCurve, RatePoint, measure_point

__all__ = [
    "ClassicalCodec",
    "RateCurve",
    "RatePoint",
    "bd_rate",
    "bd_rate_ms_ssim",
    "classical_codecs",
    "mean_image_psnr",
    "measure_point",
    "ms_ssim",
    "ms_ssim_db",
    "mse",
    "psnr_db_from_mse",
    "psnr_of_set",
]
