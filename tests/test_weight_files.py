"""Files of tensors of every kind, broken ones and foreign ones: read, or refused in a line."""

import ast
import io
import json
import pickle
import re
import struct
import subprocess
import sys
import time
import tracemalloc
import zipfile
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file
from timm.models import adapt_input_conv
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from resnet_spec import build_model, load_weights
from resnet_spec.weights.files import names_and_shapes
from resnet_spec.weights.files.pickles import plain
from resnet_spec.weights.loading import WeightsError
from resnet_spec.weights.surgery import adapted, pixels_in_depth

NET = "cifar/resnet20"
Tensors = dict[str, Tensor]
Write = Callable[[Tensors, Path], object]


@pytest.fixture(scope="module")
def weights() -> Tensors:
    """A state dict without a zero or a one that something could hide behind."""
    torch.manual_seed(0)
    made = build_model(NET).state_dict()
    for name, tensor in made.items():
        if tensor.ndim == 1:
            tensor.uniform_(0.5, 1.5)
        if name.endswith("num_batches_tracked"):
            tensor.fill_(7)
    return made


@pytest.fixture
def model() -> nn.Module:
    return build_model(NET, init=False)


@pytest.fixture(scope="module")
def untouched() -> dict[str, nn.Module]:
    """Models by device, for what leaves them as they were."""
    return {device: build_model(NET, device=device) for device in ("cpu", "meta")}


# --- kinds of files -----------------------------------------------------------------------


def arrays(weights: Tensors) -> dict[str, np.ndarray]:
    """Every other one as Fortran has it."""
    found = {name: tensor.numpy() for name, tensor in weights.items()}
    return {
        name: np.asfortranarray(array) if i % 2 and array.ndim > 1 else array
        for i, (name, array) in enumerate(found.items())
    }


def pickled(protocol: int) -> Write:
    def write(weights: Tensors, file: Path) -> None:
        made = {"model": arrays(weights), "__author__": "who", "epoch": np.float64(3)}
        file.write_bytes(pickle.dumps(made, protocol))

    return write


def of_python_2(weights: Tensors, file: Path) -> None:
    """As detectron's files are: its names of numpy, and bytes as strings."""
    text = pickle.dumps({"blobs": arrays(weights)}, 2)
    file.write_bytes(text.replace(b"numpy._core", b"numpy.core"))


def sharded(weights: Tensors, file: Path) -> None:
    """The index, beside three shards."""
    names, folder, table = [*weights], file.parent, {}
    for i in range(3):
        name = f"model-0000{i + 1}-of-00003.safetensors"
        save_file({n: weights[n] for n in names[i::3]}, folder / name)
        table |= dict.fromkeys(names[i::3], name)
    file.write_text(json.dumps({"metadata": {}, "weight_map": table}))


def sharing(weights: Tensors, file: Path) -> None:
    """Parameters, views of one storage, and tensors that are not contiguous."""
    both = torch.stack([weights["bn1.weight"], weights["bn1.bias"]], 1)
    made: dict[str, Any] = {
        n: nn.Parameter(t, requires_grad=False) for n, t in weights.items()
    }
    made |= {"bn1.weight": both[:, 0], "bn1.bias": both[:, 1]}
    made["fc.weight"] = weights["fc.weight"].t().contiguous().t()
    torch.save(
        {"state_dict": OrderedDict(made), "epoch": 3, "best": np.float64(0.5)}, file
    )


KINDS: dict[str, Write] = {
    "a.safetensors": save_file,
    "a.pth": torch.save,
    "a.ckpt": sharing,
    "legacy.bin": lambda w, f: torch.save(w, f, _use_new_zipfile_serialization=False),
    "shared.pt": lambda w, f: (
        sharing(w, f),
        torch.save(
            torch.load(f, weights_only=False), f, _use_new_zipfile_serialization=False
        ),
    ),
    "a.safetensors.index.json": sharded,
    "a.npz": lambda w, f: np.savez(f, **arrays(w)),
    "compressed.npz": lambda w, f: np.savez_compressed(f, **arrays(w)),
    "python2.pkl": of_python_2,
    **{f"{protocol}.pkl": pickled(protocol) for protocol in range(2, 6)},
}


