"""Models, in torch: the families, and what they are made of.

config.py         sizes                          registry.py   the families by name
base.py           posterior, VAE                 priors.py     the learned factorised prior
transforms.py     the paper's convolutions       levels.py     what depends on β
beta_vae.py       beta-vae                       conditioned.py, soft_clamp.py    conditioned-vae
exact.py, exact_graph.py, exact_synthesis.py, exact_conditioned.py    the integer-exact twins
"""
