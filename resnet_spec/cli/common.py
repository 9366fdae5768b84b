"""What the commands share: their options, their jobs, and how they fail."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import wraps
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from resnet_spec import __version__
from resnet_spec.cli.failures import reported
from resnet_spec.compiler import Compiled, load
from resnet_spec.emit.source.stamp import made_of
from resnet_spec.language.reading import override
from resnet_spec.network import Network
from resnet_spec.output import SUFFIXES, SpecFile, obstacle, source_of, spec_files
from resnet_spec.problems import Problem, SpecError
from resnet_spec.problems.words import UNITS, counted, either, flow

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from resnet_spec.emit.cost.roofline import Machine

Overrides = tuple[tuple[str, Any], ...]
Features = tuple[str | int, ...]
Limits = tuple[tuple[str, float], ...]


def _overrides(
    context: click.Context, option: click.Parameter, texts: tuple[str, ...]
) -> Overrides:
    """`head.classes=10` -> ("head.classes", 10), for each text."""
    try:
        return tuple(map(override, texts))
    except SpecError as error:
        problem = error.problems[0]
        said = f"{problem.message} [{problem.rule}]"
        raise click.BadParameter(said, context, option) from None


def _features(
    context: click.Context, option: click.Parameter, text: str | None
) -> Features:
    """`stem,2` -> ("stem", 2)"""
    if text is None:
        return ()
    parts = [part.strip() for part in text.split(",")]
    if not all(parts):
        message = (
            f"must be names, as stem,pool,layer1, or numbers of stages, got {text!r}"
        )
        raise click.BadParameter(message, context, option)
    return tuple(int(part) if part.isdecimal() else part for part in parts)


def complete_spec(
    _: click.Context, __: click.Parameter, begun: str
) -> list[CompletionItem]:
    """The specs that ship and the own ones here; files alone where no name begins so."""
    from click.shell_completion import CompletionItem

    from resnet_spec.language.shipped import shortest

    found = [name for name in shortest().values() if name.startswith(begun)]
    found = found or [key for key in shortest() if key.startswith(begun)]
    if not found:
        return [CompletionItem(begun, type="file")]
    own = [file.name for suffix in SUFFIXES for file in Path().glob(f"*{suffix}")]
    found += [name for name in own if name.startswith(begun)]
    return list(map(CompletionItem, sorted(found)))


def complete_folder(
    _: click.Context, __: click.Parameter, begun: str
) -> list[CompletionItem]:
    from click.shell_completion import CompletionItem

    return [CompletionItem(begun, type="dir")]


SPEC = click.argument("spec", type=click.Path(), shell_complete=complete_spec)
SPECS = click.argument(
    "specs",
    nargs=-1,
    required=True,
    metavar="SPEC...",
    type=click.Path(),
    shell_complete=complete_spec,
)
SET = click.option(
    "--set",
    "overrides",
    multiple=True,
    metavar="KEY=VALUE",
    callback=_overrides,
    help="Change a field of every SPEC, as head.classes=10. Repeatable.",
)
FEATURES = click.option(
    "--features",
    metavar="PARTS",
    callback=_features,
    help="Give the maps of these parts, as 1,2,3,4 or stem,layer2, instead of the head's.",
)


def _naming(
    context: click.Context, option: click.Parameter, naming: str | None
) -> str | None:
    from resnet_spec.problems.words import nearest
    from resnet_spec.weights.naming import NAMINGS

    if naming is not None and naming not in NAMINGS:
        known, near = ", ".join(NAMINGS), nearest(naming, NAMINGS)
        message = f"must be one of {known}, got {naming}{near}"
        raise click.BadParameter(message, context, option)
    return naming


READ_AS = {
    "naming": click.option(
        "--naming",
        metavar="LIBRARY",
        callback=_naming,
        help="Who named the tensors; found by itself where left out.",
    ),
    "key": click.option(
        "--key", metavar="KEY", help="The state dict under this key, of several."
    ),
    "prefix": click.option(
        "--prefix", metavar="NAME", help="The network below this, of several."
    ),
}


def read_as(command: Callable[..., None]) -> Callable[..., None]:
    """The command with --naming, --key and --prefix: how a file of weights is read."""
    for option in reversed(READ_AS.values()):
        command = option(command)
    return command


def refuse_given(given: Mapping[str, object], why: str) -> None:
    """Refuses the first option that is given, be it 0."""
    for name, value in given.items():
        if value not in (None, (), "") and value is not False:
            raise click.UsageError(f"--{name.replace('_', '-')} {why}")


def refuse_without_weights(given: Mapping[str, object]) -> None:
    """Refuses options that say how weights are read, or what of, where there are none."""
    refuse_given(given, "goes with --weights, and there are none")


RULES_FOR_CHANNELS = click.Choice(("sum", "mean", "repeat", "first"))
CHANNELS_BY = click.option(
    "--channels-by",
    type=RULES_FOR_CHANNELS,
    help="How the first convolution is made to read other channels than the file's.",
)
LIBRARIES = ("timm", "torchvision")


def _complete_library(
    _: click.Context, __: click.Parameter, begun: str
) -> list[CompletionItem]:
    from click.shell_completion import CompletionItem

    found = [f"{name}:" for name in LIBRARIES if f"{name}:".startswith(begun)]
    return list(map(CompletionItem, found))


def _of_a_library(
    _: click.Context, __: click.Parameter, text: str | None
) -> str | None:
    """The text, where it is `timm:NAME` or `torchvision:NAME`."""
    if text is not None:
        library, *name = text.split(":", 1)
        if library not in LIBRARIES or not any(name):
            message = f"--against is timm:NAME or torchvision:NAME, not {text}"
            raise click.UsageError(message)
    return text


def against(said: str, *, required: bool = False) -> Callable[[Any], Any]:
    """The option that names another library's network."""
    return click.option(
        "--against",
        required=required,
        metavar="LIBRARY:NAME",
        callback=_of_a_library,
        shell_complete=_complete_library,
        help=said,
    )


