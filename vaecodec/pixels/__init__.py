"""The pixels of grey images, given the map that a lossless part makes of symbols: coded exactly, or within an error.

Reading order: phases (the order of prediction), tables (indices to counts), coder; near_lossless, the bins of values;
stored, what is written where coding does not pay.
"""
