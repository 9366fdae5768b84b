"""Weights from elsewhere: what others call the tensors, and how they are loaded."""