@pytest.mark.parametrize("name", KINDS)
def test_every_kind_of_file_gives_the_same_tensors(
    name: str, weights: Tensors, model: nn.Module, tmp_path: Path
) -> None:
    file = tmp_path / name
    KINDS[name](weights, file)
    found = names_and_shapes(file)
    told = {n: (t.shape, f"torch.{t.dtype}") for n, t in found.items()}
    assert told == {n: (tuple(t.shape), str(t.dtype)) for n, t in weights.items()}
    load_weights(model, file)
    for each, tensor in model.state_dict().items():
        assert torch.equal(tensor, weights[each]), each
    empty = build_model(NET, device="meta")
    load_weights(empty, file)
    assert all(torch.equal(t, weights[n]) for n, t in empty.state_dict().items())


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
@pytest.mark.parametrize("name", ["a.safetensors", "a.pth"])
def test_other_precisions_are_cast_and_stay_on_meta(
    name: str, dtype: torch.dtype, weights: Tensors, model: nn.Module, tmp_path: Path
) -> None:
    """Counts of batches that were cast with the rest are integers again."""
    cast = {n: t.to(dtype) for n, t in weights.items()}
    KINDS[name](cast, tmp_path / name)
    load_weights(model, tmp_path / name)
    empty = build_model(NET, device="meta")
    load_weights(empty, tmp_path / name)
    for each, tensor in model.state_dict().items():
        assert torch.equal(tensor, cast[each].to(tensor.dtype))
        count = each.endswith("num_batches_tracked")
        assert empty.state_dict()[each].dtype == (torch.long if count else dtype)


def test_a_model_does_not_change_with_a_file_of_torch(
    weights: Tensors, tmp_path: Path
) -> None:
    file = tmp_path / "a.pth"
    torch.save(weights, file)
    empty = build_model(NET, device="meta")
    load_weights(empty, file)
    file.write_bytes(bytes(file.stat().st_size))
    assert all(torch.equal(t, weights[n]) for n, t in empty.state_dict().items())


# --- broken files, and files of other things ----------------------------------------------


class Trap:
    """What a hostile file would have made."""

    def __reduce__(self) -> tuple[Callable[..., None], tuple[str]]:
        return (pytest.fail, ("the file ran code",))


def header(entries: object, *, length: int | None = None, rest: bytes = b"") -> bytes:
    text = json.dumps(entries).encode()
    return struct.pack("<Q", len(text) if length is None else length) + text + rest


def entry(shape: list[int], start: int, stop: int, dtype: str = "F32") -> object:
    return {
        "conv1.weight": {"dtype": dtype, "shape": shape, "data_offsets": [start, stop]}
    }


def zipped(**files: bytes) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name, data in files.items():
            archive.writestr(name.replace("__", "/").replace("_dot_", "."), data)
    return made.getvalue()


def saved(value: object, **how: Any) -> bytes:
    made = io.BytesIO()
    torch.save(value, made, **how)
    return made.getvalue()


def array_header(shape: str, descr: str = "'<f4'") -> bytes:
    text = f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}}}".encode()
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text


def deflated(archive: bytes) -> bytes:
    """The same files, compressed."""
    made = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(archive)) as old,
        zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for info in old.infolist():
            new.writestr(info.filename, old.read(info))
    return made.getvalue()


