"""Pickles as plain data: no class is imported and nothing of a pickle is called.

What it may name is a table of makers, and everything else is refused by its name. Memory grows
with the bytes that were read, never with a number that stands in them.
"""

from __future__ import annotations

import pickletools
from collections.abc import Callable, Mapping
from mmap import mmap
from typing import IO, Any, NamedTuple, Protocol, cast, runtime_checkable

from resnet_spec.weights.stored import Refusal

Stream = IO[bytes] | mmap
Key = str | bytes | int | float | None


class Maker(NamedTuple):
    """What stands for a function or class of others: it makes data of its arguments."""

    make: Callable[..., Any]


@runtime_checkable
class Unfinished(Protocol):
    """What a maker made and a pickle has more to say of."""

    def finish(self, state: Any) -> None: ...


class Encoded(NamedTuple):
    """Bytes as Python 2 or protocol 2 writes them, a character for each."""

    text: str


PLAIN: dict[str, Any] = {
    "collections.OrderedDict": Maker(lambda pairs=(): Ordered(pairs)),
    "_codecs.encode": Maker(lambda text, _: Encoded(text)),
}


class Ordered(dict[Any, Any]):
    """An OrderedDict, without the attributes that one may have."""

    def finish(self, state: Any) -> None:
        """torch keeps versions of modules there, `_metadata`."""


CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
EMPTY: dict[str, Callable[[], Any]] = {
    "EMPTY_DICT": dict,
    "EMPTY_LIST": list,
    "EMPTY_TUPLE": tuple,
    "EMPTY_SET": list,
}
VALUES = {
    *("INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4"),
    *("FLOAT", "BINFLOAT", "STRING", "BINSTRING", "SHORT_BINSTRING"),
    *("BINBYTES", "SHORT_BINBYTES", "BINBYTES8", "BYTEARRAY8"),
    *("UNICODE", "SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8"),
}


def plain(
    stream: Stream,
    makers: Mapping[str, Any],
    persistent: Callable[[Any], Any] | None = None,
) -> Any:
    """The value of the pickle that begins there; the stream is then behind its end.

    `persistent` says what an id stands for that the pickle has in place of a value. Raises
    Refusal for what the makers do not know, and for what is no pickle.
    """
    try:
        return _Reader(makers, persistent).read(stream)
    except Refusal:
        raise
    except (ValueError, TypeError, LookupError, AttributeError, OverflowError) as error:
        raise Refusal(f"is cut short, or no pickle ({_first_line(error)})") from None


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:80]


class _Reader:
    """A machine for the operations that data needs, with the stack and memory of pickles."""

    def __init__(
        self, makers: Mapping[str, Any], persistent: Callable[[Any], Any] | None
    ) -> None:
        self.makers, self.persistent = {**PLAIN, **makers}, persistent
        self.stack: list[Any] = []
        self.marks: list[int] = []
        self.memory: dict[int, Any] = {}

    def read(self, stream: Stream) -> Any:
        for opcode, arg, _ in pickletools.genops(cast("IO[bytes]", stream)):
            name = opcode.name
            if name in VALUES:
                self.stack.append(arg)
            elif name in CONSTANTS:
                self.stack.append(CONSTANTS[name])
            elif name in EMPTY:
                self.stack.append(EMPTY[name]())
            elif name == "STOP":
                return self.stack.pop()
            else:
                step = getattr(self, f"_{name.lower()}", None)
                if step is None:
                    raise Refusal(f"is a pickle of more than data: it has {name}")
                step(arg)
        raise Refusal("is a pickle without an end")

    def _since_mark(self) -> list[Any]:
        at = self.marks.pop()
        found = self.stack[at:]
        del self.stack[at:]
        return found

    def _proto(self, _: Any) -> None: ...

    def _frame(self, _: Any) -> None: ...

    def _mark(self, _: Any) -> None:
        self.marks.append(len(self.stack))

    def _pop(self, _: Any) -> None:
        self.stack.pop()

    def _put(self, index: int) -> None:
        self.memory[index] = self.stack[-1]

    _binput = _long_binput = _put

    def _memoize(self, _: Any) -> None:
        self.memory[len(self.memory)] = self.stack[-1]

    def _get(self, index: int) -> None:
        self.stack.append(self.memory[index])

    _binget = _long_binget = _get

    def _tuple(self, _: Any) -> None:
        self.stack.append(tuple(self._since_mark()))

    def _tuple1(self, _: Any) -> None:
        self.stack[-1:] = [tuple(self.stack[-1:])]

    def _tuple2(self, _: Any) -> None:
        self.stack[-2:] = [tuple(self.stack[-2:])]

    def _tuple3(self, _: Any) -> None:
        self.stack[-3:] = [tuple(self.stack[-3:])]

    def _list(self, _: Any) -> None:
        self.stack.append(self._since_mark())

    def _dict(self, _: Any) -> None:
        items = self._since_mark()
        self.stack.append({})
        self._fill(items)

    def _append(self, _: Any) -> None:
        self._extend([self.stack.pop()])

    def _appends(self, _: Any) -> None:
        self._extend(self._since_mark())

    _additems = _appends

    def _extend(self, items: list[Any]) -> None:
        if not isinstance(self.stack[-1], list):
            raise Refusal("is damaged: it appends to what is no list")
        self.stack[-1].extend(items)

    def _setitem(self, _: Any) -> None:
        value, key = self.stack.pop(), self.stack.pop()
        self._fill([key, value])

    def _setitems(self, _: Any) -> None:
        self._fill(self._since_mark())

    def _fill(self, items: list[Any]) -> None:
        """Keys are hashed, so that they must be short of tuples in tuples in tuples."""
        keys = items[::2]
        if not isinstance(self.stack[-1], dict) or not all(
            isinstance(key, Key) for key in keys
        ):
            raise Refusal("is damaged: it has a mapping of what is no name or number")
        self.stack[-1].update(zip(keys, items[1::2], strict=True))

    def _global(self, arg: str) -> None:
        self.stack.append(self._named(arg.replace(" ", ".")))

    def _stack_global(self, _: Any) -> None:
        name, module = self.stack.pop(), self.stack.pop()
        self.stack.append(self._named(f"{module}.{name}"))

    def _named(self, name: str) -> Any:
        if name not in self.makers:
            said = name if name.isprintable() and len(name) < 80 else ascii(name)[:80]
            raise Refusal(
                f"holds {said}, which is no tensor and could run code; only tensors, mappings, "
                "lists, strings and numbers are read"
            )
        return self.makers[name]

    def _reduce(self, _: Any) -> None:
        args, maker = self.stack.pop(), self.stack.pop()
        if not isinstance(maker, Maker) or not isinstance(args, tuple):
            raise Refusal(
                "is a pickle of more than data: it calls what is no maker of it"
            )
        self.stack.append(maker.make(*args))

    def _build(self, _: Any) -> None:
        state = self.stack.pop()
        if not isinstance(self.stack[-1], Unfinished):
            raise Refusal(
                "is a pickle of more than data: it has the state of an object"
            )
        self.stack[-1].finish(state)

    def _binpersid(self, _: Any) -> None:
        if self.persistent is None:
            raise Refusal("is a pickle of parts that lie elsewhere")
        self.stack.append(self.persistent(self.stack.pop()))
