"""numpy's arrays: .npz, and pickles of arrays as Caffe2 and detectron2 have them. No numpy."""

from __future__ import annotations

import ast
import re
import zlib
from collections.abc import Callable
from mmap import mmap
from typing import Any
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from resnet_spec.weights.files.pickles import Encoded, Maker, plain
from resnet_spec.weights.stored import Refusal, Stored, stored

KINDS = {"f": "float", "i": "int", "u": "uint", "c": "complex"}
DTYPE = re.compile(r"([<>=|]?)([a-zA-Z])(\d*)")
MAGIC = b"\x93NUMPY"
LONGEST = 2**16  # bytes of the header of an array, as numpy has it at most
DEFLATED = (
    1032  # bytes at most of one that is compressed: https://zlib.net/zlib_tech.html
)


def dtype_of(code: Any) -> str:
    """torch's name for numpy's code of a dtype, refused where torch has none.

    >>> dtype_of("<f4"), dtype_of("|b1"), dtype_of("c8")
    ('float32', 'bool', 'complex64')
    """
    found = DTYPE.fullmatch(code) if type(code) is str else None
    if not found or found[2] == "O":
        raise Refusal("has arrays of objects, which could run code")
    order, kind, size = found.groups()
    if order == ">" and size != "1":
        raise Refusal("has numbers in big-endian order, which is not read")
    if kind == "b":
        return "bool"
    if kind not in KINDS or not size:
        raise Refusal(f"has arrays of the type {code}, which is not read")
    return f"{KINDS[kind]}{int(size[:4]) * 8}"


def npz(archive: ZipFile) -> dict[str, Stored]:
    """The arrays of the archive by name, their values unread."""
    return {
        info.filename.removesuffix(".npy"): _array(archive, info)
        for info in archive.infolist()
    }


def _array(archive: ZipFile, info: ZipInfo) -> Stored:
    if info.compress_type not in (ZIP_STORED, ZIP_DEFLATED):
        raise Refusal("is compressed in a way that numpy does not write")
    if info.file_size > max(1, info.compress_size) * DEFLATED:
        raise Refusal("is damaged: it tells of more than its bytes can hold")
    try:
        with archive.open(info) as file:
            start = file.read(len(MAGIC) + 6)
            wide = start[len(MAGIC) : len(MAGIC) + 1] > b"\x01"
            begin = len(MAGIC) + (6 if wide else 4)
            length = int.from_bytes(start[len(MAGIC) + 2 : begin], "little")
            if not start.startswith(MAGIC) or length > LONGEST:
                raise ValueError("not an array")
            text = (start[begin:] + file.read(length))[:length].decode("latin-1")
        said = ast.literal_eval(text.strip())
        code, shape = said["descr"], said["shape"]
        order = "F" if said["fortran_order"] else "C"
    except (ValueError, TypeError, LookupError, SyntaxError, BadZipFile, EOFError):
        raise Refusal(f"is damaged: {info.filename} is no array") from None
    begin += length
    held = info.file_size - begin
    return stored(dtype_of(code), shape, _unpacked(archive, info, begin), held, order)


def _unpacked(archive: ZipFile, info: ZipInfo, begin: int) -> Callable[[], memoryview]:
    def unpacked() -> memoryview:
        try:
            return memoryview(bytearray(archive.read(info)))[begin:]
        except (BadZipFile, EOFError, OSError, RuntimeError, zlib.error):
            raise Refusal(f"is damaged: {info.filename} cannot be unpacked") from None

    return unpacked


# --- pickles of arrays --------------------------------------------------------------------


class _Array:
    """An array that is told its shape and values after it was made."""

    def __init__(self, *_: Any) -> None:
        self.found: Stored | None = None

    def finish(self, state: Any) -> None:
        _, shape, dtype, fortran, values = state
        order = "F" if fortran else "C"
        self.found = _stored(values, dtype, shape, order)


class _Dtype:
    """numpy's code of a dtype, whose order of bytes is told after it was made."""

    def __init__(self, code: str, *_: Any) -> None:
        self.code = code

    def finish(self, state: Any) -> None:
        self.code = f"{state[1]}{self.code}" if state[1] in "<>=|" else self.code


def _stored(values: Any, dtype: _Dtype, shape: Any, order: str) -> Stored:
    if not isinstance(values, (str, bytes, bytearray, Encoded)):
        raise Refusal("has arrays of objects, which could run code")
    text = values.text if isinstance(values, Encoded) else values

    def taken() -> bytearray:
        raw = text.encode("latin-1") if isinstance(text, str) else text
        return bytearray(raw)

    return stored(dtype_of(dtype.code), shape, taken, len(text), order)


def _number(dtype: _Dtype, *_: Any) -> str:
    """A number beside the arrays, which nothing here reads."""
    return dtype.code


MAKERS: dict[str, Any] = {
    "numpy.ndarray": None,
    "numpy.dtype": Maker(_Dtype),
    **{
        f"numpy.{core}.{name}": maker
        for core in ("core", "_core")
        for name, maker in (
            ("multiarray._reconstruct", Maker(_Array)),
            ("multiarray.scalar", Maker(_number)),
            ("numeric._frombuffer", Maker(_stored)),
        )
    },
}
"""What numpy's pickles name."""


def arrays(data: mmap) -> Any:
    """What a pickle holds, of arrays, mappings, lists, strings and numbers."""
    data.seek(0)
    return finished(plain(data, MAKERS))


def finished(value: Any, done: dict[int, Any] | None = None) -> Any:
    """The same with arrays as tensors, in mappings and below them."""
    done = {} if done is None else done
    if isinstance(value, _Array):
        return value.found
    if not isinstance(value, dict):
        return value
    if id(value) not in done:
        done[id(value)] = found = dict[Any, Any]()
        found.update((key, finished(inner, done)) for key, inner in value.items())
    return done[id(value)]
