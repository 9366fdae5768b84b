"""Two networks side by side: built and generated, ours and another library's. Needs torch."""
