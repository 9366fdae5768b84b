"""What other libraries than timm call the tensors of a network: a small table each.

To add one, write a `Library` here and its line in NAMINGS.
"""

from __future__ import annotations

from string import ascii_lowercase

from resnet_spec.weights.naming.rules import Library, Shapes, Table
from resnet_spec.weights.naming.tables import (
    alike,
    norms,
    numbered,
    shortcut,
    stem,
)

SEQUENCE = {"downsample.0": "downsample.0", "downsample.1": "downsample.1"}

# --- torchvision, and what was copied from it ---------------------------------------------

TORCHVISION = Library(
    inside=lambda paths, stage: {**alike("conv", "bn"), **SEQUENCE},
    outside=lambda paths, stages: {"conv1": "conv1", "bn1": "bn1", "fc": "fc"},
    classifiers=("fc", "fc.1"),  # that behind a dropout
    whole=True,
)
"""torchvision 0.29's resnet.py: our names are its names."""


def torchvision_regnet(_: Shapes) -> Library:
    """torchvision 0.29's regnet.py."""
    letters = enumerate("abcdefghi", 1)
    convolutions = {
        f"{ours}{number}": f"f.{letter}.{theirs}"
        for number, letter in letters
        for theirs, ours in enumerate(("conv", "bn"))
    }
    return Library(
        lambda stage, block: f"trunk_output.block{stage + 1}.block{stage + 1}-{block}.",
        lambda paths, stage: {**convolutions, "se": "f.se", "downsample": "proj"},
        lambda paths, stages: {"conv1": "stem.0", "bn1": "stem.1"},
    )


def tutorial(_: Shapes) -> Library:
    """Tutorials that call it `shortcut.0`."""
    return Library(inside=lambda paths, stage: {"downsample": "shortcut"})


def _kuangliu_block(paths: Shapes, _: int) -> Table:
    bare = "downsample.weight" in paths  # theirs is a chain even of one
    return {
        **alike("conv"),
        **norms(lambda n: f"bn{n}"),
        "downsample": "shortcut.0" if bare else "shortcut",
        "se.fc1": "fc1",
        "se.fc2": "fc2",
    }


KUANGLIU = Library(
    inside=_kuangliu_block,
    outside=lambda paths, stages: {
        "conv1": "conv1",
        "bn1": "bn1",
        "norm1": "bn1",
        "fc": "linear",
    },
    whole=True,
)
"""https://github.com/kuangliu/pytorch-cifar, and akamaster/pytorch_resnet_cifar10."""


def _children(first: int) -> Library:
    """`nn.Sequential(*resnet.children())`, in which the stages are numbered from there on."""
    return Library(
        lambda stage, block: f"{first + stage}.{block}.",
        TORCHVISION.inside,
        lambda paths, stages: {
            "conv1": "0",
            "bn1": "1",
            "fc": f"{first + stages + 1}",  # behind a pool
        },
        whole=True,
    )


# --- transformers -------------------------------------------------------------------------


def _transformers_ends(paths: Shapes, _: int) -> Table:
    convolutions, normalizations = stem(paths)
    ends = {"fc": "classifier.1"}
    if len(convolutions) == 1:
        ends[convolutions[0]] = "embedder.embedder.convolution"
        ends |= dict.fromkeys(normalizations[:1], "embedder.embedder.normalization")
    return ends


TRANSFORMERS = Library(
    lambda stage, block: f"encoder.stages.{stage}.layers.{block}.",
    lambda paths, stage: {
        **numbered("conv", lambda n: f"layer.{n - 1}.convolution"),
        **norms(lambda n: f"layer.{n - 1}.normalization"),
        **shortcut(paths, "shortcut.convolution", "shortcut.normalization"),
    },
    _transformers_ends,
    trunk="resnet.",
    whole=True,
)
"""ResNetForImageClassification of transformers 5; without a classifier ResNetModel and
ResNetBackbone."""

# --- OpenMMLab ----------------------------------------------------------------------------


def _mm_block() -> dict[str, str]:
    return {
        **alike("conv", "bn"),
        **numbered("norm", lambda n: f"gn{n}"),
        "downsample": "downsample",
        "se.fc1": "se_layer.conv1.conv",
        "se.fc2": "se_layer.conv2.conv",
        "conv2.bands.*.0": "convs.*",
        "conv2.bands.*.1": "bns.*",
    }


def _mmpretrain_block(paths: Shapes, stage: int) -> Table:
    """V1d has a pool in the chain of a shortcut only where it strides, which Res2Net always
    has there."""
    bands = any(".bands." in path for path in paths)
    strides = stage > 0 or bands
    pairs = {} if strides else shortcut(paths, "downsample.0", "downsample.1")
    return _mm_block() | pairs


def _mmpretrain_ends(paths: Shapes, _: int) -> Table:
    convolutions, normalizations = stem(paths)
    ends = {"conv1": "conv1", "bn1": "bn1", "norm1": "gn1", "fc": "head.fc"}
    if "conv1.0" in convolutions:
        ends |= {path: f"stem.{n}.conv" for n, path in enumerate(convolutions)}
        for n, path in enumerate(normalizations):
            kind = "bn" if f"{path}.running_mean" in paths else "gn"
            ends[path] = f"stem.{n}.{kind}"
    return ends