HUGE = 40 * 10**9
REFUSED: dict[str, tuple[bytes, str]] = {
    "empty.pth": (b"", "is empty"),
    "page.pth": (b"\n<!DOCTYPE html><html>Not Found", "is a web page, not weights"),
    "lfs.safetensors": (
        b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n",
        "is a pointer of git-LFS, not the file itself; git lfs pull fetches it",
    ),
    "keras.h5": (b"\x89HDF\r\n\x1a\n" + bytes(99), "is HDF5, as Keras writes it"),
    "a.keras": (zipped(model_dot_weights_dot_h5=b""), "is Keras's"),
    "script.pt": (
        zipped(a__data_dot_pkl=b"", a__constants_dot_pkl=b""),
        "is TorchScript",
    ),
    "a.pt2": (zipped(a__archive_format=b"pt2"), "is a program of torch.export"),
    "other.zip": (zipped(readme=b"hello"), "is a zip of other things than tensors"),
    "config.json": (b'{"model_type": "resnet"}', "is JSON and no index of weights"),
    "renamed.bin": (b'{"weight_map": {}}', "is JSON, not weights"),
    "page.json": (b"<html>", "is a web page, not weights"),
    "away.json": (
        b'{"weight_map": {"a": "gone.safetensors"}}',
        "names gone.safetensors, which is not there",
    ),
    "above.json": (
        b'{"weight_map": {"a": "../x"}}',
        "names ../x, which is not beside it",
    ),
    "a-00002-of-00003.safetensors": (
        header({}),
        "is one of 3 shards; give their a.safetensors.index.json, which is not beside it",
    ),
    "packed.pth.gz": (
        b"\x1f\x8b" + bytes(99),
        "is compressed by gzip; unpack it first",
    ),
    "single.npy": (array_header("(2,)") + bytes(8), "is a single array"),
    "text.pth": (b"no weights", "is no file of tensors that is known here"),
    "code.pth": (saved({"conv1.weight": Trap()}), "holds _pytest.outcomes._Fail"),
    "code.bin": (
        saved({"a": Trap()}, _use_new_zipfile_serialization=False),
        "holds _pytest.outcomes._Fail, which is no tensor and could run code",
    ),
    "code.pkl": (pickle.dumps({"conv1_w": Trap()}), "holds _pytest.outcomes._Fail"),
    "objects.pkl": (
        pickle.dumps({"a": np.array([Trap()], dtype=object)}),
        "holds _pytest.outcomes._Fail",
    ),
    "memo.pkl": (b"\x80\x02}r\xff\xff\xff\x7f" + b".", "holds no tensors"),
    "long.pkl": (b"\x80\x04\x8d" + struct.pack("<Q", HUGE) + b"a.", "is cut short"),
    "bytes.pkl": (b"\x80\x05\x96" + struct.pack("<Q", HUGE) + b"a.", "is cut short"),
    "list.pkl": (pickle.dumps([1, 2]), "holds no state dict, but a list"),
    "tensor.pth": (saved(torch.ones(2)), "holds no state dict, but a tensor"),
    "cut.pth": (saved({"a": torch.ones(99)})[:-200], "is cut short"),
    "cut.bin": (
        saved({"a": torch.ones(99)}, _use_new_zipfile_serialization=False)[:-200],
        "is cut short: it tells of 396 bytes, and has 196",
    ),
    "sparse.pth": (saved({"a": torch.eye(2).to_sparse()}), "has sparse tensors"),
    "meta.pth": (
        saved({"a": torch.ones(2, device="meta")}),
        "has tensors of the meta device",
    ),
    "huge.safetensors": (
        header(entry([10**10], 0, HUGE)),
        "is cut short: it tells of 40,000,000,",
    ),
    "long.safetensors": (
        header({}, length=HUGE),
        "is cut short: it tells of 40,000,000,008",
    ),
    "shape.safetensors": (header(entry([9], 0, 4), rest=bytes(4)), "is damaged"),
    "negative.safetensors": (header(entry([1], 8, 4), rest=bytes(9)), "is damaged"),
    "overflow.safetensors": (header(entry([10**30], 0, 4 * 10**30)), "is cut short: "),
    "minus.safetensors": (header(entry([-1, -1], 0, 4), rest=bytes(4)), "is damaged: "),
    "float.safetensors": (header(entry([1.5], 0, 6), rest=bytes(6)), "is damaged: "),  # type: ignore[list-item]
    "nested.safetensors": (
        struct.pack("<Q", 9**5) + b'{"a":' + b"[" * 9**5,
        "is damaged",
    ),
    "type.safetensors": (
        header(entry([2], 0, 1, "F4"), rest=b"1"),
        "has numbers of the",
    ),
    "deep.pkl": (
        b"\x80\x04" + b"(" * 10**4 + b"t" * 10**4 + b".",
        "holds no state dict",
    ),
    "nested.pkl": (
        b"\x80\x04" + b"}X\x01\x00\x00\x00a" * 2000 + b"N" + b"s" * 2000 + b".",
        "is damaged (RecursionError)",
    ),
    "call.pkl": (
        b"\x80\x02cos\nsystem\n(X\x04\x00\x00\x00trueo.",
        "holds os.system, which is no tensor and could run code",
    ),
    "deflated.pth": (deflated(saved({"a": torch.ones(3)})), "is compressed, as torch"),
    "two.pth": (zipped(a__data_dot_pkl=b"", b__data_dot_pkl=b""), "is a zip of other"),
    "module.pth": (saved(nn.Linear(2, 2)), "holds torch.nn.modules.linear.Linear"),
    "text.safetensors": (header("") + b"{", "is no file of tensors"),
    "huge.npz": (zipped(a_dot_npy=array_header("(10000000000,)")), "is damaged"),
    "object.npz": (
        zipped(a_dot_npy=array_header("(1,)", "'|O'") + b"x"),
        "has arrays of objects, which could run code",
    ),
    "code.npz": (
        zipped(a_dot_npy=array_header("exit()")),
        "is damaged: a.npy is no array",
    ),
    "big.npz": (
        zipped(a_dot_npy=array_header("(1,)", "'>f4'") + bytes(4)),
        "has numbers in big-endian order",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_file_that_is_not_read_is_one_line(
    name: str, untouched: dict[str, nn.Module], tmp_path: Path
) -> None:
    data, said = REFUSED[name]
    file = tmp_path / name
    file.write_bytes(data)
    model = untouched["cpu"]
    before = {n: t.clone() for n, t in model.state_dict().items()}
    tracemalloc.start()
    try:
        with pytest.raises(WeightsError) as caught:
            names_and_shapes(file)
        assert tracemalloc.get_traced_memory()[1] < 2**21
    finally:
        tracemalloc.stop()
    text = str(caught.value)
    assert text.startswith(f"{file} {said}")
    assert "\n" not in text
    with pytest.raises(WeightsError, match=re.escape(text)):
        load_weights(model, file)
    assert all(torch.equal(t, before[n]) for n, t in model.state_dict().items())


def test_a_mapping_that_has_itself_and_names_of_anything(
    weights: Tensors, model: nn.Module, tmp_path: Path
) -> None:
    """No search without an end, and no line that a name of a file breaks."""
    itself: dict[str, Any] = {**weights}
    itself["state_dict"] = itself
    torch.save(itself, tmp_path / "a.pth")
    with pytest.raises(WeightsError, match="'state_dict' is no tensor"):
        load_weights(model, tmp_path / "a.pth")
    for name, said in (("a\n\x1b[31m", r"a\n\x1b[31m"), ("x" * 10**6, "x" * 99)):
        save_file({name: torch.ones(1)}, tmp_path / "b.safetensors")
        with pytest.raises(WeightsError, match=re.escape(said)) as caught:
            load_weights(model, tmp_path / "b.safetensors")
        assert len(str(caught.value)) < 400
        assert str(caught.value).isprintable()


def test_a_folder_says_which_file(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="is a folder; give a file in it"):
        names_and_shapes(tmp_path)
    (tmp_path / "model.safetensors").touch()
    with pytest.raises(WeightsError, match=r"is a folder; give its model\.safetensors"):
        names_and_shapes(tmp_path)


def test_a_bomb_is_not_unpacked(tmp_path: Path) -> None:
    """10 MB of zeros in 10 kB of .npz: the shape is not the network's, so none is read."""
    file = tmp_path / "bomb.npz"
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        data = array_header("(2500000,)") + bytes(10**7)
        archive.writestr("conv1.weight.npy", data)
    tracemalloc.start()
    with pytest.raises(WeightsError, match="not this network's"):
        load_weights(build_model(NET), file)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 5 * 10**6


PLAIN = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text()
    | st.binary().map(bytearray),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.tuples(inner, inner)
        | st.dictionaries(st.text() | st.integers(), inner, max_size=4)
    ),
    max_leaves=20,
)


