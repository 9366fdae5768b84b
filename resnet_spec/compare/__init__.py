"""Two of something side by side: specs and networks as they are written, modules as they run.

The latter, `equality` and `libraries`, need torch.
"""
