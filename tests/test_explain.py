"""The canonical form: one for all specs of a network, a spec itself, every place true."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from resnet_spec import SpecError, load, read, render
from resnet_spec.cli import main
from resnet_spec.compare.equality import verify
from resnet_spec.language.canonical import canonical, digest
from resnet_spec.language.explanation import explain
from resnet_spec.language.parsing import parse
from resnet_spec.lowering import lower
from tests.strategies import Pool, parsed, problems


def test_plain_is_a_spec_that_builds_the_same_bytes(
    drawn: Pool, tmp_path: Path
) -> None:
    file = tmp_path / "drawn.yaml"
    for data, _ in drawn[::3]:
        file.write_text(yaml.safe_dump(data))
        first = load(file)
        file.write_text(explain(first.source, first.plan, plain=True))
        again = load(file)
        assert canonical(again.plan) == canonical(first.plan)
        assert digest(again.plan) == digest(first.plan)
        assert render(again.network) == render(first.network)
        assert explain(again.source, again.plan, plain=True) == file.read_text()


@given(st.data())
def test_saying_it_otherwise_changes_nothing(drawn: Pool, draw: st.DataObject) -> None:
    """One value or a list of it, a default written or not, another order of the keys."""
    data = copy.deepcopy(draw.draw(st.sampled_from(drawn)).data)
    form, stages = canonical(parsed(data)), len(data["depths"])
    other = dict(draw.draw(st.permutations(list(data.items()))))
    for field in ("strides", "shortcut", "block", "activation", "dilations"):
        if field not in other or isinstance(other[field], list):
            continue
        if draw.draw(st.booleans()):
            other[field] = [other[field]] * stages
    if "activation" in form:
        other.setdefault("activation", "relu")
    if "eps" in form["norm"]:
        other.setdefault("norm", {}).setdefault("eps", 1e-5)
    rules = {problem.rule for problem in problems(other)}
    assert rules <= {"unused-entry"}  # a list has null for a stage that reads none
    assert rules or canonical(parsed(other)) == form


@pytest.mark.parametrize("field", ["groups", "width_per_group"])
def test_null_is_the_default_where_a_stage_reads_the_field(field: str) -> None:
    plan = load("resnet50", {field: [None, 4, 4, 4]}).plan
    form = canonical(plan)
    null = 1 if field == "groups" else None
    assert form[field] == [null, 4, 4, 4]
    assert canonical(parsed(form)) == form
    assert render(lower(parsed(form))) == render(lower(plan))


def test_null_goes_with_what_the_default_goes_with() -> None:
    changes = {"groups": [None] * 4, "standardization": {"eps": 1e-6}}
    assert canonical(load("resnet50", changes).plan)["groups"] == 1


def test_each_value_has_the_line_that_it_comes_from() -> None:
    result = CliRunner().invoke(main, ["explain", "specs/resnext101_32x8d.yaml"])
    lines = dict(
        line.split("  # ") for line in result.output.splitlines() if "  # " in line
    )
    origins = {text.strip(): place for text, place in lines.items()}
    assert origins["activation: relu"] == "default"
    for text, place in origins.items():
        if place != "default":
            file, line, column = place.rsplit(":", 2)
            written = Path(file).read_text().splitlines()[int(line) - 1]
            value = text.partition(": ")[2].strip('"')
            assert written[int(column) - 1 :].startswith(value), text
    files = {place.split(":")[0] for place in origins.values()} - {"default"}
    assert files == {
        f"specs/{n}.yaml" for n in ("resnet50", "resnet101", "resnext101_32x8d")
    }


def test_overrides_are_named() -> None:
    args = ["explain", "specs/resnet50.yaml", "--set", "head.classes=10"]
    assert "classes: 10" in (output := CliRunner().invoke(main, args).output)
    assert "# override head.classes=10" in output


def test_text_that_yaml_would_read_otherwise_is_quoted(tmp_path: Path) -> None:
    for title in (
        "No: 5 #x",
        "true",
        "1e3",
        "a 'b' c",
        "~",
        "- x",
        "größe",
        "null",
        "[a]",
    ):
        file = tmp_path / "net.yaml"
        text = Path("specs/resnet50.yaml").read_text()
        file.write_text(
            text.replace("title: ResNet-50", f"title: {json.dumps(title)}", 1)
        )
        source = read(file)
        plan = parse(source)
        assert plan.spec.title == title
        file.write_text(explain(source, plan, plain=True))
        assert parse(read(file)).spec.title == title


@pytest.mark.parametrize(
    "fields",
    [
        {"strides": [[1, 1], [2, 1], 2, [2, 1]]},
        {
            "widths": [[64, 64], 128, [256, 256], 512],
            "block": [["basic", "basic"], "basic", "basic", "basic"],
        },
        {
            "attention": [["none", "none"], "none", "none", "none"],
            "activation": [["relu"] * 2, "relu", "relu", "relu"],
        },
    ],
)
def test_a_list_of_what_one_value_says_is_that_value(fields: dict[str, Any]) -> None:
    said, plain = load("resnet18", fields), load("resnet18")
    assert render(said.network) == render(plain.network)
    assert digest(said.plan) == digest(plain.plan)


def test_null_for_a_block_that_reads_nothing_makes_no_list() -> None:
    fields = {
        "stride_on": [None, ["conv2", *[None] * 3], "conv2", ["conv2", None, None]]
    }
    said = load("resnet50", fields)
    assert render(said.network) == render(load("resnet50").network)
    assert canonical(said.plan) == canonical(load("resnet50").plan)


def test_one_stride_for_a_stage_is_none_of_its_later_blocks() -> None:
    """Also where something else is said block by block."""
    fields = {"shortcut": [["projection", "blur_projection"], *["projection"] * 3]}
    strided = {"strides": [2, 2, 2, 2]}
    assert "blur_taps" not in canonical(load("resnet18", {**fields, **strided}).plan)
    stride_on = {"stride_on": [["conv2", "conv1", None], *["conv2"] * 3]}
    with pytest.raises(SpecError, match=r"write null for block 2 of stage 1"):
        load("resnet50", {**strided, **stride_on})


def test_what_does_not_dilate_has_null() -> None:
    own = {"name": "Own", "body": [{"conv": 3, "stride": "block"}, "norm"]}
    said = load(
        "resnet18",
        {
            "block": [own, [own, "basic"], "basic", "basic"],
            "dilations": [None, [None, 2], 2, 2],
        },
    )
    assert canonical(said.plan)["dilations"] == [None, [None, 2], 2, 2]
    convolutions = {
        path: op for path, op in said.network.ops() if path.endswith("conv1")
    }
    spaced = [op.dilation for op in convolutions.values()]
    assert spaced == [1, 1, 1, 1, 2, 2, 2, 2, 2]
    assert verify(said.network, render(said.network)) == []


def test_blocks_of_a_stage_may_be_of_two_classes() -> None:
    fields = {
        "block": ["basic", ["basic", "bottleneck"], "basic", "basic"],
        "expansion": [None, [None, 1], None, None],
        "strides": [1, [1, 2], 2, 2],
        "stride_on": "conv2",
        "activation": ["relu", ["silu", "relu"], "relu", "relu"],
        "input": [3, 40, 24],
    }
    network = load("resnet18", fields).network
    kinds = [block.kind for block in network.stages[1].blocks]
    assert kinds == ["BasicBlockSilu", "Bottleneck"]
    assert str(network.stages[1].output) == "128 x 5 x 3"
    assert verify(network, render(network)) == []
