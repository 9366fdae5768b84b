"""Spaces: what their points cost, which are kept and written, and what is wrong with bad ones.

`python -m tests.test_sweep` writes the texts of the bad ones anew, to be read before they are
committed.
"""

import csv
import io
import json
import re
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from resnet_spec import SpecError, load
from resnet_spec.cli import main
from resnet_spec.emit.listing import listed
from resnet_spec.expansion import Total
from resnet_spec.problems import Problem
from resnet_spec.search.costs import Costs
from resnet_spec.search.points import spec_of
from resnet_spec.search.ranking import Found, Order, best, front
from resnet_spec.search.space import Digits, Space, space_of
from tests.test_readme import blocks

EXAMPLE = "examples/cifar.yaml"
BAD = sorted(Path(__file__).parent.glob("spaces/*.yaml"))
OWN = "name: Own\ntitle: Mine\n"
ON_18 = f"extends: resnet18\n{OWN}"
ON_50 = f"extends: resnet50\n{OWN}input: [3, 64, 64]\n"
SMALL = f"{OWN}input: [3, 32, 32]\nhead: {{classes: 10}}\n"
PLAIN = f"{SMALL}stem: {{type: conv3x3, width: 16, pool: none}}\n"

SPACES = {
    "cifar": (Path(__file__).parents[1] / EXAMPLE).read_text(encoding="utf-8"),
    "ends": f"""{ON_18}
choices:
  depths: {{each: [1, 2, 3]}}
  block, expansion, stride_on, groups:
    - [basic, null, null, null]
    - [bottleneck, 4, conv2, null]
    - [bottleneck, 2, conv1, 2]
  attention: [none, se, eca]
  norm.type: [batch, ibn_a, ibn_b]
  stem.width: [16, 24]
""",
    "pre-activation": f"""{ON_18}
preact: {{shortcut: activated, stem_norm: false, final_norm: true}}
choices:
  preact.first: [own, shared, null]
  widths: {{stages: [[16, 64], [64, 32], [64], [64, 128]]}}
  strides: {{stages: [[1, 2], [1, 2], [2], [1]]}}
  depths: {{stages: [[1, 2], [1, 3], [2], [1, 2, 3, 4, 5]]}}
""",
    "dilations": f"""{ON_50}
dilation_from: previous
choices:
  dilations: {{stages: [[1, 2], [1, 2], [1, 2, 4], [1, [2, 4, 8], 2]]}}
  strides: {{stages: [[1], [2], [1, 2], [1, 2]]}}
  depths: {{stages: [[1], [1, 2], [2], {{from: 1, to: 7}}]}}
""",
    "lists": f"""{ON_18}
input: [3, 64, 64]
choices:
  depths: {{stages: [[2, 3], [1, 2], [2], [1, 3]]}}
  strides: {{stages: [[1, [1, 2]], [2], [2, [2, 1]], [2]]}}
  widths: {{same: [16, 20], times: [1, 2, 4, 8]}}
  conv_bias: [none, projection]
  shortcut: [projection, identity, zero_pad_around, zero_pad_after, none]
""",
    "pools": f"""{ON_18}
choices:
  input: [[3, 32, 32], [3, 224, 224]]
  strides: {{each: [1, 2]}}
  head.pool: [global, 7]
  shortcut: [projection, avg_projection, avg_floor_projection]
  anti_alias: [none, avg, blur]
  depths: {{each: [1, 2, 3, 4, 5]}}
""",
    "norms": f"""{ON_50}
choices:
  widths: {{stages: [[64, 48], [128, 100], [256], [512, 60]]}}
  norm.type, norm.groups: [[group, 32], [batch, null], [group, 4], [layer, null]]
  groups, width_per_group: [[1, null], [32, 4], [2, 64], [3, null]]
  drop_path: [0.0, 0.1]
  activation: [relu, prelu]
""",
    "chains": f"""{PLAIN}
block:
  name: Inverted
  body:
    [{{conv: 1, to: in * 6}}, norm, activation, {{conv: 3, groups: each, stride: block}},
     norm, activation, {{conv: 1}}, norm, attention]
  post: []
shortcut: [{{pool: avg, stride: block}}, {{conv: 1}}, norm]
choices:
  widths: {{stages: [[16, 24], [24, 16], [32]]}}
  strides: {{stages: [[1, 2], [2, 1], [2x1, 2]]}}
  attention: {{each: [none, se]}}
  depths: {{each: [1, 2, 4, 5]}}
""",
    "stages": f"""extends: regnetx_002\n{OWN}
choices:
  stages.regnet.d: [8, 10]
  stages.regnet.w_0: [16, 24]
""",
}
"""Spaces of all kinds of fields, in most of which many points are no networks."""


