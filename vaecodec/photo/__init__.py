"""Photographs of any size: what encodes and decodes them, with numpy alone; ONNX Runtime for the encoder's analysis.

Reading order: coder (start here), regions, order; convolution, checkerboard, gaussians, synthesis, heads, latents;
analysis; model, stored, fit, known_answer: the model file; bits: where the bits of a picture went.
"""
