"""Parts that networks are built of, in torch, and what they all share: posterior, priors, transforms, residual layers.

A layer knows no family: of sizes it asks what sizes.py says. Importing this package itself loads no torch.
layers/exact has the integer-exact twin of each part that decoding runs.
"""
