"""nvae (Vahdat & Kautz 2020): groups of latents, coarse to fine, each with a prior that depends on those before.

family.py, config.py: the record, without torch.   model.py, cells.py, gaussian_prior.py: the network.
objective.py, spectral.py: training.
prior_networks.py, fit_priors.py, exact.py, exact_cells.py, finish.py: the coder's priors and the exact twins.
"""