def run(*args: str) -> Result:
    return CliRunner().invoke(main, ["sweep", *args])


def space(text: str, folder: Path) -> Space:
    file = folder / "space.yaml"
    file.write_text(text, encoding="utf-8")
    return space_of(file)


# --- costs ----------------------------------------------------------------------------------


def by_itself(space: Space, number: int, folder: Path) -> Total | str:
    """What the spec of a point costs, or the rule that it breaks, by the commands that all
    specs go through."""
    file = folder / f"point_{number}.yaml"
    text = spec_of(space, number, Total(), folder)
    file.write_text(re.sub("expect:.*\n", "", text), encoding="utf-8")
    try:
        network = load(file).network
    except SpecError as error:
        return error.problems[0].rule
    return Total(network.params, network.macs, listed("", network).activations)


def held(space: Space, starts: int, checks: int, folder: Path) -> int:
    """How many of the points that were never lowered were checked: at most so many.

    The points are some at random, each with those that follow it.
    """
    costs, known = Costs(space), {}
    numbers = {number + i for number, _ in space.sample(starts, 0) for i in range(6)}
    for number in sorted(numbers & {*range(space.count)}):
        before = costs.lowered
        found = costs.of(space.digits(number))
        if costs.lowered == before:
            known[number] = found
    asked = Random(0).sample(sorted(known), min(checks, len(known)))
    for number in asked:
        found, alone = known[number], by_itself(space, number, folder)
        said = "none" if isinstance(found, Problem) else found
        assert ("none" if isinstance(alone, str) else alone) == said, number
    return len(asked)


@pytest.mark.slow
@pytest.mark.parametrize("name", SPACES)
def test_a_point_costs_what_its_spec_does(name: str, tmp_path: Path) -> None:
    checked = held(space(SPACES[name], tmp_path), 12, 8, tmp_path)
    assert checked == (0 if name == "stages" else 8)


@pytest.mark.long
@pytest.mark.parametrize("name", SPACES)
def test_many_points_cost_what_their_specs_do(name: str, tmp_path: Path) -> None:
    held(space(SPACES[name], tmp_path), 500, 300, tmp_path)


@pytest.mark.long
def test_a_million_points_take_less_than_a_minute(tmp_path: Path) -> None:
    million = space_of(EXAMPLE)
    assert million.count >= 10**6
    costs, start = Costs(million), time.process_time()
    for _, digits in million.points():
        costs.of(digits)
    assert time.process_time() - start < 60
    assert costs.lowered < 1000
    assert held(million, 5000, 1000, tmp_path) == 1000


# --- points ---------------------------------------------------------------------------------


@settings(
    deadline=None,
    max_examples=30,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.lists(st.integers(1, 4), min_size=3, max_size=3), st.data())
def test_points_are_counted_numbered_and_sampled(
    tmp_path: Path, sizes: list[int], data: st.DataObject
) -> None:
    lists = [[*range(1, size + 1)] for size in sizes]
    text = f"extends: resnet20\n{OWN}choices: {{depths: {{stages: {lists}}}}}\n"
    made = space(text, tmp_path)
    points = [*made.points()]
    depths = [made.values(digits)["depths"].data for _, digits in points]
    every = [[a, b, c] for a in lists[0] for b in lists[1] for c in lists[2]]
    assert depths == every
    assert made.count == len(every)
    assert [(number, made.digits(number)) for number, _ in points] == points
    count, seed = data.draw(st.integers(1, len(every))), data.draw(st.integers())
    taken = [*made.sample(count, seed)]
    assert len({*taken}) == count
    assert {*taken} <= {*points}
    assert taken == [*made.sample(count, seed)]


def test_a_million_billion_points_are_counted_and_sampled() -> None:
    file = "tests/spaces/too_many_points.yaml"
    assert run(file, "--count").stdout == f"{10**15}\n"
    rows = [*csv.DictReader(io.StringIO(run(file, "--sample", "9", "--csv").stdout))]
    assert len(rows) == 9


FORMS = {
    "widths: [16, 32]": [16, 32],
    "widths: {from: 1, to: 6, step: 2}": [1, 3, 5],
    "depths: {same: [2, 3]}": [[2, 2, 2], [3, 3, 3]],
    "widths: {same: [2, 3], times: [1, 2, 4]}": [[2, 4, 8], [3, 6, 12]],
    "widths: {stages: [[1, 2], [3], {from: 4, to: 5}]}": [
        [1, 3, 4],
        [1, 3, 5],
        [2, 3, 4],
        [2, 3, 5],
    ],
}


@pytest.mark.parametrize("form", FORMS)
def test_each_form_of_a_choice(form: str, tmp_path: Path) -> None:
    made = space(f"extends: resnet20\n{OWN}choices: {{{form}}}\n", tmp_path)
    field = form.partition(":")[0]
    found = [made.values(digits)[field].data for _, digits in made.points()]
    assert found == FORMS[form]


