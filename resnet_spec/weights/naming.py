"""What other libraries call the tensors of a network, by what each tensor is: its stage, its
block, and the op in it.

Names here are torchvision's wherever torchvision has the thing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import NamedTuple, Protocol

Table = Mapping[str, str]
"""Their path for ours, or for its beginning: the longest that fits is replaced.

`*` in ours stands for its first number, which theirs has in the same place.
"""
Shapes = Mapping[str, tuple[int, ...]]
"""Tensors by path, outside of blocks or in one of them."""


class Shaped(Protocol):
    """A tensor, or what knows its shape."""

    @property
    def shape(self) -> tuple[int, ...]: ...


class Place(NamedTuple):
    """Where a tensor is: in which block of which stage, both from 0, or outside of those."""

    block: tuple[int, int] | None
    path: str


class Library(NamedTuple):
    """What a library calls things, which may depend on what there is beside them.

    `block` may have `{stage}` and `{block}`, which count from 0, and `{stage1}` and `{block1}`.
    """

    block: str = "layer{stage1}.{block}"
    inside: Callable[[Shapes], Table] = lambda _: {}
    outside: Callable[[Shapes], Table] = lambda _: {}


def names(ours: Mapping[str, Shaped], naming: str) -> dict[str, str]:
    """Their name for each of our tensors' names, all different, in our order.

    Which tensors there are and their shapes tell what kind of network it is, so their order
    does not matter. Raises KeyError for a naming that is not in NAMINGS.

    >>> from resnet_spec import load
    >>> resnet18 = dict(load("resnet18").network.tensors())
    >>> names(resnet18, "tutorial")["layer2.0.downsample.1.bias"]
    'layer2.0.shortcut.1.bias'
    """
    places = {name: _place(name) for name in ours}
    library = NAMINGS[naming]({name: tuple(t.shape) for name, t in ours.items()})
    paths: dict[tuple[int, int] | None, dict[str, tuple[int, ...]]] = defaultdict(dict)
    for name, place in places.items():
        paths[place.block][place.path] = tuple(ours[name].shape)
    tables = {
        block: (library.inside if block else library.outside)(found)
        for block, found in paths.items()
    }
    theirs = {}
    for name, (block, path) in places.items():
        path = _renamed(path, tables[block])
        theirs[name] = f"{_called(library, *block)}.{path}" if block else path
    assert len(set(theirs.values())) == len(theirs), "two tensors have one name"
    return theirs


def _place(name: str) -> Place:
    """
    >>> _place("layer2.0.conv1.weight"), _place("fc.bias")
    (Place(block=(1, 0), path='conv1.weight'), Place(block=None, path='fc.bias'))
    """
    stage, _, inside = name.partition(".")
    block, _, path = inside.partition(".")
    number = stage.removeprefix("layer")
    if number != stage and number.isdigit() and block.isdigit():
        return Place((int(number) - 1, int(block)), path)
    return Place(None, name)


def _called(library: Library, stage: int, block: int) -> str:
    return library.block.format(
        stage=stage, block=block, stage1=stage + 1, block1=block + 1
    )


def _renamed(path: str, table: Table) -> str:
    """
    >>> table = {"bn1": "norm1", "bands.*.0": "convs.*"}
    >>> _renamed("bn1.weight", table), _renamed("bands.2.0.weight", table)
    ('norm1.weight', 'convs.2.weight')
    """
    parts = path.split(".")
    number = next((part for part in parts if part.isdigit()), "")
    at = parts.index(number) if number else len(parts)
    starred = [*parts[:at], "*", *parts[at + 1 :]]
    for end in range(len(parts), 0, -1):
        for ours in (parts, starred):
            theirs = table.get(".".join(ours[:end]))
            if theirs is not None:
                return ".".join([theirs.replace("*", number), *parts[end:]])
    return path


# --- torchvision, tutorials ---------------------------------------------------------------


def torchvision(_: Shapes) -> Library:
    """torchvision 0.29: the names are its own."""
    return Library()


def torchvision_regnet(_: Shapes) -> Library:
    """torchvision 0.29's regnet.py."""
    convolutions = {
        f"{ours}{number}": f"f.{letter}.{theirs}"
        for number, letter in enumerate("abcdefghi", 1)
        for theirs, ours in enumerate(("conv", "bn"))
    }
    return Library(
        block="trunk_output.block{stage1}.block{stage1}-{block}",
        inside=lambda _: {**convolutions, "se": "f.se", "downsample": "proj"},
        outside=lambda _: {"conv1": "stem.0", "bn1": "stem.1"},
    )


def tutorial(_: Shapes) -> Library:
    """Tutorials that call it `shortcut.0`."""
    return Library(inside=lambda _: {"downsample": "shortcut"})


