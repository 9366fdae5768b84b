"""What a run prints, once for all its processes."""

import sys

from pytorch_lightning.utilities import rank_zero_only


@rank_zero_only
def say(line: str) -> None:
    print(line, flush=True)


@rank_zero_only
def warn(text: str) -> None:
    print(text, file=sys.stderr, end="")
