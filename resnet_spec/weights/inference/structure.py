"""A spec that says what a file has, where none that ships does.

Its words are guesses by the shapes; what comes of them is compiled and held to the file name
by name, so that a wrong one is never said.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from resnet_spec.language.canonical import canonical
from resnet_spec.language.parsing import parse
from resnet_spec.language.reading import overridden
from resnet_spec.language.source import Source
from resnet_spec.language.yaml_nodes import compose
from resnet_spec.lowering import lower
from resnet_spec.network import Network
from resnet_spec.problems import Problem, SpecError, without_indices
from resnet_spec.problems.words import flow
from resnet_spec.weights.inference.blocks import Data, UnreadableError
from resnet_spec.weights.inference.candidate import LIBRARIES, unlike
from resnet_spec.weights.inference.guesses import Guesses
from resnet_spec.weights.inference.pages import left_out
from resnet_spec.weights.inference.trunk import Trunk
from resnet_spec.weights.naming.rules import COUNT, Shapes

__all__ = ["UnreadableError", "compiled", "guessed", "lowered", "page", "read"]

IMAGES = 4  # axes of the weight of a convolution of images
LARGEST = 2000  # pixels along a side, at which no image is looked for any more
LOST = 1 / 20  # of a network's tensors, which a damaged file lacks at the most
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

    Raises UnreadableError with the first difference of the likeliest guess.
    """
    made = guessed(trunk, assume)
    opened = [field for field in OPEN if field in made and _is_open(field, made)]
    comments = [f"# Assumed: {assume}."] * bool(assume)
    comments.append("# Where it says `open`, they do not tell, and the usual is taken.")
    text = page(made, trunk, comments, opened)
    return text, "" if assume else _asked(opened)


def guessed(trunk: Trunk, assume: str = "") -> Data:
    """The likeliest spec whose network has the file's names and shapes.

    A file that has all of a usual network but a few tensors is damaged, and no other network.
    Raises UnreadableError with the first difference of the likeliest of all.
    """
    lost = ""
    _must_be_flat(trunk.shapes)
    guesses = Guesses(trunk.shapes)
    for data in guesses.words():
        try:
            return _mended(_assumed(data, assume), trunk.shapes)
        except UnreadableError as error:
            guesses.refused.append(str(error))
            lost = lost or (str(error) if isinstance(error, LostError) else "")
    if lost:
        raise UnreadableError(lost)
    for data in guesses.chains():
        try:
            return _mended(_assumed(data, assume), trunk.shapes)
        except UnreadableError as error:
            guesses.refused.append(str(error))
    raise UnreadableError(guesses.refused[0])


class LostError(UnreadableError):
    """Of a guess that has all of the file's tensors, and a few more in its blocks."""


def _is_lost(ours: Shapes, theirs: Shapes) -> bool:
    """Whether the file is the network, less a few tensors that no other network leaves out."""
    counted = any(name.endswith(COUNT) for name in theirs)
    left = [n for n in ours if n not in theirs and (counted or not n.endswith(COUNT))]
    return (
        all(ours.get(name) == shape for name, shape in theirs.items())
        and len(left) <= LOST * len(ours)
        and not any("downsample" in name for name in left)
    )


def _must_be_flat(shapes: Shapes) -> None:
    """Refuses convolutions that are not of images."""
    for name, shape in shapes.items():
        if 0 in shape:
            raise UnreadableError(f"{name} has no numbers")
        *_, module, last = ("", *name.split("."))
        convolves = module[:4] == "conv" and module[4:].isdigit()
        if convolves and last == "weight" and len(shape) != IMAGES:
            size = "x".join(map(str, shape))
            raise UnreadableError(
                f"{name} is {size}, which is no convolution of images"
            )


def _asked(opened: Sequence[str]) -> str:
    return (
        f"no spec that ships has such names and shapes, and they do not tell "
        f"{', '.join(opened)}: the usual is printed; give --assume torchvision, timm or the "
        "name of a spec that has it"
    )


def _is_open(field: str, made: Data) -> bool:
    return field != "norm" or made["norm"].get("type", "batch") != "batch"


def page(
    made: Data, trunk: Trunk, comments: Sequence[str], opened: Sequence[str] = ()
) -> str:
    """The spec as YAML, with comments before it and one behind each field that is open."""
    lines = [
        f"# By {trunk}; the names and shapes of {len(trunk.shapes)} tensors, which are of",
        "# no spec that ships.",
        *left_out(trunk),
        *comments,
    ]
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
        raise UnreadableError(f"--assume {assume} {error.problems[0].said}") from None
    if len(compiled.plan.stages) != len(data["depths"]):
        raise UnreadableError(f"{assume} has not as many stages")
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

    Raises UnreadableError where it does not compile, or is not what the file has.
    """
    for _ in range(ROUNDS):
        try:
            network = compiled(data)
        except SpecError as error:
            changed = [_mend(data, problem) for problem in error.problems]
            if not any(changed):
                raise UnreadableError(error.problems[0].said) from None
            continue
        ours = {n: t.shape for n, t in network.tensors()}
        if said := unlike(ours, shapes):
            raise LostError(said) if _is_lost(ours, shapes) else UnreadableError(said)
        return data
    raise UnreadableError("what was read off it does not become a spec")


def compiled(data: Data) -> Network:
    """The network of a spec, by the text that is printed of it."""
    return lowered("".join(f"{key}: {flow(value)}\n" for key, value in data.items()))


def lowered(text: str, fields: Mapping[str, Any] | None = None) -> Network:
    """The network of a spec that extends none, with other fields, as `head.classes`."""
    root, noted = compose(text, "what was read off it")
    problems = [*noted]
    root = overridden(root, fields or {}, problems)
    return lower(parse(Source(root, tuple(problems))))


def _mend(data: Data, problem: Problem) -> bool:
    """Whether anything was changed: of a key that nothing reads, or one that is missing."""
    path = without_indices(problem.path)
    name = ".".join(path)
    *above, last = path or ("",)
    if problem.rule in ("image-too-small", "image-divides"):
        channels, height, width = data["input"]
        data["input"] = [channels, height * 2, width * 2]
        return bool(height < LARGEST)
    if problem.about_key or problem.rule == "unused-entry":
        return _taken_out(data, problem.path)
    if name in USUAL:
        held = data
        for part in above:
            held = held.setdefault(part, {})
        known = held.get(last)
        held[last] = USUAL[name]
        return bool(known != held[last])
    return False


def _taken_out(data: Data, path: Sequence[str | int]) -> bool:
    """Whether there was a key to delete there, or an entry of a list, which becomes null."""
    *above, last = path
    held: Any = data
    for part in above:
        is_there = part in held if isinstance(held, dict) else isinstance(held, list)
        held = held[part] if is_there else {}
    if isinstance(held, list) and isinstance(last, int):
        held[last] = None
    elif isinstance(held, dict) and last in held:
        del held[last]
    else:
        return False
    return True
