"""What a run prints, once for all its processes."""

from pytorch_lightning.utilities import rank_zero_only


@rank_zero_only
def say(line: str) -> None:
    print(line, flush=True)
