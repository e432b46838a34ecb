"""Limits on what a file may ask for, each with its reason. docs/format.md, section 12, states the same numbers.

Every decoder refuses what exceeds them, so that nothing lifts them. The records of archives have theirs in
archive/limits.py; what this program spends, though a file may ask for more, is in vaecodec/limits.py.
"""

# The stream of one image
CHECK_BYTES = 3  # CRC-24: every burst of up to 24 bits is detected, and a 20-byte payload can still afford it
SHORT_FINGERPRINT_BYTES = 2  # enough to look a model up; the check covers all 32 bytes of the fingerprint
MAX_SIDE = 256  # of what version 1 writes: height and width less one, in a byte each; a model's own size is not written
MAX_STREAM_BYTES = 1 << 20  # no valid stream of 2**16 pixels comes near to 16 bytes a pixel
MAX_LEVEL = 111  # levels 0..111 are lossy; 112..127 are other kinds of coding
MAX_ERROR = 127  # grey levels of a near-lossless stream: at 127, "zero or not" is all that is left of a pixel

# The stream of a picture of any size (version 2)
PICTURE_CHECK_BYTES = 4  # CRC-32: a payload of kilobytes affords it, and megabytes are checked at once
MAX_PICTURE_SIDE = 65535  # height and width in two bytes each
REGION_SIDE = 2048  # pixels, of what is decoded alone: its latents and its networks' values fit in some 200 MB
MAX_REGION_BYTES = 1 << 26  # 16 bytes a pixel, as in version 1
MAX_FILL_BYTES = 32  # zeros that a region's payload leaves out: its ending saves 8, 24 more by chance once in 2**192
MAX_PICTURE_STREAM_BYTES = 1 << 30  # a picture of 65535 x 65535 pixels at two bits a pixel
MAX_CHUNK_BYTES = 1 << 24  # of an ICC profile, EXIF or XMP, inflated: a profile has kilobytes, or a few megabytes

# Containers (model files)
MAX_CONTAINER_BYTES = 1 << 26  # model files are under 12 MB; a hostile length must not make us hash gigabytes
MAX_HEADER_BYTES = 1 << 20  # JSON is parsed whole, before anything in it is verified
MAX_SECTIONS = 4096  # graphs, tables and constants of one model: some hundreds at most
MAX_MODEL_SIDE = 65535  # of a model's geometry; what a network may compute bounds it far earlier (exact/network.py)
MAX_NAME_CHARS = 64  # a section's name is a label, not a document
SECTION_ALIGNMENT = 64  # a cache line: arrays can be used in place by every CPU

# JSON, of a container's header and of an archive's metadata
MAX_JSON_DEPTH = 64  # models need 8; a parser that calls itself once a level never runs out of stack in any language
MAX_JSON_INTEGER = (1 << 63) - 1  # of either sign: fits in a signed 64-bit integer of any language

# Arrays
MAX_ARRAY_DIMENSIONS = 8  # graphs and tables need at most four
MAX_ARRAY_BYTES = 1 << 26  # an array lives in a container, and so is no larger

# Packed weights of an analysis
MAX_WEIGHT_TENSORS = 1024  # the deepest network that there is has 70
MAX_WEIGHT_NUMBERS = 1 << 24  # of all tensors: 64 MB once they are float32, as much as a container

# Coding tables
MAX_LATENTS = 1 << 16  # a hostile model must not make us allocate GBs
MAX_ALPHABET = 1 << 12  # wider distributions are served by the escape at next to no cost
MAX_ENTRIES = 1 << 22  # latents x alphabet: 32 MB as float64, which is what the coder needs
MAX_LEVELS_ENTRIES = 1 << 24  # of the tables of all levels: 64 MB; the released models have 2.3 million at most
MAX_GROUPS = 64  # of symbols: each is one evaluation of a network, one after the other
MAX_ESCAPE_BITS = 33  # an escape value, plus one, has 34 bits at most: twice the distance of two int32
MAX_BASES = 256  # K: each pixel that is not zero costs K · 255 products
MAX_LOGIT = 1 << 12  # L: finer logits than 8192 steps change no probability that matters

# Integer-exact networks
MAX_OPS = 256  # a hostile model must not keep us busy for hours
MAX_VALUE_ELEMENTS = 1 << 22  # of one value of one image: 16 MB; a hostile model must not make us allocate GBs
MAX_LIVE_ELEMENTS = MAX_VALUE_ELEMENTS  # of one image, all values that are needed at once: 1 GB for 64 images
MAX_MACS = 1 << 30  # products of one image: below 0.1 s; the released ones take 21 million at most
MAX_RESULT_ELEMENTS = 1 << 24  # of one image, all results together: 1 s to prove; released ones have 660,000

# Numbers
MAX_UVARINT_BYTES = 9  # 63 bits: fits in a signed 64-bit integer of any language