def _mmdet_ends(paths: Shapes, _: int) -> Table:
    convolutions, normalizations = stem(paths)
    ends = {"conv1": "conv1", "bn1": "bn1", "norm1": "gn1"}
    if "conv1.0" in convolutions:
        ends |= {path: f"stem.{3 * n}" for n, path in enumerate(convolutions)}
        ends |= {path: f"stem.{3 * n + 1}" for n, path in enumerate(normalizations)}
    return ends


MMPRETRAIN = Library(
    inside=_mmpretrain_block,
    outside=_mmpretrain_ends,
    trunk="backbone.",
    whole=True,
)
"""ImageClassifier of mmpretrain 1.2."""
MMDET = Library(
    inside=lambda paths, stage: _mm_block(), outside=_mmdet_ends, whole=True
)
"""The backbones of mmdet 3 and mmseg 1, which have no classifier."""

# --- detectron2 ----------------------------------------------------------------------------


def _detectron2_ends(paths: Shapes, _: int) -> Table:
    convolutions, normalizations = stem(paths)
    ends = {"fc": "linear"}
    ends |= {path: f"stem.conv{n}" for n, path in enumerate(convolutions, 1)}
    return ends | {
        path: f"stem.conv{n}.norm" for n, path in enumerate(normalizations, 1)
    }


DETECTRON2 = Library(
    lambda stage, block: f"res{stage + 2}.{block}.",
    lambda paths, stage: {
        **alike("conv"),
        **norms(lambda n: f"conv{n}.norm"),
        **shortcut(paths, "shortcut", "shortcut.norm"),
    },
    _detectron2_ends,
    classifiers=("linear", "stem.fc"),  # that as its own converter writes it
    whole=True,
)
"""ResNet of detectron2, and the stem of its DeepLab."""

# --- pycls, CLIP, fastai ------------------------------------------------------------------

PYCLS = Library(
    lambda stage, block: f"s{stage + 1}.b{block + 1}.",
    lambda paths, stage: {
        **numbered("conv", lambda n: f"f.{_letter(n)}"),
        **norms(lambda n: f"f.{_letter(n)}_bn"),
        "se.fc1": "f.se.f_ex.0",
        "se.fc2": "f.se.f_ex.2",
        **shortcut(paths, "proj", "bn"),
    },
    lambda paths, stages: {
        "conv1": "stem.conv",
        "bn1": "stem.bn",
        "norm1": "stem.bn",
        "fc": "head.fc",
    },
    whole=True,
)
"""ResNet, RegNet and AnyNet of pycls."""


def _letter(number: int) -> str:
    """
    >>> _letter(2), _letter(28)
    ('b', 'b2')
    """
    turn, at = divmod(number - 1, len(ascii_lowercase))
    return ascii_lowercase[at] + (f"{turn + 1}" if turn else "")


def _clip_ends(paths: Shapes, _: int) -> Table:
    convolutions, normalizations = stem(paths)
    ends = {path: f"conv{n}" for n, path in enumerate(convolutions, 1)}
    ends |= {path: f"bn{n}" for n, path in enumerate(normalizations, 1)}
    ends |= {f"attnpool.{each}": f"attnpool.{each}_proj" for each in "qkv"}
    ends["attnpool.pos_embed"] = "attnpool.positional_embedding"
    return ends | {"fc": "attnpool.c_proj" if "attnpool.q.weight" in paths else "fc"}


CLIP = Library(
    inside=lambda paths, stage: {
        **alike("conv"),
        **norms(lambda n: f"bn{n}"),
        **shortcut(paths, "downsample.0", "downsample.1"),
    },
    outside=_clip_ends,
    whole=True,
)
"""ModifiedResNet of OpenAI's CLIP and of open_clip."""


def _fastai_block(paths: Shapes, stage: int) -> Table:
    """Shortcuts have a pool in front where they stride, and attention closes the body."""
    pool = int(stage > 0)
    last = max((int(path[4]) for path in paths if _numbers(path, "conv")), default=0)
    return {
        **numbered("conv", lambda n: f"convpath.{n - 1}.0"),
        **norms(lambda n: f"convpath.{n - 1}.1"),
        "se.fc1": f"convpath.{last}.layers.1.0",
        "se.fc2": f"convpath.{last}.layers.2.0",
        **shortcut(paths, f"idpath.{pool}.0", f"idpath.{pool}.1"),
    }


def _numbers(path: str, kind: str) -> bool:
    return path.startswith(kind) and path[len(kind) :].partition(".")[0].isdigit()


def _fastai_ends(paths: Shapes, stages: int) -> Table:
    convolutions, normalizations = stem(paths)
    if len(convolutions) != 3:
        return {"fc": f"{stages + 7}"}
    ends = {path: f"{n}.0" for n, path in enumerate(convolutions)}
    ends |= {path: f"{n}.1" for n, path in enumerate(normalizations)}
    return ends | {"fc": f"{stages + 7}"}  # behind a pool, a flattening and a dropout


FASTAI = Library(
    lambda stage, block: f"{stage + 4}.{block}.",
    _fastai_block,
    _fastai_ends,
    whole=True,
)
"""XResNet of fastai 2.8."""
CHILDREN = _children(4)  # 2 is an activation, 3 the stem's pool
CHILDREN_WITHOUT_POOL = _children(3)