def amount(context: click.Context, option: click.Parameter, text: str) -> float:
    """`1.5M` -> 1500000.0; refuses what is no number above zero."""
    number, unit = (text[:-1], UNITS[text[-1]]) if text[-1:] in UNITS else (text, 1.0)
    try:
        value = float(number) * unit
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf"):
        message = (
            f"must be a number, as 900 or 1.5M, with k, M, G, T or P, got {text!r}"
        )
        raise click.BadParameter(message, context, option)
    return value


def read_limits(
    context: click.Context, option: click.Parameter, texts: tuple[str, ...]
) -> Limits:
    """`params=1M` -> ("params", 1e6), for each text."""
    from resnet_spec.expansion import Total

    found = []
    for text in texts:
        field, _, most = text.partition("=")
        if field not in Total._fields or not most:
            figures = either(Total._fields)
            message = f"must be {figures} with a number, as params=1M, got {text!r}"
            raise click.BadParameter(message, context, option)
        found.append((field, amount(context, option, most)))
    return tuple(found)


def _rate(
    context: click.Context, option: click.Parameter, text: str | None
) -> float | None:
    """`100T` -> 1e14"""
    return None if text is None else amount(context, option, text)


def machine_of(flops: float | None, bandwidth: float | None) -> Machine | None:
    """The machine that --flops and --bandwidth are of; None where neither is given."""
    from resnet_spec.emit.cost.roofline import Machine

    if bool(flops) != bool(bandwidth):
        raise click.UsageError("a time needs both --flops and --bandwidth")
    return Machine(flops, bandwidth) if flops and bandwidth else None


def _image(
    context: click.Context, option: click.Parameter, text: str | None
) -> Overrides:
    """`3,512,512` -> ("input", [3, 512, 512])"""
    if text is None:
        return ()
    sizes = text.split(",")
    if len(sizes) != 3 or not all(size.strip().isdecimal() for size in sizes):
        message = f"must be channels, height and width, as 3,512,512, got {text!r}"
        raise click.BadParameter(message, context, option)
    return (("input", [int(size) for size in sizes]),)


