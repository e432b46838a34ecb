"""What single studies share."""
