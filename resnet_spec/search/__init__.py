"""Spaces of networks: their points, what each costs, and which are the best."""
