"""What timm 1.0 calls the tensors of its networks, file by file."""

from __future__ import annotations

from collections.abc import Iterator

from resnet_spec.weights.naming.rules import Library, Shapes, Table
from resnet_spec.weights.naming.tables import counted


def timm(ours: Shapes) -> Library:
    """timm 1.0: resnet.py, res2net.py, resnest.py, sknet.py, or resnetv2.py."""
    if "layer1.0.norm1.weight" in ours and "norm1.weight" not in ours:
        return TIMM_V2
    return Library(
        inside=_timm_block,
        outside=lambda paths, stages: {
            "pool": "maxpool",
            **{f"norm{number}": f"bn{number}" for number in range(10)},
        },
    )


def _timm_block(paths: Shapes, _: int) -> Table:
    kernels = {path.split(".")[0] for path in paths if ".paths." in path}
    table = {
        "eca.conv": "se.conv",
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


def _timm_v2_ends(paths: Shapes, _: int) -> Table:
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
    block=lambda stage, block: f"stages.{stage}.blocks.{block}.",
    inside=lambda paths, stage: {
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
            lambda stage, block: f"s{stage + 1}.b{block + 1}.",
            outside=lambda paths, stages: {**ends, "conv1": "stem"},
        )
    stem = {"conv1": "stem.conv", "bn1": "stem.bn", "norm1": "stem.bn"}
    shortcut = {"downsample.0": "downsample.conv", "downsample.1": "downsample.bn"}
    return Library(
        block=lambda stage, block: f"s{stage + 1}.b{block + 1}.",
        inside=lambda paths, stage: {**_pairs("123456789"), **shortcut},
        outside=lambda paths, stages: {**stem, **ends},
    )


BAT = {
    f"{kind}{n}": f"{theirs}.{kind}"
    for n, theirs in enumerate(("conv1", "ba.conv1", "ba.conv2", "conv2"), 1)
    for kind in ("conv", "bn")
} | {"conv_p": "ba.conv_p", "conv_q": "ba.conv_q"}


def timm_byobnet(_: Shapes) -> Library:
    """timm 1.0's byobnet.py, where convolutions are called by kernel and number."""

    def inside(paths: Shapes, _: int) -> Table:
        found = [paths[f"{path}.weight"] for path in counted(paths, "conv")]
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

    def outside(paths: Shapes, _: int) -> Table:
        stem = {ours: f"stem.{theirs}" for ours, theirs in _byob_stem(paths)}
        hidden = {"hidden.0": "head.norm", "hidden.2": "head.pre_logits.fc"}
        attention = {"attnpool": "head", "fc": "head.proj"}
        linear = {"fc": "head.fc"}
        last = attention if "attnpool.q.weight" in paths else linear
        return {**stem, **FINAL, **hidden, **last}

    return Library(lambda stage, block: f"stages.{stage}.{block}.", inside, outside)


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
        norms = ["conv1.1", "conv1.4", *counted(paths, "bn", "norm")]
    else:
        convolutions, norms = counted(paths, "conv"), counted(paths, "bn", "norm")
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


def timm_tresnet(_: Shapes) -> Library:
    """timm 1.0's tresnet.py, whose stem is the first of the body."""

    def inside(paths: Shapes, _: int) -> Table:
        at = 1 if "downsample.2.weight" in paths else 0  # behind a pool
        return {
            **_pairs("123"),
            f"downsample.{at}": f"downsample.{at}.conv",
            f"downsample.{at + 1}": f"downsample.{at}.bn",
        }

    ends = {"conv1": "body.conv1.conv", "bn1": "body.conv1.bn", "fc": "head.fc"}
    return Library(
        lambda stage, block: f"body.layer{stage + 1}.{block}.",
        inside,
        lambda paths, stages: ends,
    )


def timm_senet(_: Shapes) -> Library:
    """timm 1.0's senet.py, which has them from https://github.com/Cadene."""

    def ends(paths: Shapes, _: int) -> Table:
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

    return Library(inside=lambda paths, stage: {"se": "se_module"}, outside=ends)
