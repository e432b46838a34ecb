"""photo: a β-VAE for photographs of any size, with β as an input.

config, layers, transforms      the networks' sizes and blocks; pixels to latents and back
context, rates, prior           the distributions along the decode order (vaecodec/photo/order.py), bits, the prior of z
klt, model                      the linear floor, and the whole codec as training sees it
objective, batches, plan, step, replay, train, checkpoint, weights, evaluate    training, and the curve that it gives
convert_layers, convert_synthesis, convert_heads, convert    the integers of a trained model, for vaecodec/photo/
export                          the model file
"""
