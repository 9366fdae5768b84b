"""The nodes and the constants of an ONNX graph while it is made."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import NodeProto, TensorProto, helper, numpy_helper

from resnet_spec.emit.onnx.beside import SMALL, Beside

Array = NDArray[Any]


class Graph:
    """Nodes in the order in which they run. What a node gives is called as the node is.

    `tensors` are the network's own, by name; those that nodes read become initializers, of the
    type that the graph computes in; the numbers of large ones are in the file `beside`, if
    there is one.
    Groups of convolutions with fewer channels than `group_width` are put together.
    """

    def __init__(
        self,
        tensors: Mapping[str, Array],
        dtype: type[np.floating[Any]],
        beside: Beside | None,
        group_width: int,
    ) -> None:
        self.tensors, self.dtype, self.beside = tensors, np.dtype(dtype), beside
        self.group_width = group_width
        self.nodes: list[NodeProto] = []
        self.initializers: dict[str, TensorProto] = {}
        self._names: Counter[str] = Counter()
        self._constants: dict[tuple[str, bytes], str] = {}

    def node(self, name: str, kind: str, *reads: str, **attributes: Any) -> str:
        """A node, and the name of what it gives: the one that is asked for, or that and a
        number where there is one already."""
        (made,) = self.several(name, kind, 1, *reads, **attributes)
        return made

    def several(
        self, name: str, kind: str, count: int, *reads: str, **attributes: Any
    ) -> list[str]:
        """The same for a node that gives more than one tensor."""
        name = self._free(name)
        gives = [name] if count == 1 else [f"{name}.{i}" for i in range(count)]
        self.nodes.append(helper.make_node(kind, reads, gives, name, **attributes))
        return gives

    def _free(self, name: str) -> str:
        self._names[name] += 1
        count = self._names[name]
        return name if count == 1 else self._free(f"{name}_{count}")

    def tensor(self, name: str) -> str:
        """A tensor of the network, which a node reads by its name."""
        return self.held(name, self.tensors[name])

    def held(self, name: str, values: Array) -> str:
        """Those numbers as an initializer of that name."""
        if name not in self.initializers:
            made = np.ascontiguousarray(values, self.dtype)
            apart = self.beside if made.nbytes > SMALL else None
            store = apart.tensor if apart else numpy_helper.from_array
            self.initializers[name] = store(made, name)
        return name

    def constant(self, values: float | Array) -> str:
        """Numbers that no training gave, once for each value."""
        return self._constant(np.asarray(values, self.dtype))

    def whole(self, *values: int) -> str:
        """Whole numbers, as shapes and axes are."""
        return self._constant(np.asarray(values, np.int64))

    def index(self, value: int) -> str:
        """One whole number, which takes an axis away."""
        return self._constant(np.asarray(value, np.int64))

    @property
    def float(self) -> int:
        """ONNX's number for the type that the graph computes in."""
        return int(helper.np_dtype_to_tensor_dtype(self.dtype))

    def _constant(self, array: Array) -> str:
        key = (f"{array.dtype}{array.shape}", array.tobytes())
        if key not in self._constants:
            name = self._constants[key] = f"constant.{len(self._constants)}"
            self.initializers[name] = numpy_helper.from_array(array, name)
        return self._constants[key]


class At:
    """A place in the graph: names of nodes and tensors begin with the path of a module."""

    def __init__(self, graph: Graph, path: str) -> None:
        self.graph, self.path = graph, path

    def inside(self, name: str) -> At:
        """The place of a module in this one."""
        return At(self.graph, f"{self.path}.{name}")

    def has(self, name: str) -> bool:
        return f"{self.path}.{name}" in self.graph.tensors

    def tensor(self, name: str) -> str:
        return self.graph.tensor(f"{self.path}.{name}")

    def weights(self, *, bias: bool = True) -> list[str]:
        """The module's weight, and its bias if it has one, as most operators read them."""
        return [self.tensor("weight"), *([self.tensor("bias")] if bias else [])]

    def array(self, name: str) -> Array:
        """A tensor of the module as it is."""
        return self.graph.tensors[f"{self.path}.{name}"]

    def values(self, name: str) -> Array:
        """A tensor of the module as numbers, of 64 bits."""
        return self.array(name).astype(np.float64)

    def held(self, name: str, values: Array) -> str:
        """Numbers that are made of the module's tensors, under its name."""
        return self.graph.held(f"{self.path}.{name}", values)

    def by_channel(self, name: str) -> str:
        """A tensor (C,) of the module as (C, 1, 1), to go with a map."""
        return self.held(name, self.values(name)[:, None, None])

    def node(self, kind: str, *reads: str, name: str = "", **attributes: Any) -> str:
        """A node of the module: by its path, or by a name below that."""
        path = ".".join(filter(None, (self.path, name))) or kind.lower()
        return self.graph.node(path, kind, *reads, **attributes)

    def split(self, x: str, sizes: Sequence[int]) -> list[str]:
        """The map cut along its channels."""
        if len(sizes) == 1:
            return [x]
        lengths = self.graph.whole(*sizes)
        path = f"{self.path}.split"
        return self.graph.several(path, "Split", len(sizes), x, lengths, axis=1)

    def mean(self, x: str, *axes: int, name: str = "mean", keep: bool = True) -> str:
        where = self.graph.whole(*axes)
        return self.node("ReduceMean", x, where, name=name, keepdims=int(keep))

    def largest(self, x: str, *axes: int, name: str = "max", keep: bool = True) -> str:
        where = self.graph.whole(*axes)
        return self.node("ReduceMax", x, where, name=name, keepdims=int(keep))

    def total(self, x: str, *axes: int, name: str = "sum", keep: bool = False) -> str:
        where = self.graph.whole(*axes)
        return self.node("ReduceSum", x, where, name=name, keepdims=int(keep))

    def reshaped(self, x: str, *shape: int, name: str = "reshape") -> str:
        """In that shape, where 0 keeps a size and -1 is what is left."""
        return self.node("Reshape", x, self.graph.whole(*shape), name=name)

    def shaped_as(self, x: str, like: str, name: str = "reshape") -> str:
        shape = self.node("Shape", like, name="shape")
        return self.node("Reshape", x, shape, name=name)
