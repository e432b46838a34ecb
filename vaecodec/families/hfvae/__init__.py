"""hfvae (Esmaeili et al. 2019): a category beside groups of continuous latents.

family.py, config.py: the record, without torch.   model.py, objective.py: network and training.
symbol_layout.py, joint_symbols.py, symbol_tables.py, exact.py: how a category and cells of latents become symbols.
"""