def kuangliu(ours: Shapes) -> Library:
    """https://github.com/kuangliu/pytorch-cifar: as tutorials, and `linear`."""
    return tutorial(ours)._replace(outside=lambda _: {"fc": "linear"})


# --- timm ---------------------------------------------------------------------------------


def timm(ours: Shapes) -> Library:
    """timm 1.0: resnet.py, res2net.py, resnest.py, sknet.py, or resnetv2.py."""
    if "layer1.0.norm1.weight" in ours and "norm1.weight" not in ours:
        return TIMM_V2
    return Library(
        inside=_timm_block,
        outside=lambda _: {
            "pool": "maxpool",
            **{f"norm{number}": f"bn{number}" for number in range(10)},
        },
    )


def _timm_block(paths: Shapes) -> Table:
    kernels = {path.split(".")[0] for path in paths if ".paths." in path}
    table = {
        "eca": "se",
        "conv2.bands.*.0": "convs.*",
        "conv2.bands.*.1": "bns.*",
        **{f"norm{number}": f"bn{number}" for number in range(10)},
    }
    # Beside a selective kernel timm pairs a convolution and its norm.
    for kernel in kernels:
        table |= {
            f"{kernel}.fc1": f"{kernel}.attn.fc_reduce",
            f"{kernel}.bn": f"{kernel}.attn.bn",
            f"{kernel}.fc2": f"{kernel}.attn.fc_select",
            f"{kernel}.paths.*.0": f"{kernel}.paths.*.conv",
            f"{kernel}.paths.*.1": f"{kernel}.paths.*.bn",
            **_pairs("23" if kernel == "conv1" else "13"),
        }
    return table


def _pairs(numbers: str, called: str = "conv{}") -> Table:
    """`conv1` and `bn1` as `conv1.conv` and `conv1.bn`, or as that is called."""
    return {
        f"{kind}{number}": f"{called.format(number)}.{theirs}"
        for number in numbers
        for kind, theirs in (("conv", "conv"), ("bn", "bn"), ("norm", "bn"))
    }


FINAL = {"final.0": "final_conv.conv", "final.1": "final_conv.bn"}


