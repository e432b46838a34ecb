"""Windows for property tests: of every type, with ends that the type holds."""

import numpy as np
from hypothesis import strategies as st

from vaecodec.bitstream.window import DTYPES, Window


@st.composite
def windows(draw: st.DrawFn) -> Window:
    """Any window."""
    dtype = draw(st.sampled_from(sorted(DTYPES.values())))
    kind = np.dtype(dtype)
    if kind.kind in "iu":
        bounds = np.iinfo(kind)
        ends = draw(st.tuples(*[st.integers(int(bounds.min), int(bounds.max))] * 2))
    else:
        width = 8 * kind.itemsize
        ends = draw(st.tuples(*[st.floats(-6e4, 6e4, width=width)] * 2))
    return Window.near(min(ends), max(ends), dtype)
