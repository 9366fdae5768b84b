"""A file's network under a library's names. Knows no torch: bytes get other names."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from resnet_spec.network import Network
from resnet_spec.problems.extras import needs
from resnet_spec.problems.words import nearest
from resnet_spec.weights.builders import BUILDERS, Asked, UnsayableError, asked
from resnet_spec.weights.conventions import unlike
from resnet_spec.weights.files.writers import WRITERS, Extras, Parts
from resnet_spec.weights.identity import STARTED, AmbiguousError, Opened, Source, opened
from resnet_spec.weights.naming import NAMINGS, NamingError, names, possessive, unsaid
from resnet_spec.weights.naming.rules import COUNT, Shaped
from resnet_spec.weights.operation import AS_IT_IS, Operation
from resnet_spec.weights.reading import listed
from resnet_spec.weights.stored import Refusal, Stored, WeightsError

__all__ = ["TARGETS", "AmbiguousError", "Conversion", "Source", "conversion", "files"]

OURS = "resnet-spec"
TARGETS = {
    **{name: name for name in BUILDERS},
    **{name: name for name in NAMINGS if name not in BUILDERS},
    OURS: "torchvision",
}
"""The naming of what files are written for; ours is torchvision's, for all networks."""
FOLDERS = ("transformers",)
"""What reads a folder, by the names that it has for the files in it."""
INSIDE = "model.safetensors"
COUNTED = ("transformers",)
"""What warns of weights without counts of batches. torch itself starts those at 0."""
AROUND = {
    "detectron2": Extras(
        {}, "model", {"__author__": OURS, "matching_heuristics": True}
    ),
    "pycls": Extras({}, "model_state"),
}
"""What their files of torch have around the state dict. By the heuristics, detectron2 finds
the backbone in a detector."""
ZERO = Stored("int64", (), lambda: bytearray(8))


class Conversion(NamedTuple):
    """Tensors by a library's names; printed, a line that says what was done.

    `asked` is how the library is asked for the network, and what it then builds; None where
    that is not known, of which `warnings` say why.
    """

    file: Path
    network: Network
    tensors: dict[str, Stored]
    library: str
    naming: str
    said: str
    extras: Extras
    asked: Asked | None
    warnings: tuple[str, ...]

    def __str__(self) -> str:
        return self.said


def conversion(
    source: Source,
    to: str,
    spec: str = "",
    assume: str = "",
    operation: Operation = AS_IT_IS,
) -> Conversion:
    """The network of a file under the names that `to` gives, one of TARGETS.

    `spec` or `assume` say which network it is, as for `infer`. Classes and channels are those
    of the file, unless `operation` asks for others, which needs torch. Raises AmbiguousError
    where neither is given and names cannot tell, SpecError for a wrong spec, WeightsError, in
    a line, for all else.
    """
    if to not in TARGETS:
        known = f"{', '.join(TARGETS)}, got {to}{nearest(to, TARGETS)}"
        raise WeightsError(f"the library must be one of {known}")
    operation.refuse_idle()
    if operation:
        needs("torch", "torch")
    read = opened(source, spec, assume)
    if operation:
        from resnet_spec.weights.operating import operated

        read = operated(read, operation)
    return _converted(read, to)


def _converted(read: Opened, to: str) -> Conversion:
    network = read.network
    made, warnings = _asked(network, to, read.file)
    naming = made.naming if made else TARGETS[to]
    built = dict(made.network.tensors()) if made else {}
    theirs = _named(dict(network.tensors()) | built, to, naming, read.file)
    table = read.reading.table
    tensors = {
        their: read.tensors[table[o]] for o, their in theirs.items() if o in table
    }
    started = [theirs[our] for our in theirs if our not in table] * (naming in COUNTED)
    tensors |= dict.fromkeys(started, ZERO)
    whose = "ours" if to == OURS else possessive(naming)
    said = f"{len(tensors)} tensors of {network.name}, from {read.reading.whose} to {whose}"
    known = AROUND.get(naming, Extras())
    return Conversion(
        read.file,
        network,
        tensors,
        to,
        naming,
        "; ".join(
            [said, *read.done, *_left_out(read, theirs), *_started(len(started))]
        ),
        known._replace(metadata=_metadata(read, naming, made, started)),
        made,
        (*warnings,),
    )


