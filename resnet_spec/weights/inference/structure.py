"""A spec that says what a file has, where none that ships does.

Its words are guesses by the shapes; what comes of them is compiled and held to the file name
by name, so that a wrong one is never said.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from math import prod
from typing import Any

from resnet_spec.language.canonical import canonical
from resnet_spec.language.parsing import parse
from resnet_spec.language.source import Source
from resnet_spec.language.yaml_nodes import compose
from resnet_spec.lowering import lower
from resnet_spec.network import Network
from resnet_spec.problems import Problem, SpecError
from resnet_spec.problems.words import flow
from resnet_spec.weights.inference.blocks import (
    ATTENTIONS,
    READERS,
    Block,
    Convolution,
    Data,
    Unreadable,
    blocks,
    chain,
    kinds,
    ratio,
    squeezes,
)
from resnet_spec.weights.inference.candidates import LIBRARIES, unlike
from resnet_spec.weights.inference.ends import head, stem, stride
from resnet_spec.weights.inference.page import left_out
from resnet_spec.weights.inference.trunks import Trunk
from resnet_spec.weights.naming.rules import COUNT, Shapes

__all__ = ["Unreadable", "read"]

LARGEST = 2000  # pixels along a side, at which no image is looked for any more
ROUNDS = 12  # of mending what a compiler says of a guess
USUAL = {
    "stride_on": "conv2",
    "dilation_from": "previous",
    "preact.shortcut": "activated",
    "preact.first": "own",
    "preact.stem_norm": False,
    "preact.final_norm": False,
    "stem.width": 64,
}
"""What is taken where a spec must say what names and shapes do not."""
OPEN = {
    "stride_on": "conv1 is v1, conv2 v1.5",
    "strides": "also of stages that keep their channels",
    "activation": "any that has no weights",
    "stem": "its pool and strides",
    "shortcut": "zeros or nothing, and pools",
    "norm": "eps; groups",
    "preact": "what shortcuts read",
}
"""Fields whose values names and shapes leave open, in whole or in part."""
BORROWED = (
    *("stride_on", "strides", "dilations", "dilation_from", "activation", "anti_alias"),
    *("blur_taps", "standardization", "shortcut"),
)
"""Fields that are taken from a spec that is assumed."""


def read(trunk: Trunk, assume: str) -> tuple[str, str]:
    """The spec as YAML, and what is asked in a line.

    Raises Unreadable with the first difference of the likeliest guess.
    """
    refused: list[str] = []
    _must_be_flat(trunk.shapes)
    for data in _guesses(trunk.shapes, refused):
        try:
            made = _mended(_assumed(data, assume), trunk.shapes)
        except Unreadable as error:
            refused.append(str(error))
            continue
        opened = [field for field in OPEN if field in made and _is_open(field, made)]
        text = _text(made, trunk, opened, assume)
        return text, "" if assume else _asked(opened)
    raise Unreadable(refused[0])


def _must_be_flat(shapes: Shapes) -> None:
    """Refuses convolutions that are not of images."""
    for name, shape in shapes.items():
        *_, module, last = ("", *name.split("."))
        convolves = module.rstrip("0123456789") == "conv" and last == "weight"
        if convolves and len(shape) != 4 and not (".eca." in name or ".cbam." in name):
            size = "x".join(map(str, shape))
            raise Unreadable(f"{name} is {size}, which is no convolution of images")


def _asked(opened: Sequence[str]) -> str:
    return (
        f"no spec that ships has such names and shapes, and they do not tell "
        f"{', '.join(opened)}: the usual is printed; give --assume torchvision, timm or the "
        "name of a spec that has it"
    )


def _is_open(field: str, made: Data) -> bool:
    return field != "norm" or made["norm"].get("type", "batch") != "batch"


def _text(made: Data, trunk: Trunk, opened: Sequence[str], assume: str) -> str:
    lines = [
        f"# By {trunk}; the names and shapes of {len(trunk.shapes)} tensors, which are those of",
        "# no spec that ships. Where it says `open`, they do not tell, and the usual is taken.",
        *left_out(trunk),
    ]
    lines += [f"# Assumed: {assume}."] * bool(assume)
    for key, value in made.items():
        comment = f"  # open: {OPEN[key]}" if key in opened else ""
        lines.append(f"{key}: {flow(value)}{comment}")
    return "".join(f"{line}\n" for line in lines)


def _assumed(data: Data, assume: str) -> Data:
    if not assume or assume in LIBRARIES:
        return data
    from resnet_spec.compiler import load

    try:
        compiled = load(assume)
    except SpecError as error:
        raise Unreadable(f"--assume {assume} {error.problems[0].said}") from None
    if len(compiled.plan.stages) != len(data["depths"]):
        raise Unreadable(f"{assume} has not as many stages")
    theirs = canonical(compiled.plan)
    data |= {field: theirs[field] for field in BORROWED if field in theirs}
    data["norm"] |= {k: v for k, v in theirs.get("norm", {}).items() if k == "eps"}
    pool = theirs.get("stem", {}).get("pool")
    if pool and "pool" in data["stem"] and pool != "conv":
        data["stem"] = {**data["stem"], "pool": pool}
    return data


# --- held to the file ---------------------------------------------------------------------


def _mended(data: Data, shapes: Shapes) -> Data:
    """The guess, without what nothing reads and with what is missing.

    Raises Unreadable where it does not compile, or is not what the file has.
    """
    for _ in range(ROUNDS):
        try:
            network = compiled(data)
        except SpecError as error:
            if not any([_mend(data, problem) for problem in error.problems]):
                raise Unreadable(error.problems[0].said) from None
            continue
        said = unlike({n: t.shape for n, t in network.tensors()}, shapes)
        if said:
            raise Unreadable(said)
        return data
    raise Unreadable("what was read off it does not become a spec")


def compiled(data: Data) -> Network:
    """The network of a spec, by the text that is printed of it."""
    text = "".join(f"{key}: {flow(value)}\n" for key, value in data.items())
    root, noted = compose(text, "what was read off it")
    return lower(parse(Source(root, tuple(noted))))


def _mend(data: Data, problem: Problem) -> bool:
    """Whether anything was changed: of a key that nothing reads, or one that is missing."""
    path = [part for part in problem.path if isinstance(part, str)]
    name = ".".join(path)
    *above, last = path or [""]
    if problem.rule in ("image-too-small", "image-divides"):
        channels, height, width = data["input"]
        data["input"] = [channels, height * 2, width * 2]
        return bool(height < LARGEST)
    if problem.about_key or problem.rule == "unused-entry":
        held: Any = data
        for part in above:
            held = held.get(part, {}) if isinstance(held, dict) else {}
        if isinstance(held, dict) and last in held:
            value = held[last]
            if (
                isinstance(value, list)
                and problem.path
                and isinstance(problem.path[-1], int)
            ):
                value[problem.path[-1]] = None
            else:
                del held[last]
            return True
        return False
    if name in USUAL:
        held = data
        for part in above:
            held = held.setdefault(part, {})
        known = held.get(last)
        held[last] = USUAL[name]
        return bool(known != held[last])
    return False


# --- guesses ------------------------------------------------------------------------------


def _guesses(shapes: Shapes, refused: list[str]) -> Iterator[Data]:
    """Whole specs, the likeliest first; why there are no others is added to `refused`."""
    outside = _modules({n: s for n, s in shapes.items() if not n.startswith("layer")})
    first = shapes.get("layer1.0.conv1.weight", (0, 0))
    entry, width, channels = stem(outside, first[1])
    stages = blocks(shapes, width)
    before = [
        *dict.fromkeys((_is_before(stages, outside), not _is_before(stages, outside)))
    ]
    for pre, own, after in product(before, (False, True), (False, True)):
        try:
            body = _body(stages, pre, own)
        except Unreadable as error:
            refused.append(str(error))
            continue
        if after and "attention" not in body:
            continue
        body |= {"attention_after": "conv2"} if after else {}
        for shortcut, strides in _shortcuts(stages, entry, pre):
            for norm in _norms(shapes, stages):
                end, size = head(outside, stages[-1][-1], stride(entry) * prod(strides))
                usual = 32 if len(stages) <= 3 and entry.get("pool") == "none" else 224
                data: Data = {
                    "name": "Inferred",
                    "title": "Inferred from a checkpoint",
                    "input": [channels, size or usual, size or usual],
                    "stem": entry,
                    **body,
                    "strides": strides,
                    "shortcut": shortcut,
                    "activation": "prelu" if "prelu" in str(shapes.keys()) else "relu",
                    "norm": norm,
                    "conv_bias": _biases(stages, outside, "stride_on" not in body),
                    "head": end,
                }
                if pre and stages[0][0].norm != "bn":
                    data["preact"] = {
                        "shortcut": "activated",
                        "first": "own",
                        "stem_norm": "bn1" in outside or "norm1" in outside,
                        "final_norm": "norm" in outside or "bn" in outside,
                    }
                yield _copied(data)


def _copied(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _copied(each) for key, each in value.items()}
    return [*map(_copied, value)] if isinstance(value, list) else value


def _modules(shapes: Shapes) -> dict[str, Shapes]:
    found: dict[str, dict[str, tuple[int, ...]]] = {}
    for name, shape in shapes.items():
        module, _, last = name.rpartition(".")
        found.setdefault(module, {})[last] = shape
    return {**found}


def _is_before(
    stages: Sequence[Sequence[Block]], outside: Mapping[str, Shapes]
) -> bool:
    """Whether norms stand before convolutions: of the channels that those read."""
    if "norm" in outside:
        return True
    each = [block for stage in stages for block in stage if block.norm]
    sizes = [(b, b.weight(f"{b.norm}1")) for b in each]
    reads = all(size == (block.reads,) for block, size in sizes if size)
    gives = all(size == (block.convolution(1).out,) for block, size in sizes if size)
    return bool(sizes) and reads and not gives


def _alike(values: Sequence[Any]) -> Any:
    """One value where all agree, else the list."""
    return values[0] if all(value == values[0] for value in values) else [*values]


def _body(stages: Sequence[Sequence[Block]], pre: bool, own: bool) -> Data:
    """What is said of blocks, by words, or as blocks of one's own."""
    words = [next(kinds(stage[0]), None) for stage in stages]
    plain = all(words)
    last = [stage[0].convolution(stage[0].numbers[-1]).out for stage in stages]
    data: Data = {}
    if own or not plain:
        if any(block.has("conv1") and _has_layer(block) for s in stages for block in s):
            raise Unreadable(
                "its blocks have layers of several convolutions in other places"
            )
        data |= _own(stages, pre)
        data["depths"] = [len(stage) for stage in stages]
        data["widths"] = last
    else:
        data["block"] = _alike(words)
        data["stride_on"] = "conv2"
        data["depths"] = [len(stage) for stage in stages]
        data |= _widths(stages, words)
    if attention := _attention(stages, words):
        data |= attention
    return data