@settings(max_examples=60, deadline=None)
@given(PLAIN, st.sampled_from([0, 1, 2, 3, 4, 5]))
def test_plain_data_is_what_pickle_says(value: Any, protocol: int) -> None:
    if protocol < 5:  # has no bytearrays but as calls
        value = repr(value) if b"bytearray" in pickle.dumps(value, protocol) else value
    assert plain(io.BytesIO(pickle.dumps(value, protocol)), {}) == value


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_a_file_with_other_bytes_is_read_or_refused(data: Any) -> None:
    kind = data.draw(st.sampled_from([*MUTANTS]))
    text = bytearray(MUTANTS[kind])
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(text) - 1))
        text[at : at + 1] = data.draw(st.binary(max_size=2))
        text = text or bytearray(b"?")
    file = MUTANT_FOLDER / "mutant"
    file.write_bytes(text)
    said = ""
    try:
        names_and_shapes(file)
        load_weights(nn.Linear(2, 2), file)
    except WeightsError as error:
        said = str(error)
    assert not said or re.match(f"{re.escape(str(file))} |the weights |nothing ", said)


def _mutants() -> dict[str, bytes]:
    tensors = {"weight": torch.ones(2, 2), "bias": torch.ones(2)}
    plain_arrays = {n: t.numpy() for n, t in tensors.items()}
    file = io.BytesIO()
    np.savez(file, **plain_arrays)
    from safetensors.torch import save

    return {
        "safetensors": save(tensors),
        "torch": saved(tensors),
        "legacy": saved(tensors, _use_new_zipfile_serialization=False),
        "npz": file.getvalue(),
        "pickle": pickle.dumps(plain_arrays),
    }


MUTANTS = _mutants()


@pytest.fixture(autouse=True, scope="module")
def _folder(tmp_path_factory: pytest.TempPathFactory) -> None:
    global MUTANT_FOLDER  # Hypothesis allows no fixture of a function
    MUTANT_FOLDER = tmp_path_factory.mktemp("mutants")


