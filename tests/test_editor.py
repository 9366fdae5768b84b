"""What an editor is told of a text: by the line of commands, torchvision and plain reading."""

from pathlib import Path
from random import Random

import pytest
import yaml
from torchvision.models import resnet50

from resnet_spec import load
from resnet_spec.editor import (
    Document,
    check,
    completions,
    definition,
    edited,
    fixes,
    formatted,
    hover,
    written_out,
)
from resnet_spec.language.yaml_nodes import compose
from resnet_spec.network.fingerprint import digests
from resnet_spec.problems import Problem, report

FULL = Path("specs/resnet50.yaml").read_text(encoding="utf-8")
ERRORS = Path("tests/errors")
CASES = sorted(path.stem for path in (Path(__file__).parent / "errors").glob("*.yaml"))
OF_FILES = ("not_utf8",)  # cases about bytes, which no editor has
SHIPPED = sorted(str(path) for path in Path("specs").rglob("*.yaml"))


def case(name: str) -> Document:
    return Document(
        (ERRORS / f"{name}.yaml").read_text(encoding="utf-8"),
        str(ERRORS / f"{name}.yaml"),
    )


def mine(text: str, **others: str) -> Document:
    """A text that is nowhere on disk, as are the others."""
    folder = Path("/nowhere")
    unsaved = {folder / f"{name}.yaml": other for name, other in others.items()}
    return Document(text, str(folder / "mine.yaml"), unsaved)


def pointed(text: str) -> tuple[Document, int, int]:
    """The document without its | and the place of that."""
    before, after = text.split("|")
    document = mine(before + after)
    place = document.place(len(before))
    return document, place.line, place.column


# --- problems -----------------------------------------------------------------------------


@pytest.mark.parametrize("name", [name for name in CASES if name not in OF_FILES])
def test_problems_are_those_of_the_command_line(name: str) -> None:
    text = report.text(check(case(name)).problems)
    assert text == (ERRORS / f"{name}.txt").read_text(encoding="utf-8")


def test_what_compiles_is_given_with_its_warnings() -> None:
    text = FULL.replace("224, 224]", "32, 32]").split("expect")[0]
    found = check(mine(text))
    assert {problem.rule for problem in found.problems} == {"large-stem"}
    assert found.compiled is not None
    assert found.compiled.network.image == (3, 32, 32)


def test_a_base_that_is_nowhere_saved_is_read() -> None:
    own = "extends: base.yaml\nname: A\ntitle: a\nwidths: [8, 16, 32, 64]\n"
    (missing,) = check(mine(own)).problems
    assert missing.rule == "extends"
    found = check(mine(own, base=FULL)).compiled
    assert found is not None
    assert found.network.params < 10**6
    wrong = FULL.replace("bottleneck", "botleneck")
    (told,) = check(mine(own, base=wrong)).problems
    assert told.place is not None
    assert told.place.file == "/nowhere/base.yaml"


# --- fixes --------------------------------------------------------------------------------


def same(told: Problem, problem: Problem) -> bool:
    return (told.rule, told.path, told.message) == (
        problem.rule,
        problem.path,
        problem.message,
    )


def fixed(document: Document, problem: Problem, most: int) -> int:
    """How many of the fixes mend the problem; fails for one that does not."""
    found = fixes(document, problem)[:most]
    for fix in found:
        assert fix.title
        after = check(edited(document, *fix.edits)).problems
        assert not any(same(told, problem) for told in after), fix
        assert problem.rule == "yaml" or not any(told.rule == "yaml" for told in after)
    return len(found)


def test_the_first_fix_of_a_mistake_mends_it() -> None:
    """Of a fifth of the cases, by chance; two mistakes of three have one."""
    names = Random(17).sample([name for name in CASES if name not in OF_FILES], 60)
    pairs = [(d, p) for d in map(case, names) for p in check(d).problems[:9]]
    mended = sum(fixed(document, problem, 1) for document, problem in pairs)
    assert mended > 0.6 * len(pairs)


@pytest.mark.long
def test_every_fix_of_a_mistake_mends_it() -> None:
    documents = [case(name) for name in CASES if name not in OF_FILES]
    pairs = [(d, p) for d in documents for p in check(d).problems]
    mended = sum(fixed(document, problem, 99) > 0 for document, problem in pairs)
    assert mended > len(pairs) / 2