def _own(stages: Sequence[Sequence[Block]], pre: bool) -> Data:
    """Blocks of one's own, one for each stage, of shares of what blocks give or read."""
    made = []
    for stage in stages:
        every: list[Data] = []
        for base in ("out", "in"):
            try:
                each = [chain(block, pre, base) for block in stage]
            except Unreadable:
                continue
            every += [each[0]] if all(_same(each[0], other) for other in each) else []
        if not every:
            name = stage[0].at.partition(".")[0]
            raise Unreadable(f"blocks of {name} are not of one kind")
        made.append(every[0])
    widths = {
        c.read
        for s in stages
        for b in s
        for c, read in _reads(b)
        if 1 < c.read < read and not c.layer
    }
    counts = {
        read // c.read
        for s in stages
        for b in s
        for c, read in _reads(b)
        if 0 < c.read < read
    }
    data: Data = {}
    if len(widths) == 1 and len(counts) > 1:
        data["group_width"] = widths.pop()
        made = [_grouped(each) for each in made]
    if any(each != made[0] for each in made):
        made = [each | {"name": f"OwnBlock{i}"} for i, each in enumerate(made, 1)]
    return {"block": _alike(made), **data}


def _reads(block: Block) -> list[tuple[Convolution, int]]:
    """Its convolutions, each with the channels of the map that it reads."""
    found = [block.convolution(n) for n in block.numbers]
    return [*zip(found, [block.reads, *(c.out for c in found)], strict=False)]