MUTANT_FOLDER: Path


# --- what is in the file ------------------------------------------------------------------


def without(*names: str) -> Callable[[Tensors], Tensors]:
    return lambda w: {n: t for n, t in w.items() if n not in names}


def real(change: Callable[[Tensor], Tensor]) -> Callable[[Tensors], Tensors]:
    return lambda w: {
        n: change(t) if t.is_floating_point() else t for n, t in w.items()
    }


def convolutions(change: Callable[[Tensor], Tensor]) -> Callable[[Tensors], Tensors]:
    return lambda w: {n: change(t) if t.ndim == 4 else t for n, t in w.items()}


def quantized(tensor: Tensor) -> Tensor:
    return torch.quantize_per_tensor(tensor, 0.1, 0, torch.qint8)


FOREIGN: dict[str, tuple[Callable[[Tensors], Any], str]] = {
    "a ViT": (
        lambda _: {f"blocks.{i}.attn.qkv.weight": torch.ones(9, 3) for i in range(12)},
        "network's: no naming has such names, as blocks.0.attn.qkv.weight",
    ),
    "three missing": (
        without("layer1.0.conv1.weight", "layer2.0.bn1.bias", "fc.bias"),
        "3 missing, layer1.0.conv1.weight, layer2.0.bn1.bias, fc.bias",
    ),
    "1-D": (
        convolutions(lambda t: t[..., 0]),
        "convolutions are 1-D in the file",
    ),
    "3-D": (convolutions(lambda t: t[..., None]), "convolutions are 3-D in the file"),
    "quantized": (real(quantized), "the weights are quantized: conv1.weight is qint8"),
    "int8": (
        real(lambda t: t.to(torch.int8)),
        "the weights are quantized: conv1.weight is int8, bn1.weight is int8",
    ),
    "int64": (real(lambda t: t.long()), "no real numbers: conv1.weight is int64"),
    "bool": (real(lambda t: t.bool()), "no real numbers: conv1.weight is bool"),
    "complex": (
        real(lambda t: t.to(torch.complex64)),
        "no real numbers: conv1.weight is complex64",
    ),
    "two networks": (
        lambda w: {
            f"{e}.{n}": t for e in ("encoder_q", "encoder_k") for n, t in w.items()
        },
        "there are 2 such networks, below encoder_q, which is mostly wanted",
    ),
    "teacher and student": (
        lambda w: {"student": w, "teacher": dict(w), "epoch": 3},
        "has several, 'student', 'teacher': key='teacher' takes that one",
    ),
    "quantized modules": (
        lambda w: {**w, "fc._packed_params.dtype": torch.qint8},
        "quantized; load those of the float network",
    ),
    "another head": (
        lambda w: (
            without("fc.weight", "fc.bias")(w)
            | {f"fc.{i}.weight": torch.ones(9, 64) for i in (0, 2)}
        ),
        "all fits but the classifier, which is missing: ignore=['fc']",
    ),
    "no tensors": (
        lambda _: {"state_dict": {}, "epoch": 3},
        "'state_dict' is no tensor",
    ),
    "another classifier": (
        lambda w: w | {"fc.weight": torch.ones(7, 64), "fc.bias": torch.ones(7)},
        "but the classifier, 7 classes in the file, 10 here: ignore=['fc']",
    ),
    "a transposed classifier": (
        lambda w: w | {"fc.weight": w["fc.weight"].t()},
        "the classifier, transposed in the file, as Keras keeps it: ignore=['fc']",
    ),
    "another stem": (
        lambda w: w | {"conv1.weight": torch.ones(16, 3, 7, 7)},
        "but the stem, 7 x 7 in the file, 3 x 3 here: ignore=['conv1']",
    ),
    "gray pictures": (
        lambda w: w | {"conv1.weight": torch.ones(16, 1, 3, 3)},
        "conv1, 1 input channel in the file, 3 here: ignore=['conv1'], or channels_by='sum'",
    ),
}


@pytest.mark.filterwarnings("ignore:torch.quantize_per_tensor")
@pytest.mark.parametrize("kind", FOREIGN)
@pytest.mark.parametrize("device", ["cpu", "meta"])
def test_weights_of_something_else_change_nothing(
    kind: str,
    device: str,
    weights: Tensors,
    untouched: dict[str, nn.Module],
    tmp_path: Path,
) -> None:
    change, said = FOREIGN[kind]
    model = untouched[device]
    before = {n: t.clone() for n, t in model.state_dict().items()}
    file = tmp_path / "a.pth"
    torch.save(change(weights), file)
    for source in (file, change(weights)):
        with pytest.raises(WeightsError) as caught:
            load_weights(model, source)
        assert said in str(caught.value)
        assert "naming=" not in str(caught.value)
        assert "\n" not in str(caught.value)
    for name, tensor in model.state_dict().items():
        assert tensor.is_meta == (device == "meta")
        assert tensor.is_meta or torch.equal(tensor, before[name])


