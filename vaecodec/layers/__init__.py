"""Parts that networks are built of, in torch. A layer knows no family: of sizes it asks what sizes says.

transforms, residual: networks     half_planes, moments: of pictures of shapes     base: the posterior, a model's shape
priors, latent_priors: what latents are coded by, and pulled towards      calibration: units of an exact twin
soft_clamp: linear between black and white, which some syntheses give pixels behind
exact/: the integer-exact twin of each part that decoding runs. Importing this package itself loads no torch.
"""