INPUT = click.option(
    "--input",
    "image",
    metavar="C,H,W",
    callback=_image,
    help="The size of an image, in place of each SPEC's own.",
)
BATCH = click.option("--batch", type=click.IntRange(1, 10**6), help="How many images.")
FLOPS = click.option(
    "--flops", callback=_rate, metavar="RATE", help="Of the machine, as 100T."
)
BANDWIDTH = click.option(
    "--bandwidth", callback=_rate, metavar="RATE", help="Bytes, as 900G."
)
STRICT = click.option("--strict", is_flag=True, help="Count warnings as mistakes.")


@dataclass(frozen=True)
class Job:
    """A spec that compiled, and what is written of it when that is asked for."""

    spec: SpecFile
    compiled: Compiled
    changed: str  # the overrides and features, as the header says them

    @property
    def network(self) -> Network:
        return self.compiled.network

    @property
    def module(self) -> PurePosixPath:
        return self.spec.module(self.network.name)

    def made(self, folder: Path) -> str:
        """What its source is made from, as the header says that in the folder."""
        return made_of(self.spec.shown(folder), self.changed)

    def obstacle(self, file: Path, folder: Path) -> str:
        """Why its source must not replace the file in the folder; empty where it may."""
        told = self.spec.unmistakable(folder)
        network = "" if told else self.network.digests.fingerprint
        return obstacle(file, self.made(folder), network)

    def source(self, folder: Path) -> str:
        """The source that is written to the folder."""
        return source_of(self.compiled, self.made(folder), __version__)


class Outcome(NamedTuple):
    """The specs that compile, and the problems and warnings of all.

    Where it is strict, warnings are problems, and a spec with one is not among them.
    """

    jobs: list[Job]
    problems: list[Problem]
    strict: bool

    @property
    def fails(self) -> bool:
        return not all(problem.warning for problem in self.problems)


def compiling(command: Callable[..., None]) -> Callable[..., None]:
    """The command with SPEC, --set and --strict, given what comes of them.

    Where it has --features, --input or --deploy too, they count.
    """

    @SPECS
    @STRICT
    @SET
    @reported
    @wraps(command)
    def run(
        specs: tuple[str, ...], strict: bool, overrides: Overrides, **options: Any
    ) -> None:
        features, deploy = options.get("features", ()), options.pop("deploy", False)
        overrides += options.pop("image", ())
        found = _compiled(specs, overrides, features, strict=strict, deploy=deploy)
        command(found, **options)

    return run


def line(name: object, network: Network) -> str:
    """What a command says of a network."""
    return f"{name}  {network.params:,} parameters  {counted(network.macs)}MACs"


def _compiled(
    specs: tuple[str, ...],
    overrides: Overrides,
    features: Features,
    *,
    strict: bool,
    deploy: bool,
) -> Outcome:
    jobs: list[Job] = []
    files, found = spec_files(specs)
    for spec in files:
        try:
            compiled = load(spec.file, dict(overrides), features, deploy=deploy)
        except SpecError as error:
            found += error.problems
            continue
        found += compiled.warnings
        said = [f"{key}={flow(value)}" for key, value in overrides]
        said += [f"features {flow(list(features))}"] if features else []
        said += ["--deploy"] if deploy else []
        changed = ", ".join(said)
        jobs.append(Job(spec, compiled, changed))
    if strict:
        jobs = [job for job in jobs if not job.compiled.warnings]
        found = [problem._replace(warning=False) for problem in found]
    return Outcome(jobs, _said_once(found), strict)


def _said_once(found: list[Problem]) -> list[Problem]:
    """The problems, without those that a spec inherits from one that has them itself."""
    own = {_itself(problem) for problem in found if not problem.inherited_by}
    once = (p for p in found if not p.inherited_by or _itself(p) not in own)
    return list(dict.fromkeys(once))


def _itself(problem: Problem) -> Problem:
    return problem._replace(note="", inherited_by="")
