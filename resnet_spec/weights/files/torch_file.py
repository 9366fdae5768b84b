"""What torch.save writes, as names, shapes and places of values, without torch.

Two layouts: a zip of a pickle and of storages, since torch 1.6, and five pickles with the
storages behind them, before that.
"""

from __future__ import annotations

from io import BytesIO
from mmap import mmap
from typing import Any
from zipfile import ZIP_STORED, ZipFile, ZipInfo

from resnet_spec.weights.files import numpy_file
from resnet_spec.weights.files.pickles import Maker, plain
from resnet_spec.weights.stored import (
    SIZES,
    Refusal,
    Stored,
    checked,
    cut_short,
    size_of,
)

LEGACY = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."
"""The first pickle of the older layout: a number."""
STORAGES = {
    "Bool": "bool",
    "Byte": "uint8",
    "Char": "int8",
    "Short": "int16",
    "Int": "int32",
    "Long": "int64",
    "Half": "float16",
    "BFloat16": "bfloat16",
    "Float": "float32",
    "Double": "float64",
    "ComplexFloat": "complex64",
    "ComplexDouble": "complex128",
    "QInt8": "qint8",
    "QUInt8": "quint8",
    "QInt32": "qint32",
}
QUANTIZERS = (
    *("per_tensor_affine", "per_tensor_symmetric", "per_channel_affine"),
    *("per_channel_symmetric", "per_channel_affine_float_qparams"),
)
HEADER = 30  # bytes of an entry of a zip in front of its name


class Storage:
    """The numbers that tensors share; where they lie is known when all of the file is read."""

    def __init__(self, data: mmap, dtype: str, numel: int) -> None:
        self.data, self.dtype = data, dtype
        self.bytes = numel * size_of(dtype)
        self.start = 0

    def view(self) -> memoryview:
        return memoryview(self.data)[self.start : self.start + self.bytes]

    def lies_at(self, start: int, held: int) -> None:
        """Refuses a storage that is longer than what is `held` for it."""
        if self.bytes > held:
            raise cut_short(self.bytes, held)
        self.start = start


def _tensor(
    storage: Storage,
    offset: int,
    size: tuple[int, ...],
    stride: tuple[int, ...],
    *_: Any,
) -> Stored:
    return _typed(storage, storage.dtype, offset, size, stride)


def _typed(
    storage: Storage,
    dtype: str,
    offset: int,
    size: tuple[int, ...],
    stride: tuple[int, ...],
) -> Stored:
    """A view of a storage, refused where it goes beyond that."""
    size, stride, _ = checked(size), checked(stride), checked((offset,))
    steps = zip(size, stride, strict=True)
    last = offset + sum((n - 1) * step for n, step in steps) if all(size) else 0
    if all(size) and (last + 1) * size_of(dtype) > storage.bytes:
        raise Refusal("is damaged: a tensor goes beyond what is stored")
    return Stored(dtype, size, storage.view, offset, tuple(stride))


def _sparse(*_: Any) -> Any:
    raise Refusal("has sparse tensors, which are not read")


def _valueless(*_: Any) -> Any:
    raise Refusal("has tensors of the meta device, which have no values")


MAKERS: dict[str, Any] = {
    **numpy_file.MAKERS,
    "torch._utils._rebuild_tensor": Maker(_tensor),
    "torch._utils._rebuild_tensor_v2": Maker(_tensor),
    "torch._utils._rebuild_tensor_v3": Maker(
        lambda storage, offset, size, stride, _, __, dtype, *___: _typed(
            storage, dtype, offset, size, stride
        )
    ),
    "torch._utils._rebuild_qtensor": Maker(_tensor),
    "torch._utils._rebuild_parameter": Maker(lambda data, *_: data),
    "torch._utils._rebuild_parameter_with_state": Maker(lambda data, *_: data),
    "torch._tensor._rebuild_from_type_v2": Maker(
        lambda maker, _, args, __: maker.make(*args)
    ),
    "torch._utils._rebuild_sparse_tensor": Maker(_sparse),
    "torch._utils._rebuild_meta_tensor_no_storage": Maker(_valueless),
    "torch.Size": Maker(tuple),
    "torch.device": Maker(lambda *_: None),
    "torch.serialization._get_layout": Maker(lambda name: name),
    "torch.Tensor": None,
    "torch._tensor.Tensor": None,
    "torch.nn.parameter.Parameter": None,
    "torch.storage.UntypedStorage": "uint8",
    "torch.UntypedStorage": "uint8",
    "collections.Counter": Maker(lambda counts=(): dict(counts)),
    "__builtin__.set": Maker(list),
    "builtins.set": Maker(list),
    "builtins.complex": Maker(lambda *parts: parts),
    **{f"torch.{dtype}": dtype for dtype in SIZES},
    **{f"torch.{name}": name for name in QUANTIZERS},
    **{f"torch.{name}Storage": dtype for name, dtype in STORAGES.items()},
}


def zipped(data: mmap, archive: ZipFile) -> Any:
    """What the pickle in the archive holds, with the tensors in their storages."""
    entries = {info.filename: info for info in archive.infolist()}
    (name,) = (n for n in entries if n.rpartition("/")[2] == "data.pkl")
    root = name.removesuffix("data.pkl")
    if f"{root}byteorder" in entries:
        _refuse_big(_bytes(data, entries[f"{root}byteorder"]) == b"little")
    storages: dict[str, Storage] = {}

    def storage(said: Any) -> Storage:
        key, found = _made(data, said)
        if key not in storages:
            info = entries.get(f"{root}data/{key}")
            if info is None:
                raise Refusal(f"is damaged: it has no storage {key}")
            found.lies_at(*_place(data, info))
        return storages.setdefault(key, found)

    text = BytesIO(_bytes(data, entries[name]))
    return numpy_file.finished(plain(text, MAKERS, storage))


def legacy(data: mmap) -> Any:
    """What the fourth pickle holds; the fifth has the order of the storages."""
    storages: dict[str, Storage] = {}

    def storage(said: Any) -> Storage:
        key, found = _made(data, said)
        return storages.setdefault(key, found)

    data.seek(0)
    for _ in range(2):
        plain(data, {})
    _refuse_big(plain(data, {}).get("little_endian", True))
    found = plain(data, MAKERS, storage)
    for key in plain(data, {}):
        start = data.tell() + 8
        storages[key].lies_at(start, len(data) - start)
        data.seek(start + storages[key].bytes)
    return numpy_file.finished(found)


def _made(data: mmap, said: Any) -> tuple[str, Storage]:
    """A storage for `("storage", type, key, device, numbers)`."""
    kind, dtype, key, _, numel, *view = said
    if kind != "storage" or any(view):
        raise Refusal("is a pickle of parts that lie elsewhere")
    checked((numel,))
    return key, Storage(data, dtype, numel)


def _place(data: mmap, info: ZipInfo) -> tuple[int, int]:
    """Where an entry's bytes begin, and how many there are."""
    at = info.header_offset
    header = data[at : at + HEADER]
    name, extra = (int.from_bytes(header[n : n + 2], "little") for n in (26, 28))
    start = at + HEADER + name + extra
    if info.compress_type != ZIP_STORED:
        raise Refusal("is compressed, as torch never writes it")
    if start + info.file_size > len(data):
        raise cut_short(start + info.file_size, len(data))
    return start, info.file_size


def _bytes(data: mmap, info: ZipInfo) -> bytes:
    start, size = _place(data, info)
    return data[start : start + size]


def _refuse_big(little: bool) -> None:
    if not little:
        raise Refusal("has numbers in big-endian order, which is not read")
