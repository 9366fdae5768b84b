"""safetensors, whole or in shards: https://github.com/huggingface/safetensors#format"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import Any

from resnet_spec.weights.stored import (
    Refusal,
    Stored,
    cut_short,
    stored,
)

DTYPES = {
    "BOOL": "bool",
    "U8": "uint8",
    "I8": "int8",
    "F8_E4M3": "float8_e4m3fn",
    "F8_E5M2": "float8_e5m2",
    "U16": "uint16",
    "I16": "int16",
    "F16": "float16",
    "BF16": "bfloat16",
    "U32": "uint32",
    "I32": "int32",
    "F32": "float32",
    "U64": "uint64",
    "I64": "int64",
    "F64": "float64",
    "C64": "complex64",
}
LENGTH = 8  # bytes in front of the header, which say how long it is
METADATA = "__metadata__"
DAMAGED = "is damaged: its header is not that of safetensors"
SHARD = re.compile(r"(.*)-(\d+)-of-(\d+)(\.\w+)")


def is_safetensors(start: bytes) -> bool:
    return start[LENGTH : LENGTH + 1] == b"{"


def safetensors(data: mmap) -> dict[str, Stored]:
    """The tensors of a file, by its header alone."""
    header, begin = _header(data)
    try:
        entries = {k: _entry(v) for k, v in header.items() if k != METADATA}
    except (ValueError, TypeError, LookupError, AttributeError):
        raise Refusal(DAMAGED) from None
    end = max((begin + stop for _, _, _, stop in entries.values()), default=begin)
    if end > len(data):
        raise cut_short(end, len(data))
    return {
        name: stored(
            dtype,
            shape,
            _slice(data, begin + start, begin + stop),
            stop - start,
            stays=True,
        )
        for name, (dtype, shape, start, stop) in entries.items()
    }


def _header(data: mmap) -> tuple[dict[str, Any], int]:
    """The header, and where the values begin."""
    length = int.from_bytes(data[:LENGTH], "little")
    begin = LENGTH + length
    if begin > len(data):
        raise cut_short(begin, len(data))
    try:
        header = json.loads(data[LENGTH:begin])
    except (ValueError, RecursionError):
        raise Refusal(DAMAGED) from None
    if not isinstance(header, dict):
        raise Refusal(DAMAGED)
    return header, begin


def _entry(said: Any) -> tuple[str, list[int], int, int]:
    start, stop = said["data_offsets"]
    if not (type(start) is type(stop) is int and 0 <= start <= stop):
        raise ValueError("not a place in a file")
    return DTYPES.get(said["dtype"], said["dtype"]), said["shape"], start, stop


def _slice(data: mmap, start: int, stop: int) -> Callable[[], memoryview]:
    return lambda: memoryview(data)[start:stop]


def metadata(file: Path) -> dict[str, str]:
    """What a file of safetensors says beside its tensors.

    Empty for other files, and for an index of shards. Raises Refusal where it is damaged.
    """
    with file.open("rb") as opened:
        start = opened.read(LENGTH + 1)
        if file.suffix == ".json" or not is_safetensors(start):
            return {}
        said = _header(mmap(opened.fileno(), 0, access=ACCESS_READ))[0].get(METADATA)
    if not isinstance(said, dict):
        return {}
    return {str(key): str(value) for key, value in said.items()}


def refuse_one_of_several(file: Path) -> None:
    """Refuses a shard, which is a part of a network."""
    found = SHARD.fullmatch(file.name)
    if found and int(found[3]) > 1:
        index = f"{found[1]}{found[4]}.index.json"
        there = "" if (file.parent / index).exists() else ", which is not beside it"
        raise Refusal(f"is one of {int(found[3])} shards; give their {index}{there}")


def indexed(
    index: Any, folder: Path, shard: Callable[[Path], dict[str, Any]]
) -> dict[str, Any]:
    """The tensors of the shards that an index names, each read from the folder by `shard`."""
    shards = index["weight_map"]
    if not isinstance(shards, dict) or not all(type(s) is str for s in shards.values()):
        raise Refusal("is damaged: its weight_map does not name a file for each tensor")
    found: dict[str, Any] = {}
    for name in dict.fromkeys(shards.values()):
        if Path(name).name != name:
            raise Refusal(f"names {name}, which is not beside it")
        if not (folder / name).is_file():
            raise Refusal(f"names {name}, which is not there")
        found |= shard(folder / name)
    for name in shards:
        if name not in found:
            raise Refusal(f"says that {shards[name]} has {name}, which it has not")
    return found
