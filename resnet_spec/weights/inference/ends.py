"""Stem and head, read off the shapes of the tensors that lie outside of blocks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from resnet_spec.weights.inference.blocks import Block, Data, UnreadableError, share
from resnet_spec.weights.naming.rules import Shapes

Modules = Mapping[str, Shapes]
STEMS = {7: ("conv7x7", "max"), 3: ("conv3x3", "none"), 1: ("conv1x1", "none")}
PIXELS = 48  # channels that a convolution reads of 4 x 4 pixels of three


def stem(outside: Modules, reads: int) -> tuple[Data, int, int]:
    """What `stem` says, the channels that it gives, and those of the image."""
    numbers = _numbers(outside, "conv")
    deep = sorted(
        int(module.partition(".")[2])
        for module, each in outside.items()
        if module.removeprefix("conv1.").isdigit() and len(each.get("weight", ())) == 4
    )
    if deep:
        return _deep(outside, deep)
    if not numbers:
        return {"type": "none"}, reads, reads
    first = outside["conv1"]["weight"]
    if (
        numbers == [1]
        and first[2] in STEMS
        and first[1] != PIXELS
        and "bias" not in outside["conv1"]
    ):
        word, pool = STEMS[first[2]]
        return (
            {"type": word, "width": first[0], "pool": _pool(outside, pool)},
            first[0],
            first[1],
        )
    return _chain(outside, numbers)


def _deep(outside: Modules, steps: Sequence[int]) -> tuple[Data, int, int]:
    weights = [outside[f"conv1.{step}"]["weight"] for step in steps]
    *inner, width = (weight[0] for weight in weights)
    word = "deep" if inner == [width // 2] * 2 else "tiered"
    if word == "tiered" and inner != [3 * width // 8, width // 2]:
        raise UnreadableError(
            f"a stem of {', '.join(map(str, inner))} and {width} channels"
        )
    return (
        {"type": word, "width": width, "pool": _pool(outside, "max")},
        width,
        weights[0][1],
    )


def _pool(outside: Modules, usual: str) -> str:
    return "conv" if "pool.0" in outside else usual


def _chain(outside: Modules, numbers: Sequence[int]) -> tuple[Data, int, int]:
    """A chain of convolutions, each with a norm behind it where one of its size is next."""
    outs = [outside[f"conv{n}"]["weight"][0] for n in numbers]
    width, norm = outs[-1], "bn" if "bn1" in outside else "norm"
    norms = _numbers(outside, norm)
    steps: list[Any] = []
    channels = outside["conv1"]["weight"][1]
    read = channels
    if channels == PIXELS:
        steps.append({"space_to_depth": 4})
        channels = 3
    for i, number in enumerate(numbers):
        each = outside[f"conv{number}"]
        out, shown, kernel, *_ = each["weight"]
        step: Data = {"conv": kernel}
        if out != width or i < len(numbers) - 1:
            step["to"] = share(out, {"width": width})
        if i == 0 and channels == read:
            step["stride"] = 2
        if shown and read % shown == 0 and read > shown:
            step["groups"] = "each" if shown == 1 and out == read else read // shown
        if "bias" in each:
            step["bias"] = True
        steps.append(step)
        read = out
        if norms and outside[f"{norm}{norms[0]}"]["weight"] == (out,):
            later = outs[i + 1 :].count(out)
            if len(norms) > later:
                steps += ["norm", "activation"]
                norms = norms[1:]
    return {"type": steps, "width": width}, width, channels


def _numbers(outside: Modules, kind: str) -> list[int]:
    found = (module.removeprefix(kind) for module in outside if module.startswith(kind))
    return sorted(int(number) for number in found if number.isdigit())


def stride(entry: Data) -> int:
    """Pixels of the image per pixel behind a stem, as most have them."""
    if isinstance(entry["type"], list):
        steps: list[Data] = [step for step in entry["type"] if isinstance(step, dict)]
        found: list[int] = [
            int(step.get("stride") or step.get("space_to_depth") or 1) for step in steps
        ]
        return max(found, default=1)
    first = 2 if entry["type"] in ("conv7x7", "deep", "tiered") else 1
    return first * (1 if entry.get("pool", "none") == "none" else 2)


def head(outside: Modules, last: Block, stride: int) -> tuple[Data, int | None]:
    """What `head` says, and the side of an image where it takes only one.

    `stride` is that of all before it.
    """
    data: Data = {}
    size = None
    channels = last.convolution(last.numbers[-1]).out
    if pre := _pre(outside):
        data["pre"] = pre
        channels = next((s["to"] for s in pre if isinstance(s, dict)), channels)
    if "attnpool" in outside:
        data["pool"] = "attention"
        size = round((outside["attnpool"]["pos_embed"][0] - 1) ** 0.5) * stride
    hidden = _hidden(outside)
    fc = outside.get("fc", {})
    linear = (m["weight"] for n, m in outside.items() if n.startswith("hidden."))
    features = next((w[1] for w in linear if len(w) == 2), 0)
    if not features and len(fc.get("weight", ())) == 2:
        features = fc["weight"][1]
    if features and features != channels:
        data["pool"] = "none"
        size = round((features / channels) ** 0.5) * stride
    if hidden:
        data["hidden"] = hidden
    if not fc:
        return {**data, "classes": "none"}, size
    if len(fc["weight"]) == 4:
        data["classifier"] = "conv"
    if "bias" not in fc:
        data["bias"] = False
    return {**data, "classes": fc["weight"][0]}, size


def _pre(outside: Modules) -> list[Any]:
    found = sorted(m for m in outside if m == "final" or m.startswith("final."))
    made: list[Any] = []
    for module in found:
        weight = outside[module]["weight"]
        if len(weight) == 4:
            made.append({"conv": weight[2], "to": weight[0]})
        else:
            made += ["norm", "activation"]
    return made


def _hidden(outside: Modules) -> list[Any]:
    found = {int(m[7:]): outside[m] for m in outside if m.startswith("hidden.")}
    made: list[Any] = []
    linear = next((i for i in sorted(found) if len(found[i]["weight"]) == 2), 0)
    for i in range(max(found, default=-1) + 1):
        if i == linear - 1 and i not in found:
            continue  # what flattens the map
        weight = found.get(i, {}).get("weight", ())
        made.append(
            weight[0] if len(weight) == 2 else "norm" if weight else "activation"
        )
    return made
