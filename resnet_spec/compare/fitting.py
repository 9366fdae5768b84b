"""Whether the weights in a file are those of a network, and what of them is not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from resnet_spec.compare.pages import Page, Row, tensor_rows
from resnet_spec.network import Network
from resnet_spec.weights.conventions import images, unlike
from resnet_spec.weights.differences import difference
from resnet_spec.weights.dtypes import Kind, of_other_numbers
from resnet_spec.weights.files import opened
from resnet_spec.weights.naming import called, possessive
from resnet_spec.weights.naming.rules import COUNT, parts
from resnet_spec.weights.reading import Reading
from resnet_spec.weights.recognition import dotted, nothing, recognized
from resnet_spec.weights.stored import WeightsError


class Fitting(NamedTuple):
    """How a file is read as weights of a network; `wrong` says what is not as it should be."""

    file: str
    inside: tuple[str, ...]
    network: Network
    reading: Reading
    wrong: str

    @property
    def verdict(self) -> str:
        return self.wrong or f"every weight fits: {self.reading}{self._key}"

    @property
    def _key(self) -> str:
        return f", from {'.'.join(self.inside)}" * bool(self.inside)

    @property
    def conventions(self) -> list[str]:
        """What the library that wrote the names does by default that names cannot tell."""
        naming, found = self.reading.naming, unlike(self.network, self.reading.naming)
        if wanted := images(self.network, naming):
            found.append(f"{possessive(naming)} published weights want images {wanted}")
        return found if self.reading.table else []

    def page(self, a: str, b: str) -> Page:
        """For the file and the spec, as they were given."""
        sections = {
            "names": [(self.file, f"{self.reading.whose}{self._key}")],
            "weights": [*self._rows(file_first=a == self.file)],
        }
        by_default = [("by default", said) for said in self.conventions]
        return Page(
            a,
            b,
            not self.wrong,
            self.verdict,
            (sections if self.wrong else {}) | {"conventions": by_default},
            self._data(),
        )

    def _rows(self, file_first: bool) -> Iterator[Row]:
        reading, ours = self.reading, dict(self.network.tensors())
        blocks = {stage.name: len(stage.blocks) for stage in self.network.stages}
        shapes = {our: (ours[our].shape, shape) for our, _, shape in reading.differing}
        if file_first:
            shapes = {our: (theirs, own) for our, (own, theirs) in shapes.items()}
        groups = {"missing": reading.missing, "left over": reading.left}
        return tensor_rows(groups | {"change shape": (*shapes,)}, shapes, blocks)

    def _data(self) -> dict[str, Any]:
        reading = self.reading
        return {
            "naming": reading.naming if reading.table else None,
            "prefix": reading.prefix.rstrip("."),
            "key": ".".join(self.inside),
            "weights": {
                "fitting": len(reading.table),
                "missing": reading.missing,
                "left_over": reading.left,
                "changed": [
                    {"name": our, "theirs": their, "shape": shape}
                    for our, their, shape in reading.differing
                ],
                "beside": reading.beside,
            },
            "conventions": self.conventions,
        }


def fitting(
    file: str,
    network: Network,
    naming: str | None = None,
    key: str | None = None,
    prefix: str | None = None,
) -> Fitting:
    """How the file has the network's weights, by names, shapes and dtypes.

    Raises WeightsError for what is no file of weights, and where it has several such networks.
    """
    found, ours = opened(file, key), dict(network.tensors())
    shapes = {name: tensor.shape for name, tensor in found.tensors.items()}
    known = recognized(shapes, ours, naming, dotted(prefix, shapes))
    if len(known.readings) > 1:
        raise WeightsError(f"{file}: {known}")
    reading = known.reading or known.nearest or nothing(ours, shapes, naming)
    wrong = "" if known.reading else known.difference
    if known.reading and known.reading.missing:
        wrong = difference(reading, called(parts(ours), reading.naming))
    if not wrong:
        real = {name: Kind("float32") for name in ours if not name.endswith(COUNT)}
        table = {our: their for our, their in reading.table.items() if our in real}
        wrong = of_other_numbers(real, found.tensors, table) or ""
    return Fitting(file, found.inside, network, reading, wrong)
