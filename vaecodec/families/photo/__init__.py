"""photo: a β-VAE for photographs of any size, with β as an input.

config, layers, transforms      the networks' sizes and blocks; pixels to latents and back
order, context, rates, prior    the one decode order, the distributions along it, bits, the prior of z
klt, model                      the linear floor, and the whole codec as training sees it
objective, batches, plan, step, train, checkpoint, weights, evaluate    training, and the curve that it gives
exact_ops, exact_convert, exact_heads, exact_synthesis, exact_model, exact_codec    the integer-exact twin
"""