def _same(a: Data, b: Data) -> bool:
    """Whether they are one block, but for how many groups there are."""
    return bool(_grouped(a) == _grouped(b))


def _grouped(block: Data) -> Data:
    body = [
        step | {"groups": "block"}
        if isinstance(step, dict) and isinstance(step.get("groups"), int)
        else step
        for step in block["body"]
    ]
    return block | {"body": body}


def _has_layer(block: Block) -> bool:
    return any(block.convolution(n).layer for n in block.numbers)


def _widths(stages: Sequence[Sequence[Block]], words: Sequence[str | None]) -> Data:
    """Widths, expansion and groups of blocks that are words."""
    data: Data = {}
    first = [stage[0] for stage in stages]
    outs = [b.convolution(b.numbers[-1]).out for b in first]
    inner = [b.convolution(min(2, len(b.numbers) - 1)).out for b in first]
    layers = [
        b.convolution(2 if w == "bottleneck" else 1).layer
        for b, w in zip(first, words, strict=True)
    ]
    if any(layers):
        data["spatial"] = _spatial(first, layers)
    if all(word == "basic" for word in words):
        return {"widths": outs, **data}
    inner = [
        b.convolution(2).out if w == "bottleneck" else b.convolution(2).out
        for b, w in zip(first, words, strict=True)
    ]
    groups = [
        b.convolution(1).out // b.convolution(2).read if w == "bottleneck" else 1
        for b, w in zip(first, words, strict=True)
    ]
    reduced = {
        b.convolution(2).out // b.convolution(1).out
        for b, w in zip(first, words, strict=True)
        if w == "bottleneck"
    }
    reduce = max(reduced) if len(reduced) == 1 else 1
    groups = [max(g, 1) for g in groups]
    scales = [layer.get("scale", 1) if layer else 1 for layer in layers]
    inner = [w // scale for w, scale in zip(inner, scales, strict=True)]
    if (pruned := _pruned(stages, outs)) is not None:
        return {
            "widths": [64, 128, 256, 512][: len(stages)],
            "expansion": 4,
            "pruned": pruned,
        }
    if all(out % width == 0 for out, width in zip(outs, inner, strict=True)):
        data["widths"] = inner
        data["expansion"] = _alike(
            [out // w for out, w in zip(outs, inner, strict=True)]
        )
    else:
        data |= _shared_widths(outs, inner, groups)
    each = [w // g for w, g in zip(inner, groups, strict=True)]
    if len({*groups}) > 1 and len({*each}) == 1 and "width_per_group" not in data:
        data["group_width"] = each[0]
    elif any(g > 1 for g in groups):
        data["groups"] = _alike(groups)
    if reduce > 1:
        data["reduce_first"] = reduce
    return data


def _spatial(first: Sequence[Block], layers: Sequence[Data | None]) -> Data:
    """The layer in place of a 3x3, with the ratio that all stages have."""
    layer = {**next(layer for layer in layers if layer)}
    if layer.pop("chosen", None):
        outs = [b.convolution(min(2, len(b.numbers) - 1)).out for b in first]
        pairs = [
            (each["chosen"], out)
            for each, out in zip(layers, outs, strict=True)
            if each
        ]
        layer |= ratio(pairs)
    return layer


def _shared_widths(outs: list[int], inner: list[int], groups: list[int]) -> Data:
    """Widths of which the 3x3's are another share in every stage, as in Res2Net."""
    for expansion in (4, 2, 8, 1):
        widths = [out // expansion for out in outs]
        each = {
            w2 * 64 // (width * g) if width else 0
            for w2, width, g in zip(inner, widths, groups, strict=True)
        }
        for share in sorted(each | {value + 1 for value in each}):
            made = [w * share // 64 * g for w, g in zip(widths, groups, strict=True)]
            if made == inner and share:
                return {
                    "widths": widths,
                    "expansion": expansion,
                    "width_per_group": share,
                }
    raise Unreadable("the widths of its blocks follow no rule")


def _pruned(stages: Sequence[Sequence[Block]], outs: list[int]) -> Data | None:
    """The widths of every block, where those of a stage differ."""
    each = [[[b.convolution(n).out for n in b.numbers] for b in s] for s in stages]
    if all(block == stage[0] for stage in each for block in stage):
        return None
    if any(len(block) != 3 for stage in each for block in stage):
        return None
    return {
        "conv1": [[block[0] for block in stage] for stage in each],
        "conv2": [[block[1] for block in stage] for stage in each],
        "out": outs,
    }


def _attention(stages: Sequence[Sequence[Block]], words: Sequence[str | None]) -> Data:
    found = [
        next((a for a in ATTENTIONS if any(b.has(a) for b in stage)), "none")
        for stage in stages
    ]
    if {*found} == {"none"}:
        return {}
    data: Data = {"attention": _alike(found)}
    after = False
    for stage, word in zip(stages, words, strict=True):
        block = stage[0]
        if word == "bottleneck":
            of = next((w for each in READERS if (w := block.weight(each))), ())
            inner, out = block.convolution(2).out, block.convolution(3).out
            after |= bool(of) and of[1] == inner != out
    if after:
        data["attention_after"] = "conv2"
    if "se" in found:
        data["se"] = squeezes(stages)
    return data


def _norms(shapes: Shapes, stages: Sequence[Sequence[Block]]) -> Iterator[Data]:
    """What norms may be, by their tensors."""
    lasts: dict[str, set[str]] = {}
    sizes = []
    for name, shape in shapes.items():
        module, _, last = name.rpartition(".")
        if len(shape) == 1 and last == "weight":
            sizes.append(shape[0])
        lasts.setdefault(module, set()).add(last)
    every = set().union(*lasts.values())
    inner = {
        last
        for module, found in lasts.items()
        if module.endswith(("norm1", "bn1", "norm2", "bn2"))
        for last in found
    }
    if any(module.endswith(".BN") for module in lasts):
        kinds_ = [
            "ibn_a" if any(b.has("bn1.BN") for b in stage) else "batch"
            for stage in stages
        ]
        yield {"type": _alike(kinds_)}
    elif any(module.endswith(".IN") for module in lasts):
        yield {
            "type": _alike(
                ["ibn_b" if any(b.has("IN") for b in s) else "batch" for s in stages]
            )
        }
    elif "running_mean" in every:
        counted = [
            any(
                m.startswith(f"{b.at}.") and COUNT in f
                for m, f in lasts.items()
                for b in s[:1]
            )
            for s in stages
        ]
        kinds_ = ["batch" if each else "frozen" for each in counted]
        yield {"type": _alike(kinds_)}
        if not any(counted):
            yield {"type": "batch"}
    elif "v" in every or "tau" in every:
        for kind in ("evonorm_s0", "evonorm_s0a") if "v" in every else ("frn",):
            groups = {"groups": _dividing(sizes)} if "v" in every else {}
            yield {"type": kind} | groups
    elif inner:
        yield {"type": "group", "groups": _dividing(sizes)}
    else:
        yield {"type": "none"}
        yield {"type": "instance"}


def _dividing(sizes: Sequence[int]) -> int:
    return next(n for n in (32, 16, 8, 4, 2, 1) if all(size % n == 0 for size in sizes))


def _biases(
    stages: Sequence[Sequence[Block]], outside: Mapping[str, Shapes], own: bool
) -> str:
    """Which convolutions have biases, beside those of which it is said one by one."""
    first = stages[-1][-1]
    body = [("bias" in first.modules.get(f"conv{n}", {})) for n in first.numbers]
    if all(body) and (not own or "bias" in outside.get("conv1", {})):
        return "all"
    if body[-1] and not own:
        return "unnormalized"
    branch = any(
        len(each.get("weight", ())) == 4 and "bias" in each
        for stage in stages
        for module, each in stage[0].modules.items()
        if module.startswith("downsample")
    )
    return "projection" if branch else "none"


def _shortcuts(
    stages: Sequence[Sequence[Block]], entry: Data, pre: bool
) -> Iterator[tuple[Any, list[int]]]:
    """What shortcuts may be, and the strides of stages with them."""
    del pre
    convs = [[_branch(block) for block in stage] for stage in stages]
    firsts = [each[0] for each in convs]
    flat = [each for stage in convs for each in stage if each]
    strides = [
        _stride(i, stage, branch, entry)
        for i, (stage, branch) in enumerate(zip(stages, firsts, strict=True))
    ]
    if not flat:
        grows = any(_changes(block) for stage in stages for block in stage)
        words = (
            ["zero_pad_after", "identity_or_none", "none"]
            if grows
            else ["identity", "projection"]
        )
        kept = strides if grows else [1] * len(stages)
        yield from ((word, kept) for word in words)
        return
    kernel = max(kernel for _, kernel, _ in flat)
    always = any(each for stage in convs for each in stage[1:]) or all(
        each for stage in convs for each in stage
    )
    averaged = any(step == 1 for step, _, _ in flat)
    words = []
    if always:
        words.append("projection_always")
    words.append(
        "avg_projection"
        if averaged
        else "projection3x3"
        if kernel == 3
        else "projection"
    )
    if any(
        _changes(stage[0]) and not branch
        for stage, branch in zip(stages, firsts, strict=True)
    ):
        listed = [words[-1] if branch else "zero_pad_after" for branch in firsts]
        yield listed, strides
        yield [words[-1] if branch else "none" for branch in firsts], strides
    for word in words:
        yield word, strides
        if word != "projection3x3":
            continue
        yield "projection3x3", strides
    normed = any(norm for *_, norm in flat)
    steps: list[Any] = [{"conv": kernel, "stride": "block"}] + ["norm"] * normed
    if averaged and firsts[0] and firsts[0][0] == 1:
        yield "avg_floor_projection", [1, *strides[1:]]
        yield "avg_projection", [1, *strides[1:]]
    if averaged:
        steps = [{"pool": "avg", "stride": "block"}, {"conv": kernel}] + [
            "norm"
        ] * normed
    yield steps, strides


def _branch(block: Block) -> tuple[int, int, bool] | None:
    """The place in the shortcut's chain of its convolution, its kernel, and whether a norm
    follows; None without one."""
    for module, each in block.modules.items():
        top, _, step = module.partition(".")
        weight = each.get("weight", ())
        if top == "downsample" and len(weight) == 4:
            place = int(step or 0)
            return place, weight[2], block.has(f"downsample.{place + 1}")
    return None


def _changes(block: Block) -> bool:
    return block.reads != block.convolution(block.numbers[-1]).out


def _stride(
    stage: int,
    found: Sequence[Block],
    branch: tuple[int, int, bool] | None,
    entry: Data,
) -> int:
    """2 where the stage has to stride, or most do."""
    if branch and branch[0] == 1:
        return 2
    if not branch and not _changes(found[0]):
        return 1
    if stage:
        return 2
    return 2 if branch and not _changes(found[0]) else 1