def _named(
    ours: Mapping[str, Shaped], to: str, naming: str, file: Path
) -> dict[str, str]:
    """The naming's names for all tensors, those of the network and what is built of it, which
    may count batches. Raises WeightsError where it lacks one."""
    own = unsaid(ours, naming) if to != OURS else []
    if own:
        whose = f"{possessive(naming)} names have none for {listed(own)}"
        raise WeightsError(f"{file}: {whose}; --to {OURS} takes our own")
    try:
        return names(ours, naming)
    except NamingError as error:
        raise WeightsError(f"{file}: {error}") from None


def _left_out(read: Opened, theirs: Mapping[str, str]) -> Iterator[str]:
    """What of the file is not in the other."""
    modules = [*read.reading.elsewhere, *read.beside]
    if modules:
        yield f"{listed(modules)} left out"
    taken = {read.reading.table[our] for our in theirs if our in read.reading.table}
    known = taken | {*read.reading.beside}
    counts = sum(name.endswith(COUNT) and name not in known for name in read.tensors)
    if counts:
        yield f"{counts} counts of batches left out"


def _started(counts: int) -> Iterator[str]:
    if counts:
        yield f"{counts} counts of batches start at 0"


def _asked(network: Network, to: str, file: Path) -> tuple[Asked | None, list[str]]:
    """How a library is asked for the network, or what is to be said where it cannot be."""
    library = next((k for k, v in BUILDERS.items() if to in (k, *v.namings)), None)
    if library is None:
        return None, [] if to == OURS else unlike(network, TARGETS[to])
    try:
        made = asked(network, library)
    except UnsayableError as error:
        said = f"{BUILDERS[library].what} cannot be asked for {network.name}: {error}"
        if library in FOLDERS:
            raise WeightsError(f"{file}: {said}") from None
        return None, [said]
    if to not in (library, made.naming):
        named = (
            f"{library} has the names of {made.naming} for {network.name}, not of {to}"
        )
        return None, [named]
    return made, []


def _metadata(
    read: Opened, naming: str, made: Asked | None, started: Sequence[str]
) -> dict[str, str]:
    """The file's own, and what was done."""
    digests = read.network.digests
    said = {"format": "pt"} | read.said
    said = {
        key: text for key, text in said.items() if not key.startswith("resnet_spec.")
    }
    said |= {
        "resnet_spec.naming": naming,
        "resnet_spec.network": read.network.name,
        "resnet_spec.layout": digests.layout,
        "resnet_spec.function": digests.function,
    }
    if read.done:
        said["resnet_spec.changes"] = "; ".join(read.done)
    if made and made.text:
        said["resnet_spec.config"] = made.text
    if started:
        said[STARTED] = " ".join(started)
    return said


# --- written ------------------------------------------------------------------------------


def files(
    made: Conversion, output: Path, force: bool = False
) -> list[tuple[Path, Parts]]:
    """What is to be written: the weights, and what the library reads beside them.

    `output` is a file, safetensors or by its suffix of torch or numpy, or a folder, which
    gets model.safetensors. Raises WeightsError for another suffix, a file where the library
    reads a folder, and, without `force`, where a file is there already.
    """
    file = output / INSIDE if _is_folder(output, made.naming) else output
    beside = made.asked.files if made.asked else ()
    texts = {file.parent / name: [text.encode()] for name, text in beside}
    for each in (file, *texts):
        if os.path.lexists(each) and not force:
            said = "is there, so it is not overwritten; --force overwrites it"
            raise WeightsError(f"{each}: {said}")
    try:
        parts = WRITERS[file.suffix](made.tensors, made.extras)
    except Refusal as refusal:
        raise WeightsError(f"{made.file} {refusal}") from None
    return [(file, parts), *texts.items()]


def _is_folder(output: Path, naming: str) -> bool:
    """Whether the weights go into it, and not to it."""
    suffix = output.suffix
    if output.is_dir() or not suffix:
        return True
    if naming in FOLDERS and suffix in WRITERS:
        said = f"reads a folder with {INSIDE} in it; leave out {suffix}"
        raise WeightsError(f"{output}: {naming} {said}")
    if naming not in FOLDERS and suffix not in WRITERS:
        kinds = f"{', '.join(WRITERS)}, or be a folder{nearest(suffix, WRITERS)}"
        raise WeightsError(f"{output}: must end in {kinds}")
    return naming in FOLDERS