@pytest.mark.parametrize(
    ("wrong", "title", "right"),
    [
        ("a: {b: 1 c: 2}\n", "write ,", "a: {b: 1, c: 2}\n"),
        ("title: a: b\n", 'write "a: b"', 'title: "a: b"\n'),
        ("att\ntitle: b\n", "write attention:", "attention:\ntitle: b\n"),
        ("titel\nname: b\n", "write title:", "title:\nname: b\n"),
        ("foo\ntitle: b\n", "write foo:", "foo:\ntitle: b\n"),
        (
            "head:\n  pool: max\n  clas\ntitle: b\n",
            "write classes:",
            "head:\n  pool: max\n  classes:\ntitle: b\n",
        ),
        ("a: b\n  title: b\n", "remove the indentation", "a: b\ntitle: b\n"),
        ("  a: b\ntitle: b\n", "remove the indentation", "a: b\ntitle: b\n"),
        (
            "paper:\n  title: a\n   url: https://x.y\n",
            "indent it by 2",
            "paper:\n  title: a\n  url: https://x.y\n",
        ),
        (
            "extends: resnet18\nname: A\npaper:\n  title: a\nurl: https://x.y\n",
            'write paper.url: "https://x.y"',
            'extends: resnet18\nname: A\npaper:\n  title: a\n  url: "https://x.y"\n',
        ),
        (
            "title: 3\nextends: resnet18\nname: A\n",
            'write title: "3"',
            'title: "3"\nextends: resnet18\nname: A\n',
        ),
        (
            "extends: resnet50\nname: A\ntitle: a\nblock: basic\n",
            "leave stride_on out",
            "extends: resnet50\nname: A\ntitle: a\nblock: basic\nstride_on: null\n",
        ),
        (
            "extends: resnet18\nname: A\ntitle: a\nstem: {type: , width: 64}\n",
            "write stem.type: deep",
            "extends: resnet18\nname: A\ntitle: a\nstem: {type: deep, width: 64}\n",
        ),
        (
            'extends: resnet18\nname: A\ntitle: a\nhead: {classes: "10"}\n',
            "write head.classes: 10",
            "extends: resnet18\nname: A\ntitle: a\nhead: {classes: 10}\n",
        ),
        (
            "extends: resnet18\nname: A\ntitle: a\nnum_classes: 10  # ten\n# end\n",
            "write head.classes: 10",
            "extends: resnet18\nname: A\ntitle: a\nhead: {classes: 10}\n# end\n",
        ),
        (
            "extends: resnet18\nname: A\ntitle: a\nattention: [no, no, yes, yes]\n",
            "write attention: [none, none, se, se]",
            "extends: resnet18\nname: A\ntitle: a\nattention: [none, none, se, se]\n",
        ),
        (
            "extends: resnet18\nname: A\ntitle: a\ninput: [1, 64]\n",
            "write input: [1, 64, 64]",
            "extends: resnet18\nname: A\ntitle: a\ninput: [1, 64, 64]\n",
        ),
        (
            "extends: resnet18\nname: A\ntitle: a\ninput: [64, 64, 1]\n",
            "write input: [1, 64, 64]",
            "extends: resnet18\nname: A\ntitle: a\ninput: [1, 64, 64]\n",
        ),
        (
            "extends: resnet18\nname: A\ntitle: a\nhead:\n  # of mine\n  clases: 10\n",
            "write classes in place of clases",
            "extends: resnet18\nname: A\ntitle: a\nhead:\n  # of mine\n  classes: 10\n",
        ),
        (
            "extends: resnet18\nname: A\nnorm:\n  type: frn\n  momentum: 0.2\n  eps: 1.0e-6\n",
            "leave norm.momentum out",
            "extends: resnet18\nname: A\nnorm:\n  type: frn\n  eps: 1.0e-6\n",
        ),
        (
            "extends: resnet18\nname: A\nshortcut:\n- none\n- projecton\n- none\n- none\n",
            "write shortcut[1]: projection",
            "extends: resnet18\nname: A\nshortcut:\n- none\n- projection\n- none\n- none\n",
        ),
        (
            "extends: basic_5x5\nname: A\ntitle: a\n"
            "block: {body: [{norm: batch, stride: block}]}\n",
            "leave block.body[0].stride out",
            "extends: basic_5x5\nname: A\ntitle: a\nblock: {body: [{norm: batch}]}\n",
        ),
        (
            "name: A\ntitle: a\nname: B\nextends: resnet18\n",
            "leave name out",
            "name: A\ntitle: a\nextends: resnet18\n",
        ),
    ],
)
def test_a_fix_leaves_all_else_as_it_is(wrong: str, title: str, right: str) -> None:
    document = mine(wrong)
    found = {
        fix.title: fix for p in check(document).problems for fix in fixes(document, p)
    }
    assert edited(document, *found[title].edits).text == right


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("extends: resnet26\nse: {ratio: 0.25}\n", "write attention: se"),
        ("extends: resnet26\nse_reduction: 16\n", "write attention: se"),
        (
            "extends: resnet26\nse: [0, 0, 1, 1]\n",
            "write attention: [none, none, se, se]",
        ),
        ("extends: resnet26\nattention: eca\nse: {bias: false}\n", "leave se.bias out"),
        ("extends: legacy_seresnet50\nattention: none\n", "leave se.divisor out"),
        ("extends: legacy_seresnet50\nattention: null\n", "leave se.divisor out"),
        ("extends: resnet26\ndropout: 0.5\n", "leave dropout out"),  # block was chosen
    ],
)
def test_what_is_written_is_put_to_use_before_it_is_taken_away(
    text: str, first: str
) -> None:
    document = mine(f"name: A\ntitle: a\n{text}")
    (problem,) = check(document).problems
    assert fixes(document, problem)[0].title == first


