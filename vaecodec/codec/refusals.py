"""What is said of pictures that are not 8-bit light, with a remedy that loses nothing which was not chosen.

Pillow's convert() would clip 16 bits at 255, and make RGB of inks without their profile: it is never the advice here.
"""

CONVERT_IT = "convert it first, with Pillow's convert('RGB')"
SCALE_IT = "scale it to 0..255 yourself first, so that you choose what is lost"
SEVERAL_FRAMES = "image with several frames: save each that you want as a file of its own first"
_BY_PROFILE = "convert it to RGB by its profile first, e.g. with Pillow's ImageCms.profileToProfile"
_REMEDIES = {
    "CMYK": f"inks, not light; {_BY_PROFILE}",
    "LAB": _BY_PROFILE,
    "I": f"32 bits a pixel; {SCALE_IT}",
    "F": f"32 bits a pixel; {SCALE_IT}",
}
_SIXTEEN = f"16 bits a pixel; {SCALE_IT}"  # I;16, I;16B, …


def of_mode(mode: str) -> str:
    """Of a mode of Pillow's that has more than 8 bits a channel, or is not of red, green and blue."""
    remedy = _SIXTEEN if mode.startswith("I;16") else _REMEDIES.get(mode, CONVERT_IT)
    return f"image of mode {mode}: {remedy}"


def of_bits(bits: int) -> str:
    """Of a file with so many bits a channel."""
    return f"image of {bits} bits a channel, of which 8 are coded; {SCALE_IT}"
