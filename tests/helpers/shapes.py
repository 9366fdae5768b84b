"""Comments that give shapes, `x = x.flatten(1)  # (N, 512)`, beside the tensors of a run."""

import inspect
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from types import FrameType
from typing import Any, NamedTuple

TARGET = re.compile(r"(\w+)(?:: \w+)? = |return ")
COMMENT = re.compile(r"  # (each )?(\(.+\))$")


class Line(NamedTuple):
    """A line that ran, and the value that it assigned or returned; None if it did neither."""

    text: str
    value: Any

    @property
    def comment(self) -> str:
        """`(N, C, H, W)`, or nothing."""
        found = COMMENT.search(self.text)
        return found[2] if found else ""

    def is_true(self, symbols: Mapping[str, int]) -> bool:
        """Whether the comment is the shape of the value, or after `each` of all in it."""
        if not (found := COMMENT.search(self.text)):
            return True
        tensors = self.value if found[1] else [self.value]
        expected = eval(found[2], {}, dict(symbols))
        return all(tuple(tensor.shape) == expected for tensor in tensors)


def lines_run(
    function: Callable[..., Any],
    call: Callable[[], object],
    source: Sequence[str] = (),
) -> list[Line]:
    """The lines of the function that the call runs, in order, each a whole statement.

    `source` is what to read in place of the function's own lines.
    """
    code = function.__code__
    texts = source or inspect.getsourcelines(function)[0]
    found: list[Line] = []
    begun = ""

    def trace(frame: FrameType, event: str, returned: Any) -> Any:
        nonlocal begun
        if frame.f_code is not code:
            return None
        if begun:
            found.append(_line(begun, frame, returned))
        at = frame.f_lineno - code.co_firstlineno
        begun = texts[at].strip() if event == "line" else ""
        return trace

    previous = sys.gettrace()
    sys.settrace(trace)
    try:
        call()
    finally:
        sys.settrace(previous)
    return found


def _line(text: str, frame: FrameType, returned: Any) -> Line:
    target = TARGET.match(text)
    name = target[1] if target else None
    return Line(text, frame.f_locals[name] if name else returned)