# --- hover, completion, definition --------------------------------------------------------


def test_an_entry_of_depths_or_widths_is_its_stage() -> None:
    """As torchvision has its parameters, and the paper's table 1 the size of its map."""
    document = Document(FULL, "specs/resnet50.yaml")
    compiled, judge = check(document).compiled, resnet50()
    sizes = ["256 x 56 x 56", "512 x 28 x 28", "1024 x 14 x 14", "2048 x 7 x 7"]
    for field in ("depths: [3, 4, 6, 3]", "widths: [64, 128, 256, 512]"):
        start = FULL.index(field) + 9
        for index, number in enumerate(field[9:-1].split(", ")):
            at = document.place(FULL.index(number, start))
            start += len(number) + 2 * (index > 0)
            found = hover(document, at.line, at.column, compiled)
            stage = getattr(judge, f"layer{index + 1}")
            params = sum(each.numel() for each in stage.parameters())
            assert found is not None
            assert f"gives {sizes[index]}; {params:,} parameters" in found.text
            assert found.place.length == len(number)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("stride_|on: conv1", "convolution that strides in a bottleneck"),
        ("stem: {type: de|ep", "three 3x3 convolutions"),
        ("block:\n  name: A\n  body: [{con|v: 3}]", "a convolution, of that kernel"),
        (
            "block: {name: A, body: [{conv: 3, str|ide: block",
            "strides as the block does",
        ),
        ("norm: [group, in|stance", "instance"),
        ("extends: |resnet50d", "ResNet-50-D"),
        ("extends: |resnet26", "- `widths: [64, 128, 256, 512]`"),
        ("|extends: resnet50d", "which extends resnet50"),
        ("shortcut: [none, avg_projec|tion]", "average"),
        ("atten|tion: se", "`gca`, or a list with one per stage"),
        ("se: {rat|io: 0.25}", "or a list with one per stage"),
    ],
)
def test_a_word_says_what_it_means_while_it_is_typed(text: str, said: str) -> None:
    found = hover(*pointed(text))
    assert found is not None
    assert said in found.text


@pytest.mark.parametrize(
    ("text", "offered"),
    [
        ("stride_on: |", {"conv1", "conv2"}),
        ("stride_on: [conv1, |", {"conv1", "conv2"}),
        (
            "head: {classes: 10, bi|}",
            {"pre", "pool", "hidden", "classifier", "dropout", "bias"},
        ),
        ("head:\n  bias: |\n  classes: 3\n", {"true", "false"}),
        ("stem:\n  type: deep\n  |\nname: A\n", {"width", "stride", "pool"}),
        ("spatial: {type: split_attention, pool: |", {"before", "after"}),
        ("services:\n  db:\n    |", set()),
    ],
)
def test_what_is_lawful_and_not_there_yet_is_offered(
    text: str, offered: set[str]
) -> None:
    assert {each.label for each in completions(*pointed(text))} == offered


def test_a_key_that_is_offered_says_what_the_pointer_on_it_would() -> None:
    for each in completions(*pointed("|")):
        said = hover(*pointed(f"{each.label[:1]}|{each.label[1:]}: "))
        assert said is not None
        assert each.about == said.text


