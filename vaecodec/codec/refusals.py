"""What is said of pictures that are not 8-bit light, with a remedy that loses nothing which was not chosen.

Pillow's convert() would clip 16 bits at 255, and make RGB of inks without their profile: it is never the advice here.
"""

CONVERT_IT = "convert it first, with Pillow's convert('RGB')"
CHOOSE_A_WINDOW = 'choose which values become 0 and 255: --window minmax, or window="minmax" in Python'
GIVE_VALUES = "Pillow reads no more; read it with another library, and give its array with a window in Python"
SEVERAL_FRAMES = "image with several frames: save each that you want as a file of its own first"
_BY_PROFILE = "convert it to RGB by its profile first, e.g. with Pillow's ImageCms.profileToProfile"
_REMEDIES = {
    "CMYK": f"inks, not light; {_BY_PROFILE}",
    "LAB": _BY_PROFILE,
    "I": f"32 bits a pixel; {CHOOSE_A_WINDOW}",
    "F": f"32 bits a pixel; {CHOOSE_A_WINDOW}",
}
_SIXTEEN = f"16 bits a pixel; {CHOOSE_A_WINDOW}"  # I;16, I;16B, …


def of_mode(mode: str) -> str:
    """Of a mode of Pillow's that has more than 8 bits a channel, or is not of red, green and blue."""
    remedy = _SIXTEEN if mode.startswith("I;16") else _REMEDIES.get(mode, CONVERT_IT)
    return f"image of mode {mode}: {remedy}"


def of_bits(bits: int) -> str:
    """Of a file with so many bits a channel."""
    return f"image of {bits} bits a channel, of which 8 are coded; {GIVE_VALUES}"


def of_dtype(dtype: object, *, deep: bool) -> str:
    """Of an array; deep: whether a window takes it."""
    remedy = CHOOSE_A_WINDOW if deep else "a window takes values of 16 and 32 bits, and floats"
    return f"array of {dtype}: expected uint8 with pixels 0..255; {remedy}"