@pytest.mark.parametrize("top", ["", "module.encoder."])
def test_what_a_refusal_proposes_loads(
    top: str, weights: Tensors, model: nn.Module
) -> None:
    """Left out is what it says, and no more; channels are made to fit."""
    longer = build_model(NET.replace("20", "32"), init=False).state_dict()
    kinds = (
        "another head",
        "another classifier",
        "a transposed classifier",
        "another stem",
        "gray pictures",
    )
    files = [FOREIGN[kind][0](weights) for kind in kinds]
    files += [
        {n: t for n, t in weights.items() if not n.startswith("bn1.")},
        {n: t for n, t in weights.items() if "running" not in n},
        FOREIGN["gray pictures"][0](files[1]),
        weights | {f"layer4.{i}.conv1.weight": torch.ones(9) for i in range(3)},
        weights | {"layer1.0.se.weight": torch.ones(9)},
    ]
    for file in files:
        file = {f"{top}{name}": tensor for name, tensor in file.items()}
        with pytest.raises(WeightsError) as caught:
            load_weights(model, file)
        (ignore,) = re.findall(r"ignore=(\[.*?\])", str(caught.value))
        done = load_weights(model, file, ignore=ast.literal_eval(ignore))
        assert done.tensors >= len(weights) - 42  # statistics, of 21 norms
        for rule in re.findall(r"channels_by='(\w+)'", str(caught.value)):
            left = [each for each in ast.literal_eval(ignore) if each != "conv1"]
            load_weights(model, file, ignore=left, channels_by=rule)
    with pytest.raises(WeightsError, match=r"depths 5-5-5 in the file, 3-3-3 here$"):
        load_weights(model, longer)


FOUND: dict[str, tuple[Callable[[Tensors], Any], dict[str, Any], str]] = {
    "DDP of EMA of Lightning": (
        lambda w: {
            "state_dict": {f"model.module.ema.{n}": t for n, t in w.items()},
            "epoch": 3,
        },
        {},
        "116 tensors from state_dict, below model.module.ema",
    ),
    "an average beside": (
        lambda w: {"state_dict": w, "state_dict_ema": {n: t + 1 for n, t in w.items()}},
        {},
        "116 tensors from state_dict; not from state_dict_ema",
    ),
    "the teacher": (
        lambda w: {"student": {n: t + 1 for n, t in w.items()}, "teacher": w},
        {"key": "teacher"},
        "116 tensors from teacher; not from student",
    ),
    "the query": (
        lambda w: {
            f"module.{e}.{n}": t + (e == "k") for e in "qk" for n, t in w.items()
        },
        {"prefix": "module.q"},
        "116 tensors, below module.q; 116 elsewhere left out",
    ),
    "a tutorial's": (
        lambda w: {re.sub("^fc", "linear", n): t for n, t in w.items()},
        {},
        "116 tensors as kuangliu names them",
    ),
    "dropout before the classifier": (
        lambda w: {re.sub(r"^fc", "fc.1", n): t for n, t in w.items()},
        {},
        "116 tensors; fc is fc.1 there",
    ),
}


@pytest.mark.filterwarnings("ignore:akamaster's own shortcuts")
@pytest.mark.parametrize("kind", FOUND)
def test_what_is_found_is_said(kind: str, weights: Tensors, model: nn.Module) -> None:
    change, choices, said = FOUND[kind]
    assert str(load_weights(model, change(weights), **choices)) == said
    assert all(torch.equal(t, weights[n]) for n, t in model.state_dict().items())


def test_choices_that_there_are_not(weights: Tensors, model: nn.Module) -> None:
    for choices, said in (
        ({"prefix": "backbone"}, "no name begins with backbone."),
        ({"key": "ema"}, "without a state dict under 'ema'"),
        ({"folded": "yes"}, "folded must be identity, got yes"),
        ({"folded": "identity"}, "folded='identity', and no norms were folded there"),
        (
            {"channels_by": "max"},
            "channels_by must be one of sum, mean, repeat, first, got max",
        ),
        ({"ignore": ["fcc"]}, "no tensor is 'fcc' or lies in it (did you mean fc?)"),
        (
            {"ignore": ["conv1", "bn1", "layer1", "layer2", "layer3", "fc"]},
            "nothing is left",
        ),
    ):
        with pytest.raises(WeightsError, match=re.escape(said)):
            load_weights(model, weights, **choices)  # type: ignore[arg-type]


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_numbers_that_are_not_finite_are_warned_of(
    value: float, weights: Tensors, model: nn.Module
) -> None:
    broken = {n: t.clone() for n, t in weights.items()}
    broken["layer2.0.conv1.weight"][0, 0, 0, 0] = value
    with pytest.warns(
        UserWarning, match=r"1 tensors? .*not finite: layer2\.0\.conv1\.weight"
    ):
        load_weights(model, broken)
    large = {n: t.clone() for n, t in weights.items()}
    large["fc.weight"].fill_(3e38)  # whose sum is infinite
    load_weights(model, large)


