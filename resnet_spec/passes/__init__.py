"""Network -> Network."""
