"""Places where people use images: torch's DataLoader, Pillow, ... One file each, imported only when asked for."""
