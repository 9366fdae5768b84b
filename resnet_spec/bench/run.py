"""A network -> samples of its forms, for each number of images and of threads."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from importlib.metadata import PackageNotFoundError, version
from itertools import product
from typing import NamedTuple

import torch
from torch import Tensor

from resnet_spec.bench import EAGER
from resnet_spec.bench.forms import Case, made, numbers
from resnet_spec.bench.timing import Call, Sample, interleaved
from resnet_spec.network import Network
from resnet_spec.problems import RunError

BOUND = 1e-3
"""How far a form's output may be from eager's, over the largest number in that."""
PACKAGES = ("torch", "torchvision", "timm", "onnx", "onnxruntime", "openvino")

Say = Callable[[str], None]


class Conditions(NamedTuple):
    """How a network is measured: images at once, threads (those of torch where none are
    given), torch's name of the device, rounds that count and calls before them."""

    batches: Sequence[int] = (1,)
    threads: Sequence[int] = ()
    device: str = "cpu"
    rounds: int = 15
    warmup: int = 3


class Measured(NamedTuple):
    """The samples of each form, and why the others have none: what they raised, or `wrong`,
    that they compute something else."""

    batch: int
    threads: int
    samples: dict[str, list[Sample]]
    failed: dict[str, str]
    wrong: dict[str, str]


def measured(
    network: Network, forms: Sequence[str], conditions: Conditions, say: Say
) -> Iterator[Measured]:
    """The samples of the forms, in one run for each number of images and threads.

    The outputs of each are compared with eager's before any is timed. `say` is told what is
    going on. Raises RunError where eager cannot run, or gives what is no number.
    """
    before = torch.get_num_threads()
    settings = product(conditions.threads or (before,), conditions.batches)
    try:
        for threads, batch in settings:
            torch.set_num_threads(threads)
            case = Case(network, batch, threads, conditions.device)
            yield _measured(case, forms, conditions, _after(say, batch, threads))
    finally:
        torch.set_num_threads(before)


def _after(say: Say, batch: int, threads: int) -> Say:
    return lambda text: say(f"batch {batch}, threads {threads}: {text}")


def _measured(
    case: Case, forms: Sequence[str], conditions: Conditions, say: Say
) -> Measured:
    failed, wrong = dict[str, str](), dict[str, str]()
    eager, expected = _eager(case)
    calls = {EAGER: eager}
    for form in forms:
        if form == EAGER:
            continue
        say(form)
        try:
            call = made(form, case)
            apart = _apart(numbers(call()), expected)
        except Exception as error:  # those of five libraries share no class
            failed[form] = _said(error)
            continue
        if apart <= BOUND:
            calls[form] = call
        else:
            wrong[form] = f"its output is {apart:.1e} of the largest from eager's"
    samples = interleaved(calls, conditions.rounds, conditions.warmup, say)
    return Measured(len(case.images), case.threads, samples, failed, wrong)


def _eager(case: Case) -> tuple[Call, Tensor]:
    try:
        eager = made(EAGER, case)
        expected = numbers(eager())
    except RuntimeError as error:
        raise RunError(f"cannot run, {_said(error)}") from None
    if not expected.isfinite().all():
        raise RunError("with random weights its outputs are no numbers to compare")
    return eager, expected


def _apart(given: Tensor, expected: Tensor) -> float:
    """The largest difference over the largest number; infinite where one is no number."""
    if given.shape != expected.shape or not given.isfinite().all():
        return float("inf")
    return float((given - expected).abs().max() / expected.abs().max())


def _said(error: Exception) -> str:
    """The first line of what it says, with the next where that only begins."""
    first, *others = str(error).strip().splitlines() or [type(error).__name__]
    return " ".join([first, *(line.strip() for line in others[: first.endswith(":")])])


def there(device: str | None) -> str:
    """The device that is asked for, else CUDA's where one is here, else the CPU.

    Raises RunError where CUDA is asked for and is not here.
    """
    if device == "cuda" and not torch.cuda.is_available():
        raise RunError("--device cuda: torch finds no such device here")
    return device or ("cuda" if torch.cuda.is_available() else "cpu")


def machine(device: str) -> dict[str, object]:
    """What the figures are of: the day, the machine, and what is installed."""
    kind = platform.machine(), torch.backends.cpu.get_cpu_capability()
    named = " ".join(kind) if device == "cpu" else torch.cuda.get_device_name()
    found: dict[str, object] = {
        "date": date.today().isoformat(),
        "device": named,
        "cores": os.cpu_count(),
    }
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found
