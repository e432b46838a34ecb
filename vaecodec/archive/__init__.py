"""Many images in one file, or in the shards of a folder: made, appended to, read, verified, repaired where damaged.

Reading order: writer, encode (with lossless_blocks), photographs, segment, spool, measured, output with upload; then
reader, directory (with tail), blocks (with moved), names, selection, models, verify; of shards: shards, manifest,
shard_index, sharded, folder. What the bytes mean is vaecodec/bitstream/archive/; source is where they come from.
"""