def test_ops_are_offered_in_a_chain() -> None:
    found = completions(*pointed("block: {name: A, body: [{conv: 1}, |"))
    assert {"norm", "activation", "{conv: 3}"} <= {each.label for each in found}
    found = completions(*pointed("block: {name: A, body: [{conv: 1, |"))
    assert {"to", "stride", "groups"} <= {each.label for each in found}
    assert "conv" not in {each.label for each in found}


def test_specs_that_ship_and_those_beside_are_offered() -> None:
    document = mine("extends: r", base=FULL)
    labels = {each.label for each in completions(document, 1, 11)}
    assert {"resnet50", "base.yaml"} <= labels
    assert "mine.yaml" not in labels


PLACES = [
    "|",
    "stem: {|}",
    "norm: {|}",
    "head: {|}",
    "block: {|}",
    "preact: {|}",
    "se: {|}",
]


@pytest.mark.parametrize("place", PLACES)
def test_no_key_that_is_offered_is_unknown(place: str) -> None:
    document, line, column = pointed(place)
    for each in completions(document, line, column):
        made = edited(document, each.edit)
        assert "unknown-key" not in {p.rule for p in check(made).problems}, each.label


@pytest.mark.parametrize(
    "field",
    [
        "block",
        "shortcut",
        "stem.type",
        "head.pool",
        "norm.type",
        "activation",
        "head.bias",
    ],
)
def test_every_word_that_is_offered_is_one_that_it_takes(field: str) -> None:
    outer, _, inner = field.partition(".")
    text = f"{outer}: {{{inner}: |}}" if inner else f"{outer}: |"
    document, line, column = pointed(text)
    found = completions(document, line, column)
    assert len(found) > 1
    path = tuple(field.split("."))
    for each in found:
        problems = check(edited(document, each.edit)).problems
        assert not [p for p in problems if p.path == path and p.rule != "missing"], each


def test_extends_leads_to_the_file_that_it_names() -> None:
    place = definition(*pointed("extends: resnet|50\n"))
    assert place is not None
    assert Path(place.file).samefile("specs/resnet50.yaml")
    document = mine("name: A\nextends: base.yaml\n", base=FULL)
    place = definition(document, 2, 11)
    assert place is not None
    assert place.file == "/nowhere/base.yaml"
    assert definition(document, 1, 2) is None
    assert definition(*pointed("extends: nothing|.yaml")) is None


# --- what is inherited --------------------------------------------------------------------


def test_what_is_written_out_is_the_same_network_alone() -> None:
    texts = {file: Path(file).read_text(encoding="utf-8") for file in SHIPPED}
    extending = [file for file, text in texts.items() if "\nextends: " in f"\n{text}"]
    for file in Random(17).sample(extending, 12):
        document = Document(texts[file], file)
        alone = edited(document, *written_out(document))
        whole = check(alone).compiled
        assert whole is not None
        assert whole.source.links == ()
        assert digests(whole.network) == digests(load(file).network)
        assert written_out(alone) == []


def test_what_is_written_out_leaves_all_else_as_it_is() -> None:
    base = "stem: {type: deep, width: 64}\npreact: {first: own}\ngroups: 2\n"
    own = "name: A  # a\nextends: base.yaml\ngroups: null\nstem:\n  # b\n  width: 32\n"
    document = mine(own, base=base)
    assert edited(document, *written_out(document)).text == (
        "name: A  # a\nstem:\n  # b\n  type: deep\n  width: 32\npreact: {first: own}\n"
    )
    assert written_out(mine("extends: nothing.yaml\n")) == []
    assert written_out(mine("extends: resnet18\na: [\n")) == []


# --- formatting ---------------------------------------------------------------------------


def shuffled(text: str, draw: Random) -> str:
    """The fields of a text without empty lines in another order, each below a comment."""
    starts = [i for i, line in enumerate(text.splitlines()) if line[:1] not in " #-"]
    lines = text.splitlines(True)
    pairs = zip(starts, [*starts[1:], len(lines)], strict=True)
    fields = [f"# {i}\n{''.join(lines[a:b])}" for i, (a, b) in enumerate(pairs)]
    draw.shuffle(fields)
    return "".join(fields)


