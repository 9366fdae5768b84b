"""What other libraries call the tensors of a network: one table for each of them.

Names here are torchvision's wherever torchvision has the thing. A table is a list of
replacements, each a pattern and what it becomes, that are made one after the other.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

Replacements = list[tuple[str, str]]

BLOCK = r"^(layer\d+\.\d+)"


def names(ours: Iterable[str], naming: str) -> dict[str, str]:
    """Their name for each of our tensors' names, all different, in our order.

    Which tensors there are tells what kind of network it is, so their order does not
    matter. Raises KeyError for a naming that is not in NAMINGS.

    >>> names(["conv1.weight", "layer1.0.downsample.0.weight"], "tutorial")["conv1.weight"]
    'conv1.weight'
    """
    found = list(ours)
    replacements = NAMINGS[naming](found)
    theirs = {name: _replaced(name, replacements) for name in found}
    assert len(set(theirs.values())) == len(found), "two tensors have one name"
    return theirs


def _replaced(name: str, replacements: Replacements) -> str:
    for pattern, becomes in replacements:
        name = re.sub(pattern, becomes, name)
    return name


def torchvision(_: list[str]) -> Replacements:
    """torchvision 0.29: the names are its own."""
    return []


def tutorial(_: list[str]) -> Replacements:
    """Tutorials that call it `shortcut.0`."""
    return [(r"\.downsample\.", ".shortcut.")]


def kuangliu(ours: list[str]) -> Replacements:
    """https://github.com/kuangliu/pytorch-cifar: as tutorials, and `linear`."""
    return [*tutorial(ours), (r"^fc\.", "linear.")]


def timm(ours: list[str]) -> Replacements:
    """timm 1.0: resnet.py, res2net.py, resnest.py, sknet.py, or resnetv2.py."""
    if "layer1.0.norm1.weight" in ours and "norm1.weight" not in ours:
        return _timm_v2(ours)
    return [
        (r"^pool\.", "maxpool."),
        (r"\bnorm(\d)\.", r"bn\1."),
        (r"\.eca\.", ".se."),
        (BLOCK + r"\.conv2\.bands\.(\d+)\.0\.", r"\1.convs.\2."),
        (BLOCK + r"\.conv2\.bands\.(\d+)\.1\.", r"\1.bns.\2."),
        *_selective(ours),
    ]


def _selective(ours: list[str]) -> Replacements:
    """Blocks of sknet.py: a selective kernel, and pairs of convolution and norm."""
    found = {
        m.group(1, 2)
        for n in ours
        if (m := re.search(BLOCK + r"\.(conv\d)\.paths\.", n))
    }
    return [
        (BLOCK + r"\.(conv\d)\.fc1\.", r"\1.\2.attn.fc_reduce."),
        (r"^(layer.*conv\d)\.bn\.", r"\1.attn.bn."),
        (BLOCK + r"\.(conv\d)\.fc2\.", r"\1.\2.attn.fc_select."),
        (r"\.paths\.(\d)\.0\.", r".paths.\1.conv."),
        (r"\.paths\.(\d)\.1\.", r".paths.\1.bn."),
        *_pairs([block for block, kernel in found if kernel == "conv1"], "23"),
        *_pairs([block for block, kernel in found if kernel == "conv2"], "13"),
    ]


def _pairs(blocks: list[str], numbers: str) -> Replacements:
    """`conv1` and `bn1` of those blocks as `conv1.conv` and `conv1.bn`."""
    if not blocks:
        return []
    block = f"^({'|'.join(map(re.escape, sorted(blocks)))})"
    return [
        (block + rf"\.conv([{numbers}])\.weight", r"\1.conv\2.conv.weight"),
        (block + rf"\.bn([{numbers}])\.", r"\1.conv\2.bn."),
    ]