def _timm_v2_ends(paths: Shapes) -> Table:
    """A deep stem has convolutions and norms by turns, and maybe activations between them."""
    parts = (path.split(".") for path in paths if path.startswith("conv1."))
    steps = sorted({int(step) for _, step, *_ in parts if step.isdigit()})
    turns = {step: (nth // 2 + 1, nth % 2) for nth, step in enumerate(steps)}
    return {
        "conv1": "stem.conv",
        **{
            f"conv1.{step}": f"stem.{('conv', 'norm')[kind]}{number}"
            for step, (number, kind) in turns.items()
        },
        "fc": "head.fc",
    }


TIMM_V2 = Library(
    block="stages.{stage}.blocks.{block}",
    inside=lambda _: {
        "downsample": "downsample.conv",
        "downsample.1": "downsample.conv",
    },
    outside=_timm_v2_ends,
)


def timm_regnet(ours: Shapes) -> Library:
    """timm 1.0's regnet.py; pre-activation has nothing behind its stem's convolution."""
    ends = {**FINAL, "fc": "head.fc"}
    if not {"bn1.weight", "norm1.weight"} & {*ours}:
        return Library(
            "s{stage1}.b{block1}", outside=lambda _: {"conv1": "stem", **ends}
        )
    stem = {"conv1": "stem.conv", "bn1": "stem.bn", "norm1": "stem.bn"}
    shortcut = {"downsample.0": "downsample.conv", "downsample.1": "downsample.bn"}
    return Library(
        block="s{stage1}.b{block1}",
        inside=lambda _: {**_pairs("123456789"), **shortcut},
        outside=lambda _: {**stem, **ends},
    )


BAT = {
    f"{kind}{n}": f"{theirs}.{kind}"
    for n, theirs in enumerate(("conv1", "ba.conv1", "ba.conv2", "conv2"), 1)
    for kind in ("conv", "bn")
} | {"conv_p": "ba.conv_p", "conv_q": "ba.conv_q"}


def timm_byobnet(_: Shapes) -> Library:
    """timm 1.0's byobnet.py, where convolutions are called by kernel and number."""

    def inside(paths: Shapes) -> Table:
        found = [paths[f"{path}.weight"] for path in _counted(paths, "conv")]
        kinds = ["1x1" if shape[-1] == 1 else "kxk" for shape in found]
        numbers = ["1", "2", "2b", "3"] if len(kinds) > 3 else ["1", "2", "3"]
        convolutions = {
            ours: theirs
            for n, (number, kind) in enumerate(zip(numbers, kinds, strict=False), 1)
            for ours, theirs in _pairs(str(n), f"conv{number}_{kind}").items()
        }
        attention = "attn_last" if kinds[-1:] == ["kxk"] else "attn"
        return {
            **convolutions,
            "se": attention,
            "eca": attention,
            **{f"bat.{ours}": f"{attention}.{theirs}" for ours, theirs in BAT.items()},
            "gca": f"{attention}.mlp_add",
            "gca.attn": f"{attention}.conv_attn",
            **_byob_shortcut(paths),
        }

    def outside(paths: Shapes) -> Table:
        stem = {ours: f"stem.{theirs}" for ours, theirs in _byob_stem(paths)}
        hidden = {"hidden.0": "head.norm", "hidden.2": "head.pre_logits.fc"}
        attention = {"attnpool": "head", "fc": "head.proj"}
        linear = {"fc": "head.fc"}
        last = attention if "attnpool.q.weight" in paths else linear
        return {**stem, **FINAL, **hidden, **last}

    return Library("stages.{stage}.{block}", inside, outside)


def _byob_shortcut(paths: Shapes) -> Table:
    """A convolution and its norm, maybe behind a pool."""
    if "downsample.2.weight" in paths:
        return {
            "downsample.1": "shortcut.conv.conv",
            "downsample.2": "shortcut.conv.bn",
        }
    return {"downsample.0": "shortcut.conv", "downsample.1": "shortcut.bn"}


def _byob_stem(paths: Shapes) -> Iterator[tuple[str, str]]:
    """One convolution, our deep stem, or a chain; the last convolutions have the norms."""
    if "conv1.0.weight" in paths:
        convolutions = ["conv1.0", "conv1.3", "conv1.6"]
        norms = ["conv1.1", "conv1.4", *_counted(paths, "bn", "norm")]
    else:
        convolutions, norms = _counted(paths, "conv"), _counted(paths, "bn", "norm")
    if len(norms) > len(convolutions):  # no stem of that file
        return
    if len(convolutions) == 1:
        yield convolutions[0], "conv"
        yield from ((norm, "bn") for norm in norms)
        return
    bare = len(convolutions) - len(norms)
    for n, path in enumerate(convolutions, 1):
        yield path, f"conv{n}.conv" if n > bare else f"conv{n}"
    for n, path in enumerate(norms, bare + 1):
        yield path, f"conv{n}.bn"


LONGEST = 40  # modules of one kind in a chain


def _counted(paths: Shapes, *kinds: str) -> list[str]:
    """Those of our modules that are called so and numbered, in order."""
    found = (f"{kind}{n}" for n in range(1, LONGEST + 1) for kind in kinds)
    return [path for path in found if f"{path}.weight" in paths]


def timm_tresnet(_: Shapes) -> Library:
    """timm 1.0's tresnet.py, whose stem is the first of the body."""

    def inside(paths: Shapes) -> Table:
        at = 1 if "downsample.2.weight" in paths else 0  # behind a pool
        return {
            **_pairs("123"),
            f"downsample.{at}": f"downsample.{at}.conv",
            f"downsample.{at + 1}": f"downsample.{at}.bn",
        }

    ends = {"conv1": "body.conv1.conv", "bn1": "body.conv1.bn", "fc": "head.fc"}
    return Library("body.layer{stage1}.{block}", inside, lambda _: ends)


def timm_senet(_: Shapes) -> Library:
    """timm 1.0's senet.py, which has them from https://github.com/Cadene."""

    def ends(paths: Shapes) -> Table:
        deep = {
            "conv1.1": "layer0.bn1",
            "conv1.3": "layer0.conv2",
            "conv1.4": "layer0.bn2",
            "conv1.6": "layer0.conv3",
            "bn1": "layer0.bn3",
        }
        return {
            "conv1": "layer0.conv1",
            "conv1.0": "layer0.conv1",
            "bn1": "layer0.bn1",
            **(deep if "conv1.0.weight" in paths else {}),
            "fc": "last_linear",
        }

    return Library(inside=lambda _: {"se": "se_module"}, outside=ends)


NAMINGS: dict[str, Callable[[Shapes], Library]] = {
    "torchvision": torchvision,
    "timm": timm,
    "timm-senet": timm_senet,
    "timm-regnet": timm_regnet,
    "timm-byobnet": timm_byobnet,
    "timm-tresnet": timm_tresnet,
    "torchvision-regnet": torchvision_regnet,
    "tutorial": tutorial,
    "kuangliu": kuangliu,
}


def fitting(
    ours: Mapping[str, Shaped],
    theirs: Iterable[str],
    asked: Callable[[str, str], bool] = lambda our, their: True,
) -> str | None:
    """The naming that maps those of our tensors that are asked for onto exactly theirs.

    None where there is none; `asked` takes our name and theirs.
    """
    wanted = set(theirs)
    for naming in NAMINGS:
        pairs = names(ours, naming).items()
        if {their for our, their in pairs if asked(our, their)} == wanted:
            return naming
    return None