def test_a_formatted_text_says_the_same_with_every_comment() -> None:
    draw = Random(17)
    for file in draw.sample(SHIPPED, 60):
        text = Path(file).read_text(encoding="utf-8")
        text = shuffled(
            "".join(line for line in text.splitlines(True) if line[0] != "#"), draw
        )
        document = mine(text)
        once = edited(document, *formatted(document))
        assert yaml.safe_load(once.text) == yaml.safe_load(text)
        assert sorted(once.text.splitlines()) == sorted(text.splitlines())
        assert formatted(once) == []
        first, *_ = compose(once.text, "")[0].data
        assert first == ("extends" if "extends" in once.text else "name")


def test_most_specs_that_ship_are_as_they_would_be_formatted() -> None:
    """The others have their fields in an order that their family explains."""
    texts = [Document(Path(f).read_text(encoding="utf-8"), f) for f in SHIPPED]
    assert sum(formatted(document) == [] for document in texts) > 0.85 * len(texts)


@pytest.mark.parametrize(
    ("text", "sorted_text"),
    [
        ("title: a\n# of name\nname: A\n", "# of name\nname: A\ntitle: a\n"),
        ("# file\ntitle: a\nname: A", "# file\nname: A\ntitle: a\n"),
        (
            "head:\n  classes: 1\n\nname: A  # x\n",
            "name: A  # x\nhead:\n  classes: 1\n\n",
        ),
        ("---\ntitle: a\nname: A\n...\n", None),
        ("{title: a, name: A}\n", None),
        ("title: a\nodd: 1\nname: A\n", "name: A\ntitle: a\nodd: 1\n"),
        ("title: a\rname: A\r", "name: A\rtitle: a\r"),
        ("title: [a\nname: A\n", None),
        ("", None),
    ],
)
def test_only_whole_fields_move(text: str, sorted_text: str | None) -> None:
    document = mine(text)
    assert edited(document, *formatted(document)).text == (sorted_text or text)


@pytest.mark.parametrize("end", ["\r\n", "\r", "\x85", "\u2028"])
def test_lines_may_end_as_yaml_ends_them(end: str) -> None:
    text = "extends: resnet18\nstem:\n  type: conv7x7\n\n  wid|th: 64\n"
    document, line, column = pointed(text.replace("\n", end))
    found = hover(document, line, column)
    assert found is not None
    assert found.text == hover(*pointed(text)).text  # type: ignore[union-attr]
    offered = {each.label for each in completions(document, line, column)}
    assert "stride" in offered
    assert "depths" not in offered


def test_half_of_a_character_is_a_mistake_like_others() -> None:
    (problem,) = check(mine("a: \ud800")).problems
    assert problem.said == "is not UTF-8 text"


def test_a_quoted_key_is_renamed_whole() -> None:
    document = mine('extends: resnet18\n"blo\\u0063k_": basic\n')
    (problem,) = [p for p in check(document).problems if p.rule == "unknown-key"]
    fix = fixes(document, problem)[0]
    assert edited(document, *fix.edits).text == "extends: resnet18\nblock: basic\n"


# --- places -------------------------------------------------------------------------------


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", "\x85", "\u2028"])
def test_places_are_those_of_the_reader(end: str) -> None:
    text = end.join(["name: \U0001f600", "titel: a", ""])
    document = mine(text)
    (told,) = [p for p in check(document).problems if p.rule == "unknown-key"]
    assert told.place is not None
    start = document.offset(told.place.line, told.place.column)
    assert text[start : start + told.place.length] == "titel"
    assert document.place(start, start + 5) == told.place


def test_whatever_is_typed_there_is_an_answer() -> None:
    """To each question at a place by chance; what is mended and sorted can be asked again."""
    draw = Random(17)
    texts = [case(name).text for name in CASES if name not in OF_FILES]
    for _ in range(80):
        text = draw.choice(texts)[:3000]
        for _ in range(draw.randint(1, 3)):
            at = draw.randrange(len(text) + 1)
            typed = draw.choice(
                ["", *"{}[],:#&*'- \n\t\r", "\u2028", "extends: a\n", "- - "]
            )
            text = text[:at] + typed + text[at + draw.randint(0, 9) * (not typed) :]
        document = mine(text)
        found = check(document)
        for problem in found.problems[:3]:
            for fix in fixes(document, problem)[:1]:
                check(edited(document, *fix.edits))
        check(edited(document, *formatted(document)))
        written_out(document)
        place = document.place(draw.randrange(len(text) + 1))
        hover(document, place.line, place.column, found.compiled)
        completions(document, place.line, place.column)
        definition(document, place.line, place.column)