def _timm_v2(ours: list[str]) -> Replacements:
    """resnetv2.py, which counts its stages from 0."""
    steps = sorted(
        {int(m[1]) for name in ours if (m := re.match(r"conv1\.(\d+)", name))}
    )
    stem = [
        (f"conv{i // 2 + 1}", f"norm{i // 2 + 1}")[i % 2] for i in range(len(steps))
    ]
    stages = {m[1] for name in ours if (m := re.match(r"layer(\d+)", name))}
    return [
        (r"^conv1\.weight", "stem.conv.weight"),
        *((rf"^conv1\.{i}\.", f"stem.{s}.") for i, s in zip(steps, stem, strict=True)),
        *((rf"^layer{n}\.(\d+)", rf"stages.{int(n) - 1}.blocks.\1") for n in stages),
        (r"\.downsample\.(1\.)?weight", ".downsample.conv.weight"),
        (r"^fc\.", "head.fc."),
    ]


def timm_senet(ours: list[str]) -> Replacements:
    """timm 1.0's senet.py, which has them from https://github.com/Cadene."""
    deep = "conv1.0.weight" in ours
    return [
        (r"^bn1\.", "layer0.bn3." if deep else "layer0.bn1."),
        (r"^conv1\.0\.", "layer0.conv1."),
        (r"^conv1\.1\.", "layer0.bn1."),
        (r"^conv1\.3\.", "layer0.conv2."),
        (r"^conv1\.4\.", "layer0.bn2."),
        (r"^conv1\.6\.", "layer0.conv3."),
        (r"^conv1\.weight", "layer0.conv1.weight"),
        (r"\.se\.", ".se_module."),
        (r"^fc\.", "last_linear."),
    ]


def timm_regnet(ours: list[str]) -> Replacements:
    """timm 1.0's regnet.py, which counts stages and blocks from 1."""
    return [
        (r"^conv1\.", "stem.conv."),
        (r"^bn1\.", "stem.bn."),
        (r"\.conv(\d)\.", r".conv\1.conv."),
        (r"\.bn(\d)\.", r".conv\1.bn."),
        (r"\.downsample\.0\.", ".downsample.conv."),
        (r"\.downsample\.1\.", ".downsample.bn."),
        *((rf"^(layer\d+)\.{n}\.", rf"\1.b{n + 1}.") for n in _blocks(ours)),
        (r"^layer(\d+)\.", r"s\1."),
        (r"^fc\.", "head.fc."),
    ]


def _blocks(ours: list[str]) -> list[int]:
    """The numbers that blocks have in their stages."""
    found = {int(m[1]) for name in ours if (m := re.match(r"layer\d+\.(\d+)", name))}
    return sorted(found)


def torchvision_regnet(_: list[str]) -> Replacements:
    """torchvision 0.29's regnet.py."""
    letters = zip("123", "abc", strict=True)
    return [
        (r"^conv1\.", "stem.0."),
        (r"^bn1\.", "stem.1."),
        *(
            pair
            for number, letter in letters
            for pair in (
                (rf"(layer.*)\.conv{number}\.", rf"\1.f.{letter}.0."),
                (rf"(layer.*)\.bn{number}\.", rf"\1.f.{letter}.1."),
            )
        ),
        (r"\.se\.", ".f.se."),
        (r"\.downsample\.", ".proj."),
        (r"^layer(\d+)\.(\d+)\.", r"trunk_output.block\1.block\1-\2."),
    ]


NAMINGS: dict[str, Callable[[list[str]], Replacements]] = {
    "torchvision": torchvision,
    "timm": timm,
    "timm-senet": timm_senet,
    "timm-regnet": timm_regnet,
    "torchvision-regnet": torchvision_regnet,
    "tutorial": tutorial,
    "kuangliu": kuangliu,
}


def fitting(
    ours: Iterable[str],
    theirs: Iterable[str],
    asked: Callable[[str, str], bool] = lambda our, their: True,
) -> str | None:
    """The naming that maps those of our tensors that are asked for onto exactly theirs.

    None where there is none; `asked` takes our name and theirs.
    """
    known, wanted = list(ours), set(theirs)
    for naming in NAMINGS:
        pairs = names(known, naming).items()
        if {their for our, their in pairs if asked(our, their)} == wanted:
            return naming
    return None
