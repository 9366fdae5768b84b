"""Which of what ships have the same names and shapes of tensors, and compute something else.

`python -m tests.alike > resnet_spec/lowering/alike.txt` writes the table of them, from which a
header says whose weights load and give other outputs. Those of other people's code, of
tutorials and of blocks to start from are told of it, and nobody is told of them.
"""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

from resnet_spec import load
from resnet_spec.language.shipped import shipped
from resnet_spec.network import digests

TABLE = Path("resnet_spec/lowering/alike.txt")
UNTOLD = ("field/", "tutorials/", "own/")


def table() -> str:
    """A line for each network: its name, parameters, and digests of layout and function."""
    groups = defaultdict(list)
    for key in shipped():
        if not key.startswith(UNTOLD):
            network = load(key).network
            layout, function, *_ = digests(network)
            groups[layout].append(
                (function, f"{Path(key).name} {network.params} {layout} {function}")
            )
    lines = [
        line
        for group in groups.values()
        if len({function for function, _ in group}) > 1
        for _, line in group
    ]
    return "".join(f"{line}\n" for line in ["spec parameters layout function", *lines])


if __name__ == "__main__":
    print(table(), end="")
