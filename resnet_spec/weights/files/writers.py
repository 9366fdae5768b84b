"""Tensors as files, byte for byte as they are: safetensors, torch's and numpy's. No torch.

The same tensors are the same file.
"""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Callable, Iterable, Mapping
from io import BytesIO
from typing import NamedTuple
from zipfile import ZIP_STORED, ZipFile, ZipInfo

from resnet_spec.weights.files.numpy_file import MAGIC
from resnet_spec.weights.files.safetensors_file import DTYPES, LENGTH
from resnet_spec.weights.files.torch_file import STORAGES
from resnet_spec.weights.stored import (
    Stored,
    WeightsError,
    contiguous,
    laid_out,
    size_of,
)

Tensors = Mapping[str, Stored]
Parts = Iterable[bytes | memoryview]


class Extras(NamedTuple):
    """What a file has beside tensors, where its kind has a place for it.

    `metadata` is what safetensors keeps. In a file of torch, `key` is what the state dict
    lies under, and `beside` what lies beside that.
    """

    metadata: Mapping[str, str] = {}
    key: str = ""
    beside: Mapping[str, str | bool] = {}


BARE = Extras()


def of_safetensors(tensors: Tensors, extras: Extras = BARE) -> Parts:
    """A file of https://github.com/huggingface/safetensors#format.

    Wide numbers come first, so that each lies where a computer reads it fast.
    """
    names = {dtype: name for name, dtype in DTYPES.items()}
    ordered = sorted(tensors, key=lambda name: -size_of(tensors[name].dtype))
    at, header = 0, dict[str, object]()
    if extras.metadata:
        header["__metadata__"] = dict(sorted(extras.metadata.items()))
    values = {name: laid_out(tensors[name]) for name in ordered}
    for name, value in values.items():
        dtype, end = tensors[name].dtype, at + len(value)
        if dtype not in names:
            raise WeightsError(f"{name} is {dtype}, which safetensors has not")
        shape = [*tensors[name].shape]
        header[name] = {
            "dtype": names[dtype],
            "shape": shape,
            "data_offsets": [at, end],
        }
        at = end
    text = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode()
    text += b" " * (-len(text) % LENGTH)
    return [len(text).to_bytes(LENGTH, "little") + text, *values.values()]


# --- zips ---------------------------------------------------------------------------------

NUMPY = {"float": "<f", "int": "<i", "uint": "<u", "complex": "<c"}


def of_numpy(tensors: Tensors, _: Extras = BARE) -> Parts:
    """An archive as `numpy.savez` writes it."""
    return _zip(
        (f"{name}.npy", [_npy(name, t), laid_out(t)]) for name, t in tensors.items()
    )


def _npy(name: str, tensor: Stored) -> bytes:
    """What stands in front of an array: version 1.0, whose header ends at a multiple of 64."""
    kind = tensor.dtype.rstrip("0123456789")
    if tensor.dtype != "bool" and kind not in NUMPY:
        raise WeightsError(f"{name} is {tensor.dtype}, which numpy has not")
    code = "|b1" if tensor.dtype == "bool" else f"{NUMPY[kind]}{size_of(tensor.dtype)}"
    said = {"descr": code, "fortran_order": False, "shape": tensor.shape}
    text = repr(said).encode()
    text += b" " * (-(len(MAGIC) + 4 + len(text) + 1) % 64) + b"\n"
    return MAGIC + b"\x01\x00" + struct.pack("<H", len(text)) + text


def of_torch(tensors: Tensors, extras: Extras = BARE) -> Parts:
    """A file as torch has it since 1.6: a pickle, and a storage for each tensor."""
    entries: dict[str, bytes | memoryview] = {
        "data.pkl": _pickle(tensors, extras),
        "byteorder": b"little",
        **{f"data/{i}": laid_out(t) for i, t in enumerate(tensors.values())},
        "version": b"3\n",
    }
    return _zip((f"archive/{name}", [part]) for name, part in entries.items())


def _zip(entries: Iterable[tuple[str, list[bytes | memoryview]]]) -> Parts:
    made = BytesIO()
    with ZipFile(made, "w", ZIP_STORED) as archive:
        for name, parts in entries:
            with archive.open(
                ZipInfo(name), "w"
            ) as entry:  # of 1980, so no clock is in it
                for part in parts:
                    entry.write(part)
    return [made.getbuffer()]


# --- the pickle of torch's ----------------------------------------------------------------


def _pickle(tensors: Tensors, extras: Extras) -> bytes:
    """Protocol 2, which has a call of `_rebuild_tensor_v2` for each tensor."""
    classes = {dtype: name for name, dtype in STORAGES.items()}
    for name, tensor in tensors.items():
        if tensor.dtype not in classes or tensor.dtype.startswith(("q", "complex")):
            raise WeightsError(f"{name} is {tensor.dtype}, which is not written so")

    def value(at: int, tensor: Stored) -> bytes:
        numbers = math.prod(tensor.shape)
        kind = _named("torch", f"{classes[tensor.dtype]}Storage")
        lies = _tuple(
            _text("storage"), kind, _text(f"{at}"), _text("cpu"), _int(numbers)
        )
        sizes = (
            _tuple(*map(_int, n)) for n in (tensor.shape, contiguous(tensor.shape))
        )
        hooks = _named("collections", "OrderedDict") + b")R"
        call = _tuple(lies + b"Q", _int(0), *sizes, _FALSE, hooks)
        return _named("torch._utils", "_rebuild_tensor_v2") + call + b"R"

    every = enumerate(tensors.items())
    made = _dict((name, value(at, tensor)) for at, (name, tensor) in every)
    if extras.key:
        said = {True: _TRUE, False: _FALSE}
        others = (
            (k, _text(v) if isinstance(v, str) else said[v])
            for k, v in extras.beside.items()
        )
        made = _dict([(extras.key, made), *others])
    return b"\x80\x02" + made + b"."


_TRUE, _FALSE = b"\x88", b"\x89"


def _dict(pairs: Iterable[tuple[str, bytes]]) -> bytes:
    return b"}(" + b"".join(_text(key) + value for key, value in pairs) + b"u"


def _tuple(*parts: bytes) -> bytes:
    return b"(" + b"".join(parts) + b"t"


def _text(text: str) -> bytes:
    data = text.encode()
    return b"X" + struct.pack("<I", len(data)) + data


def _int(number: int) -> bytes:
    if number < 2**31:
        return b"J" + struct.pack("<i", number)
    return b"\x8a\x08" + struct.pack("<q", number)


def _named(module: str, name: str) -> bytes:
    return f"c{module}\n{name}\n".encode()


WRITERS: dict[str, Callable[[Tensors, Extras], Parts]] = {
    ".safetensors": of_safetensors,
    ".pth": of_torch,
    ".pt": of_torch,
    ".pyth": of_torch,
    ".npz": of_numpy,
}
"""What writes a file, by how its name ends."""