# --- surgery ------------------------------------------------------------------------------


@pytest.mark.parametrize("fused", [False, True], ids=["plain", "as fuse_modules"])
def test_folded_norms_are_identities(
    fused: bool, weights: Tensors, model: nn.Module
) -> None:
    """torch folds them; outputs are equal to rounding."""
    load_weights(model, weights)
    folded = {}
    for name, module in model.eval().named_modules():
        if isinstance(module, nn.Conv2d):
            container, _, last = name.rpartition(".")
            norm = last.replace("conv", "bn")
            if last == "0":
                norm = "1"
            behind = model.get_submodule(f"{container}.{norm}".lstrip("."))
            whole = fuse_conv_bn_eval(module, behind)
            path = f"{name}.0" if fused else name
            folded |= {f"{path}.{n}": t for n, t in whole.state_dict().items()}
    folded |= {n: t for n, t in weights.items() if n.startswith("fc.")}
    ours = build_model(NET).eval()
    with pytest.raises(
        WeightsError, match="the weights have no norms, which were folded"
    ):
        load_weights(ours, folded)
    done = load_weights(ours, folded, folded="identity")
    assert "folded norms are identities" in str(done)
    images = torch.randn(2, 3, 32, 32)
    expected = model(images)
    assert (ours(images) - expected).abs().max() < 1e-5 * expected.abs().max()


@pytest.mark.parametrize("channels", [1, 2, 4, 6, 7])
def test_input_channels_are_adapted_as_timm_does(
    channels: int, weights: Tensors
) -> None:
    ours = build_model(NET, channels=channels, weights=weights)
    expected = adapt_input_conv(channels, weights["conv1.weight"])
    assert torch.equal(ours.conv1.weight, expected)
    rule = "sum" if channels == 1 else "repeat"
    assert ours.loaded == f"116 tensors; 3 input channels made {channels} by {rule}"
    assert torch.equal(ours.fc.weight, weights["fc.weight"])
    assert ours(torch.randn(2, channels, 32, 32)).shape == (2, 10)


def test_other_rules_for_input_channels(weights: Tensors) -> None:
    """On gray pictures `sum` gives what the file's network gives; `first` ignores a fourth."""
    whole = build_model(NET, weights=weights).eval()
    images = torch.randn(2, 3, 32, 32)
    gray = images[:, :1]
    summed = build_model(NET, channels=5, weights=weights, channels_by="sum").eval()
    same = summed(gray.expand(-1, 5, -1, -1)), whole(gray.expand(-1, 3, -1, -1))
    torch.testing.assert_close(*same, rtol=1e-4, atol=1e-4)
    first = build_model(NET, channels=4, weights=weights, channels_by="first").eval()
    torch.testing.assert_close(first(torch.cat([images, gray], 1)), whole(images))
    mean = build_model(NET, channels=1, weights=weights, channels_by="mean")
    expected = weights["conv1.weight"].mean(1, keepdim=True)
    torch.testing.assert_close(mean.conv1.weight.detach(), expected)


def test_a_stem_that_reads_squares_of_pixels() -> None:
    assert pixels_in_depth(build_model("tresnet_m", device="meta")) == 16
    weight = torch.randn(64, 48, 3, 3)
    assert torch.equal(adapted(weight, 16, "sum", 16), adapt_input_conv(1, weight))


