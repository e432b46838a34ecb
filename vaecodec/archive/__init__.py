"""Many images in one file: archives made, appended to, read, verified, and repaired where they are damaged.

Reading order: writer, encode (with lossless_blocks), photographs, segment, spool, measured, output with upload; then
reader, directory (with tail), blocks (with moved), names, models, verify. What the bytes mean is
vaecodec/bitstream/archive/; source is where they come from.
"""
