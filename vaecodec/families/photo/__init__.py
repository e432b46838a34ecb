"""photo: a β-VAE for photographs of any size, with β as an input.

config.py  layers.py  transforms.py    the networks' sizes and blocks; pixels to latents and back
order.py   context.py  rates.py  prior.py    the one decode order, the distributions along it, bits, the prior of z
model.py   the whole codec;  klt.py  the linear floor;  train.py and beside it what training needs
"""