# --- which are kept -------------------------------------------------------------------------

FOUND = st.lists(
    st.builds(Total, *[st.integers(0, 5)] * 3), min_size=1, max_size=30
).map(lambda totals: [Found(i, each) for i, each in enumerate(totals)])
ORDERS = st.builds(Order, st.sampled_from(Total._fields), st.booleans())


@given(FOUND, ORDERS, ORDERS, st.integers(1, 9))
def test_the_best_and_the_front(
    found: list[Found], one: Order, other: Order, count: int
) -> None:
    def signed(order: Order, each: Found) -> int:
        sign = -1 if order.descending else 1
        return sign * each.figures[Total._fields.index(order.figure)]

    def pair(each: Found) -> tuple[int, int]:
        return signed(one, each), signed(other, each)

    ranked = sorted(found, key=lambda each: signed(one, each))  # which is stable
    assert best(found, one, None) == ranked
    assert best(found, one, count) == ranked[:count]
    pairs = {pair(each) for each in found}
    unbeaten = {
        p
        for p in pairs
        if not any(q != p and q[0] <= p[0] and q[1] <= p[1] for q in pairs)
    }
    kept = front(found, one, other)
    assert {pair(each) for each in kept} == unbeaten
    assert len(kept) == len(unbeaten)


def test_ranges_and_limits_keep_what_is_within(tmp_path: Path) -> None:
    widths = "choices: {widths: {each: {from: 16, to: 64, step: 16}}}\n"
    file = tmp_path / "space.yaml"

    def points(expect: str, *args: str) -> set[int]:
        file.write_text(f"extends: resnet20\n{OWN}{widths}expect: {expect}\n")
        return {
            row["point"] for row in json.loads(run(str(file), "--json", *args).stdout)
        }

    points("{}")
    rows = json.loads(run(str(file), "--json").stdout)
    every = {row["point"]: row["params"] for row in rows}
    middle = sorted(every.values())[len(every) // 2]
    below = {point for point, params in every.items() if params <= middle}
    assert 0 < len(below) < len(every)
    assert points(f'{{params: "<= {middle}"}}') == below
    assert points(f'{{params: "0 .. {middle}"}}') == below
    assert points(f'{{params: ">= {middle + 1}"}}') == {*every} - below
    assert points(f"{{params: {middle}}}") == {p for p in below if every[p] == middle}
    assert points("{}", "--limit", f"params={middle}") == below


def test_the_forms_of_a_table_have_the_same_rows() -> None:
    args = (EXAMPLE, "--sample", "30", "--best", "5", "--sort", "params")
    table, text, data = (run(*args, *form) for form in ([], ["--csv"], ["--json"]))
    rows = json.loads(data.stdout)
    params = [row["params"] for row in rows]
    assert params == sorted(params)
    assert [
        int(row["params"]) for row in csv.DictReader(io.StringIO(text.stdout))
    ] == params
    shown = [line.split()[:2] for line in table.stdout.splitlines()[2:]]
    assert shown == [[str(row["point"]), f"{row['params']:,}"] for row in rows]


# --- the command ----------------------------------------------------------------------------


def solved(folder: Path, count: int, *args: str) -> None:
    """A million parameters at 32 x 32: the best are written, hold, and are built."""
    written = run(EXAMPLE, *args, "--best", str(count), "-o", str(folder), "--json")
    assert written.exit_code == 0, written.output
    rows = {row["point"]: row for row in json.loads(written.stdout)}
    files = {int(file.stem.split("_")[1]): file for file in folder.glob("*.yaml")}
    assert files.keys() == rows.keys()
    assert len(files) == count
    for point, file in files.items():
        said = yaml.safe_load(file.read_text())
        assert said["expect"] == {key: rows[point][key] for key in ("params", "macs")}
        assert said["expect"]["params"] <= 10**6
    args = ("build", str(folder), "--verify", "-o", str(folder / "built"))
    built = CliRunner().invoke(main, args)
    assert built.exit_code == 0, built.output
    assert f"built and generated are equal: {count}\n" in built.output


@pytest.mark.slow
def test_the_best_are_built_and_verified(tmp_path: Path) -> None:
    solved(tmp_path, 2, "--sample", "60")
    before = {file: file.read_bytes() for file in tmp_path.glob("*.yaml")}
    again = (EXAMPLE, "--sample", "60", "--best", "2", "-o", str(tmp_path))
    assert run(*again).exit_code == 0
    assert {file: file.read_bytes() for file in tmp_path.glob("*.yaml")} == before
    edited = min(before)
    edited.write_text("mine")
    refused = run(*again)
    assert refused.exit_code == 1
    assert f"{edited}: is another file, so nothing is written" in refused.stderr
    assert edited.read_text() == "mine"


@pytest.mark.long
def test_the_ten_best_of_a_million_are_built_and_verified(tmp_path: Path) -> None:
    solved(tmp_path, 10)


def test_what_was_found_before_ctrl_c_is_printed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    every = Space.points

    def interrupted(self: Space) -> Iterator[tuple[int, Digits]]:
        for number, digits in every(self):
            if number == 100:
                signal.raise_signal(signal.SIGINT)
            yield number, digits

    monkeypatch.setattr(Space, "points", interrupted)
    before = signal.getsignal(signal.SIGINT)
    result = run(EXAMPLE, "--csv")
    assert result.exit_code == 0
    assert "stopped after 100 of 1,024,000 points" in result.stderr
    assert len(result.stdout.splitlines()) == 101
    assert signal.getsignal(signal.SIGINT) is before


WRONG: list[tuple[list[str], str]] = [
    (["--seed", "1"], "--seed is that of --sample"),
    (["-o", "x"], "-o writes the best, so it needs --best"),
    (["--sort", "depth"], "must be params, macs or activations"),
    (["--pareto", "params"], "must be two figures, as params,-macs"),
    (["--pareto", "params,-params"], "must be two figures, as params,-macs"),
    (["--limit", "params"], "as params=1M"),
    (["--sample", "0"], "0 is not in the range"),
]


@pytest.mark.parametrize(("args", "said"), WRONG, ids=lambda value: str(value)[:20])
def test_wrong_options_are_said_in_a_line(args: list[str], said: str) -> None:
    result = run(EXAMPLE, *args)
    assert result.exit_code == 2
    assert said in result.stderr.splitlines()[-1]


def test_what_extends_standard_input_is_not_written() -> None:
    result = run("-", "--best", "1", "-o", "x")
    assert result.exit_code == 2
    assert "name that, not -" in result.stderr


@pytest.mark.parametrize(
    "command", ["build", "check", "cost", "digest", "explain", "summary"]
)
def test_other_commands_refuse_a_space_in_a_line(command: str) -> None:
    result = CliRunner().invoke(main, [command, EXAMPLE])
    assert result.exit_code == 1
    assert result.output.splitlines()[0] == (
        f"{EXAMPLE}:9:1: choices: makes the file a space of many networks, which "
        "`resnet-spec sweep` takes [space]"
    )
    assert result.output.count("examples/") == 1


# --- bad ones -------------------------------------------------------------------------------


def text(file: Path) -> str:
    result = run(f"tests/spaces/{file.name}")
    assert result.exit_code == 1
    return result.stderr


@pytest.mark.parametrize("file", BAD, ids=lambda file: file.stem)
def test_a_bad_space_is_said_in_one_placed_line(file: Path) -> None:
    said = text(file)
    assert said == file.with_suffix(".txt").read_text(encoding="utf-8")
    lines = [line for line in said.splitlines() if not line.startswith(" ")]
    assert len(lines) == 1
    assert re.match(rf"tests/spaces/{file.name}:\d+:\d+: ", lines[0])


def test_the_page_shows_what_is_so() -> None:
    page = Path("docs/sweep.md")
    example, point = blocks("yaml", page)
    (command,) = [c for c in blocks("sh", page) if "build best" in c]
    comment, _, shown = example.partition("\n")
    assert comment == f"# {EXAMPLE}"
    assert Path(EXAMPLE).read_text().endswith(shown)
    assert command.startswith(f"resnet-spec sweep {EXAMPLE} --best 10 -o best\n")
    said = yaml.safe_load(point)
    number = int(said["name"].removeprefix("CifarPoint"))
    figures = Total(**said["expect"])
    written = spec_of(space_of(EXAMPLE), number, figures, Path("best"))
    assert point == f"# best/cifar_{number}.yaml\n{written}"
    for session in blocks("console", page):
        line, _, output = session.partition("\n")
        _, *args = line.removeprefix("$ ").split()
        assert CliRunner().invoke(main, args).stdout == output


def test_every_alternative_is_its_fields(tmp_path: Path) -> None:
    """Fields of one key go together, and null leaves one out."""
    made = space(SPACES["ends"], tmp_path)
    found: list[dict[str, Any]] = [
        {key: node.data for key, node in made.values(digits).items()}
        for _, digits in made.sample(20, 0)
    ]
    pairs = {(said["block"], said["stride_on"], said["expansion"]) for said in found}
    assert pairs == {
        ("basic", None, None),
        ("bottleneck", "conv2", 4),
        ("bottleneck", "conv1", 2),
    }


if __name__ == "__main__":
    for file in BAD:
        file.with_suffix(".txt").write_text(text(file), encoding="utf-8")