def test_a_new_head_and_a_trunk(weights: Tensors, tmp_path: Path) -> None:
    torch.manual_seed(0)
    ours = build_model(NET, num_classes=7, weights=weights)
    torch.manual_seed(0)
    fresh = build_model(NET, num_classes=7)
    assert ours.loaded == "114 tensors; fc left out, 10 x 64 there; 2 start afresh"
    assert torch.equal(ours.fc.weight, fresh.fc.weight)
    assert torch.equal(ours.conv1.weight, weights["conv1.weight"])
    same = build_model(NET, num_classes=10, weights=weights)
    assert torch.equal(same.fc.weight, weights["fc.weight"])
    with pytest.raises(WeightsError, match="10 classes in the file, 7 here"):
        load_weights(fresh, weights)
    file = tmp_path / "a.safetensors"
    save_file(weights, file)
    for whole in (weights, file, {n: t for n, t in weights.items() if n[:3] != "fc."}):
        trunk = build_model(NET, features=["stem", "layer2"], weights=whole)
        found = trunk.state_dict()
        assert all(torch.equal(t, weights[n]) for n, t in found.items())
        assert not any(n.startswith(("layer3", "fc")) for n in found)
    load_weights(build_model(NET, features=[3]), weights, ignore=["fc"])
    with pytest.raises(
        ValueError, match="naming is that of weights, and there are none"
    ):
        build_model(NET, naming="timm")


# --- cost ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """ResNet-152, all zeros: a header, and 240 MB that no disk holds."""
    codes, at, entries = {"float32": ("F32", 4), "int64": ("I64", 8)}, 0, {}
    for name, tensor in build_model("resnet152", device="meta").state_dict().items():
        code, size = codes[str(tensor.dtype).removeprefix("torch.")]
        end = at + tensor.numel() * size
        entries[name] = {
            "dtype": code,
            "shape": [*tensor.shape],
            "data_offsets": [at, end],
        }
        at = end
    file = tmp_path_factory.mktemp("large") / "resnet152.safetensors"
    with file.open("wb") as out:
        out.write(header(entries))
        out.truncate(out.tell() + at)
    assert file.stat().st_size > 240e6
    return file


def test_names_and_shapes_need_no_torch(
    large: Path, weights: Tensors, tmp_path: Path
) -> None:
    for name in ("a.pth", "a.npz", "4.pkl"):
        KINDS[name](weights, tmp_path / name)
    files = [str(large), *(str(file) for file in tmp_path.iterdir())]
    script = (
        "import sys, time\n"
        "from resnet_spec.weights.files import names_and_shapes\n"
        "start = time.process_time()\n"
        "found = [len(names_and_shapes(file)) for file in sys.argv[1:]]\n"
        "assert time.process_time() - start < 0.3\n"
        "assert not {'torch', 'numpy', 'safetensors'} & {*sys.modules}\n"
        "print(*found)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, *files], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["932", "116", "116", "116"]


def test_a_pair_of_files_is_compared_by_its_bytes_without_torch(
    large: Path, tmp_path: Path
) -> None:
    """240 MB each: in 0.5 s on a quiet machine, and of their values a piece is held."""
    other = tmp_path / "other.safetensors"
    with large.open("rb") as file, other.open("wb") as out:
        start = file.read(8)
        out.write(start + file.read(int.from_bytes(start, "little")))
        out.truncate(large.stat().st_size)
    script = (
        "import sys, time, tracemalloc\n"
        "from resnet_spec.compare.checkpoints import checkpoints\n"
        "tracemalloc.start()\n"
        "start = time.process_time()\n"
        "assert checkpoints(*sys.argv[1:]).same\n"
        "assert time.process_time() - start < 3\n"
        "assert not {'torch', 'numpy', 'safetensors'} & {*sys.modules}\n"
        "assert tracemalloc.get_traced_memory()[1] < 2**24\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(large), str(other)],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr


def test_loading_costs_little_more_than_safetensors(large: Path) -> None:
    """1.15 times as much on a quiet machine; processor time, the least of two each.

    On meta as much as to take what lies in the file and to read it once, which is how what is
    not finite is found.
    """
    model = build_model("resnet152", init=False)

    def took(load: Callable[[], object]) -> float:
        start = time.process_time()
        load()
        return time.process_time() - start

    def taken(empty: nn.Module) -> None:
        empty.load_state_dict(load_file(large), assign=True)
        for tensor in empty.state_dict().values():
            tensor.sum()

    def least(load: Callable[[], object], rounds: int) -> float:
        """What a machine with other work needs is in the fastest of several rounds."""
        return min(took(load) for _ in range(rounds))

    metas = [build_model("resnet152", device="meta") for _ in range(6)]
    rounds = [
        (
            took(lambda: model.load_state_dict(load_file(large))),
            took(lambda: load_weights(model, large)),
        )
        for _ in range(8)
    ]
    theirs, ours = map(min, zip(*rounds, strict=True))
    taking = least(lambda: taken(metas.pop()), 3)
    assigning = least(lambda: load_weights(metas.pop(), large), 3)
    assert ours < 1.6 * theirs
    assert assigning < 1.6 * taking
