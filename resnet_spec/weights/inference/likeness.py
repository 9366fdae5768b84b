"""The specs that ship whose filters a file has, under whatever names those are.

The tables of names go from ours to theirs. Where they cannot be turned around, as where two of
ours may be called alike, they are asked about the networks that it can be.
"""

from __future__ import annotations

from collections.abc import Iterator

from resnet_spec.weights.inference.index import Row, of_filters
from resnet_spec.weights.inference.trunk import Trunk, prefixes
from resnet_spec.weights.naming.rules import COUNT, Shapes, classifies


def likely(
    theirs: Shapes, naming: str | None = None, prefix: str | None = None
) -> Iterator[Trunk]:
    """What may be such a network below some prefix, by a naming that fits.

    A file by another's names may be of several trunks of ours; the usual ones go before.
    """
    tops = prefixes(theirs)
    rows = {
        row.spec: row
        for top in tops
        for row in of_filters(s for name, s in theirs.items() if name.startswith(top))
    }
    found = [
        (row.is_usual, trunk)
        for row in rows.values()
        for trunk in _named(row, theirs, naming, prefix)
    ]
    usual = [trunk for is_usual, trunk in found if is_usual]
    yield from sorted(usual or (trunk for _, trunk in found), key=Trunk.place)


def _named(
    row: Row, theirs: Shapes, naming: str | None, prefix: str | None
) -> Iterator[Trunk]:
    """The file as that spec's network, but for classes and channels of images."""
    from resnet_spec.compiler import load
    from resnet_spec.weights.recognition import recognized

    ours = dict(load(row.spec).network.tensors())
    found = recognized(theirs, ours, naming, prefix)
    for reading in found.readings or filter(None, [found.nearest]):
        names = dict(reading.table)
        names |= {our: their for our, their, _ in reading.differing}
        absent = [our for our in reading.missing if not classifies(our)]
        others = [name for name in reading.left if not name.endswith(COUNT)]
        if not (absent or others):
            shapes = {our: theirs[their] for our, their in names.items()}
            beside = (*reading.elsewhere,)
            yield Trunk(reading.naming, reading.prefix, shapes, names, beside)
