"""Parts that take values."""
