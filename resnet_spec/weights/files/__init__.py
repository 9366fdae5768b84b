"""Files of tensors, of every kind that networks come in. Knows no torch and no numpy.

What a file is, its first bytes say, never its name. No pickle runs code; nothing is allocated
before its size is checked against the file; values are read when they are asked for.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from mmap import ACCESS_COPY, mmap
from pathlib import Path
from typing import Any
from zipfile import BadZipFile, ZipFile

from resnet_spec.weights.files import numpy_file, torch_file
from resnet_spec.weights.files.safetensors_file import (
    indexed,
    is_safetensors,
    refuse_one_of_several,
    safetensors,
)
from resnet_spec.weights.stored import Refusal, Stored, WeightsError
from resnet_spec.weights.wrappers import Unwrapped, unwrapped

__all__ = [
    "Stored",
    "WeightsError",
    "contents",
    "is_of_weights",
    "names_and_shapes",
    "opened",
]

SUFFIXES = (
    *(".safetensors", ".pth", ".pt", ".bin", ".ckpt", ".tar"),
    *(".pkl", ".npz", ".h5", ".keras", ".json"),
)
START = 512  # bytes that tell what a file is
INDEXES = ("model.safetensors.index.json", "pytorch_model.bin.index.json")
FOREIGN = {
    b"\x89HDF\r\n\x1a\n": "is HDF5, as Keras writes it, which is not read; save its arrays as "
    ".npz or safetensors",
    b"\x93NUMPY": "is a single array; numpy.savez writes several by their names",
    b"GGUF": "is GGUF, which is not read; give the checkpoint that it was made from",
    b"\x1f\x8b": "is compressed by gzip; unpack it first",
    b"BZh": "is compressed by bzip2; unpack it first",
    b"\xfd7zXZ": "is compressed by xz; unpack it first",
    b"\x28\xb5\x2f\xfd": "is compressed by zstd; unpack it first",
}
"""What is said of files of other kinds, by how they begin."""
LFS = b"version https://git-lfs"
ZIP = b"PK\x03\x04"
PROTOCOLS = tuple(bytes([0x80, protocol]) for protocol in range(2, 6))
OLD_PICKLES = (b"(d", b"}q", b"}(", b"(lp", b"]q", b"ccollections")
JIT = "constants.pkl"
EXPORTED = ("archive_format", "serialized_exported_program.json")


def names_and_shapes(
    file: str | os.PathLike[str], key: str | None = None
) -> dict[str, Stored]:
    """The state dict in a file, by its names; of the values nothing is read.

    `key` says which, where a file has several under different keys. Raises WeightsError.
    """
    return opened(file, key).tensors


def opened(file: str | os.PathLike[str], key: str | None = None) -> Unwrapped:
    """The same with the keys that it lay under."""
    return unwrapped(contents(file), f"{os.fspath(file)} is ", key)


def is_of_weights(file: str | os.PathLike[str]) -> bool:
    """Whether a path means weights, by its name or by how the file begins."""
    path = Path(file)
    if path.suffix in SUFFIXES:
        return True
    try:
        with path.open("rb") as opened:
            start = opened.read(START)
    except OSError:
        return False
    known = (ZIP, torch_file.LEGACY, *PROTOCOLS, *FOREIGN)
    return start.startswith(known) or is_safetensors(start)


def contents(file: str | os.PathLike[str]) -> Mapping[Any, Any]:
    """What a file holds: tensors by name, as Stored, or mappings of those among other things.

    Takes safetensors, alone or by the index of their shards, files of torch.save, pickles of
    numpy's arrays, and .npz. Raises WeightsError, one line, for any other, and for what is
    damaged or could run code.
    """
    path = Path(file)
    try:
        found = _contents(path)
    except Refusal as refusal:
        raise WeightsError(f"{path} {refusal}") from None
    except OSError as error:
        reason = error.strerror or "No such file or directory"
        raise WeightsError(f"{path} cannot be read, {reason}") from None
    except (
        Exception
    ) as error:  # whatever bytes that are none of its own make of a reader
        raise WeightsError(f"{path} is damaged ({type(error).__name__})") from None
    if not isinstance(found, Mapping):
        kind = "tensor" if isinstance(found, Stored) else type(found).__name__
        raise WeightsError(f"{path} holds no state dict, but a {kind}")
    if not found:
        raise WeightsError(f"{path} holds no tensors")
    return found


def _contents(path: Path) -> Any:
    if path.is_dir():
        raise Refusal(f"is a folder{_within(path)}")
    if path.exists() and not path.is_file():
        raise Refusal("is no file")
    refuse_one_of_several(path)
    if path.suffix == ".json":
        return _by_index(path)
    return _whole(path)


def _within(folder: Path) -> str:
    known = (*INDEXES, "model.safetensors", "pytorch_model.bin")
    there = [name for name in known if (folder / name).is_file()]
    return f"; give its {there[0]}" if there else "; give a file in it"


def _by_index(path: Path) -> dict[str, Stored]:
    try:
        found = json.loads(path.read_bytes())
    except (ValueError, RecursionError):
        raise _foreign(path.read_bytes()[:START]) from None
    if not isinstance(found, dict) or "weight_map" not in found:
        raise Refusal(
            "is JSON and no index of weights; the weights are in another file"
        )
    return indexed(found, path.parent, _whole)


def _whole(path: Path) -> Any:
    """What one file holds, not asking whether it is a part of several."""
    with path.open("rb") as file:
        start = file.read(START)
        if not start:
            raise Refusal("is empty")
        return _reader(path, start)(mmap(file.fileno(), 0, access=ACCESS_COPY))


def _reader(path: Path, start: bytes) -> Callable[[mmap], Any]:
    """What reads a file that begins so."""
    if start.startswith(ZIP):
        return lambda data: _zipped(path, data)
    if start.startswith(torch_file.LEGACY):
        return torch_file.legacy
    if is_safetensors(start):
        return safetensors
    if start.startswith((*PROTOCOLS, *OLD_PICKLES)):
        return numpy_file.arrays
    raise _foreign(start)


def _foreign(start: bytes) -> Refusal:
    """What is said of a file that begins so, by what it seems to be."""
    for begin, said in FOREIGN.items():
        if start.startswith(begin):
            return Refusal(said)
    text = start.lstrip(b"\xef\xbb\xbf \t\r\n")
    if start.startswith(LFS):
        return Refusal(
            "is a pointer of git-LFS, not the file itself; git lfs pull fetches it"
        )
    if text[:1] == b"<":
        return Refusal(
            "is a web page, not weights; what was asked for was not downloaded"
        )
    if text[:1] in (b"{", b"["):
        return Refusal("is JSON, not weights; an index of shards is called .index.json")
    if start[257:262] == b"ustar":
        return Refusal("is a tar archive; unpack it first")
    return Refusal("is no file of tensors that is known here")


def _zipped(path: Path, data: mmap) -> Any:
    try:
        archive = ZipFile(path)
    except (BadZipFile, ValueError, NotImplementedError):
        raise Refusal("is cut short: it is a zip without an end") from None
    names = [name.rpartition("/")[2] for name in archive.namelist()]
    if JIT in names:
        raise Refusal(
            "is TorchScript, a program with its weights; torch.jit.load(FILE).state_dict() has "
            "them"
        )
    if any(name in EXPORTED for name in names):
        raise Refusal(
            "is a program of torch.export; torch.export.load(FILE).state_dict has its weights"
        )
    if "model.weights.h5" in names:
        raise Refusal(
            "is Keras's, which is not read; save its arrays as .npz or safetensors"
        )
    if names.count("data.pkl") == 1:
        return torch_file.zipped(data, archive)
    if names and all(name.endswith(".npy") for name in names):
        return numpy_file.npz(archive)
    raise Refusal("is a zip of other things than tensors")
