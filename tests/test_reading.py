"""YAML to data: what scalars mean, what extends and overrides do, and every place."""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from resnet_spec import SpecError, load, read
from resnet_spec.language import yaml_nodes
from resnet_spec.language.reading import override
from resnet_spec.language.shipped import spec_path
from resnet_spec.language.yaml_nodes import compose
from resnet_spec.problems import Place, report
from resnet_spec.problems.rules import RULES
from resnet_spec.problems.texts import LARGEST_FILE
from resnet_spec.problems.words import shortened

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write(name: str, text: str) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    return write


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("no", "no"),
        ("on", "on"),
        ("1:30", "1:30"),
        ("2001-01-01", "2001-01-01"),
        ("=", "="),
        ("1_000", "1_000"),
        ("0b11", "0b11"),
        ("012", 12),
        ("0o14", 12),
        ("0x0C", 12),
        ("1e3", 1000.0),
        (".5", 0.5),
        ("-.inf", float("-inf")),
        ("+.Inf", float("inf")),
        (".INF", float("inf")),
        ("9" * 40, int("9" * 40)),
        ('! "a"', "a"),
        ("true", True),
        ("~", None),
        ('"64"', "64"),
        ("'null'", "null"),
    ],
)
def test_scalars_mean_what_yaml_1_2_says(text: str, value: Any) -> None:
    (node, problems) = compose(f"[{text}]", "x.yaml")
    assert node.data == [value]
    assert type(node.data[0]) is type(value)
    assert problems == ()


plain = st.recursive(
    st.integers(-(10**9), 10**9) | st.booleans() | st.text("abcxyz", min_size=1),
    lambda v: (
        st.lists(v, max_size=3)
        | st.dictionaries(st.text("abc", min_size=1), v, max_size=3)
    ),
    max_leaves=8,
)


@given(st.dictionaries(st.text("abc", min_size=1), plain), st.booleans())
def test_what_yaml_writes_is_read_back(data: dict[str, Any], flow: bool) -> None:
    text = yaml.safe_dump(data, default_flow_style=flow)
    node, problems = compose(text, "x.yaml")
    assert problems == ()
    assert node.data == data


@given(st.text(max_size=60) | st.binary(max_size=60).map(lambda b: b.decode("latin-1")))
def test_any_text_is_read_or_refused(text: str) -> None:
    with suppress(SpecError):
        compose(text, "x.yaml")


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000,
        "a: " * 1000,
        "x: " + "9" * 1_000_000,
        "\0",
        "&a [*a, *a]",
        "a: &a [1]\nb: [*a, *a, *a]",
        "? [1]\n: 2",
        "\t- 1",
        "%YAML 3.0",
    ],
)
def test_hostile_text_is_refused(text: str, write: Write) -> None:
    with pytest.raises(SpecError):
        load(write("hostile.yaml", text))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("\t- 1", "1:1: is not YAML, a tab; indent with spaces"),
        ("a:\r\t- 1", "2:1: is not YAML, a tab; indent with spaces"),
        ("a:\x85\u2028\t- 1", "3:1: is not YAML, a tab; indent with spaces"),
        ("a: [1", "1:4: is not YAML, a [ that is not closed by ]"),
        ("a: [1,", "1:7: is not YAML, a value or a closing bracket is missing"),
        ("a: {b: 1\nc: 2", "1:4: is not YAML, a { that is not closed by }"),
        ("a: 'b", "1:4: is not YAML, a quote that is not closed"),
        ("a: %b", "1:4: is not YAML, no value starts with % but in quotes"),
        (
            "a: 1\nb\nc: 2",
            "2:1: is not YAML, b stands alone; write b: and a value",
        ),
        ("a b\nc: 2", "1:1: is not YAML, a colon is missing; write a: b"),
        ("a: 1\nb = 3  # c", "2:1: is not YAML, a colon is missing; write b: 3"),
        (
            "a: 1\nb:2\nc: 3",
            "2:1: is not YAML, a space is missing after the colon; write b: 2",
        ),
        (
            "a: 1\nx]",
            "2:1: is not YAML, a line is a key, a colon, a space and a value, as block: basic",
        ),
        ("a: ]", "1:4: is not YAML, a ] that closes nothing, no [ is open before it"),
        (
            "a: 1\n}x",
            "2:1: is not YAML, a } that closes nothing, no { is open before it",
        ),
        ("a: 1\n: x", "2:1: is not YAML, a : where a key has to begin"),
        (
            "a: b: c",
            '1:5: is not YAML, text with a colon goes in quotes; write a: "b: c"',
        ),
        (
            "a: 1\n b: 2",
            "2:1: is not YAML, a line that is indented more than the one before; remove the "
            "indentation",
        ),
        (
            "a:\n  b: 1\n c: 2",
            "3:2: is not YAML, a line that is indented unlike its neighbours",
        ),
        ("a: {b: 1 c: 2}", "1:11: is not YAML, a comma is missing before c"),
        ("a: {b: [1] c: 2}", "1:12: is not YAML, a comma is missing before c"),
        ("a: 1\n- b: 2", "2:1: is not YAML, a key has no dash before it; write b:"),
        ("- a: 1\nb: 2", "1:1: is not YAML, a key has no dash before it; write a:"),
        ("a: - b", "1:4: is not YAML, an item of a list starts on a line of its own"),
        ("- a\nb: 1", "2:1: is not YAML, a line of a list that does not start with -"),
        (
            'a: "\\q"',
            "1:6: is not YAML, a backslash that says nothing; in single quotes it is itself",
        ),
        ('a: "\\ud800"', "1:4: is not YAML, an escape that is no character"),
        (
            'a: 1\nb: "\\U00110000"',
            "2:5: is not YAML, an escape that is no character",
        ),
        ("a: *", "1:4: is not YAML, no value starts with * but in quotes"),
        ("a: >b", "1:5: is not YAML, text after > or | starts on the next line"),
        (
            "a: [1]]",
            "1:7: is not YAML, a ] that closes nothing, no [ is open before it",
        ),
        ("a: {b: 1?}", "1:4: is not YAML, a { that is not closed by }"),
        ("a: 1\n---\nb: 2", "2:1: a second document starts here, and a file holds one"),
        ("? [1]\n: 2", "1:3: a key must be a word"),
        ("a: 1\nb: é\x07", "2:5: is not YAML, a character that no text has, U+0007"),
    ],
)
def test_what_is_no_yaml_is_said_plainly_and_placed(text: str, said: str) -> None:
    with pytest.raises(SpecError) as caught:
        compose(text, "x.yaml")
    assert str(caught.value) == f"x.yaml:{said}"
    (problem,) = caught.value.problems
    assert problem.rule in ("yaml", "one-document", "plain-key")


def composed(text: str, loader: Any, monkeypatch: pytest.MonkeyPatch) -> str:
    """All that is made of the text where that parser reads first."""
    monkeypatch.setattr(yaml_nodes, "LOADER", loader)
    compose.cache_clear()
    try:
        return repr(compose(text, "x.yaml"))
    except SpecError as error:
        return repr(error.problems)


def half_typed(text: str, draw: Random) -> str:
    """The text with some characters gone, others put in, or its end not yet there."""
    for _ in range(draw.randint(1, 3)):
        at, kind = draw.randrange(len(text) + 1), draw.random()
        if kind < 0.4:
            text = text[:at] + text[at + draw.randint(1, 9) :]
        elif kind < 0.8:
            text = text[:at] + draw.choice(TYPED) + text[at:]
        else:
            text = text[:at]
    return text


TYPED = "{}[],:#&*!|>'\"%@`-?\\ \n\t\r\x85\u2028\ufeff\0é\U0001f600a1"


def test_where_no_parser_in_c_is_nothing_is_read_otherwise(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As in a browser: the same values, places and problems, of half-typed specs, too."""
    pytest.importorskip("yaml._yaml")
    draw = Random(17)
    wrong = [p.read_bytes().decode(errors="replace") for p in CASES]
    shipped = [p.read_text(encoding="utf-8") for p in Path("specs").rglob("*.yaml")]
    typed = [half_typed(draw.choice(wrong + shipped), draw) for _ in range(600)]
    documents = [text for text in (*wrong, *typed) if len(text) < 5000]
    for text in documents:
        pair = (composed(text, each, monkeypatch) for each in PARSERS)
        assert next(pair) == next(pair), text
    compose.cache_clear()


CASES = sorted(Path("tests/errors").glob("*.yaml"))
PARSERS = [yaml_nodes.LOADER, yaml.SafeLoader]


@pytest.mark.parametrize(
    ("text", "rule", "said"),
    [
        (
            "a: [1, &b 2]",
            "anchor",
            "1:8: a[1]: anchors and aliases are refused, got &b; ",
        ),
        ("a: !!str 2", "tag", "1:4: a: tags are refused, got tag:yaml.org,2002:str"),
        (
            "a: " + "9" * 41,
            "long-number",
            "1:4: a: a number of 41 characters is refused",
        ),
    ],
)
def test_what_is_wrong_and_does_not_stop_the_reading(
    text: str, rule: str, said: str
) -> None:
    node, (problem,) = compose(text, "x.yaml")
    assert problem.rule == rule
    assert str(problem).startswith(f"x.yaml:{said}")
    assert node.data.keys() == {"a"}


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("resnet18", "resnet18"),
        ("resnet50d", "resnetd/resnet50d"),
        ("resnetd/resnet50d", "resnetd/resnet50d"),
    ],
)
def test_a_name_is_the_spec_that_ships(name: str, meant: str) -> None:
    assert spec_path(name).samefile(f"specs/{meant}.yaml")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("nosuch", "is no file, and no spec that ships"),
        (
            "resnetd/resnet50dd",
            "is no file, and no spec that ships (did you mean resnetd/resnet50d?)",
        ),
        ("resnet50dd", "is no file, and no spec that ships (did you mean resnet50d?)"),
        (
            "resnet50_v1",
            "is the name of several specs, tutorials/resnet50_v1, v1/resnet50_v1",
        ),
    ],
)
def test_a_name_that_no_spec_has_alone_is_refused(name: str, said: str) -> None:
    with pytest.raises(SpecError) as caught:
        spec_path(name)
    (problem,) = caught.value.problems
    assert (problem.rule, problem.message) == ("file", said)
    assert problem.place == Place(name)


def test_what_is_there_is_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file or a folder, a name with a suffix, and standard input."""
    monkeypatch.chdir(tmp_path)
    Path("resnet50").mkdir()
    Path("resnet50", "own.yml").touch()
    Path("resnet101").touch()
    Path("empty").mkdir()
    for name in ("resnet50", "resnet101", "empty", "nosuch.yaml", "-"):
        assert spec_path(name) == Path(name)
    Path("resnet18").mkdir()  # empty, so the spec is meant
    assert spec_path("resnet18").suffix == ".yaml"


WHOLE = Path("specs/resnet18.yaml").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("line", "typed", "said"),
    [
        (
            "head: {classes: 1000}",
            "head: {classes:1000}",
            "head.classes: a space is missing after the colon; write classes: 1000",
        ),
        (
            "head: {classes: 1000}",
            "head:",
            "head: has no value; what follows the last stage, as {classes: 1000}",
        ),
        (
            "title: ResNet-18",
            "title: #1 net",
            'title: has no value, as # begins a comment; write title: "#1 net"',
        ),
        (
            "title: ResNet-18",
            "title: My net: v2  # mine",
            'is not YAML, text with a colon goes in quotes; write title: "My net: v2"',
        ),
        (
            "title: ResNet-18",
            "title: 18",
            'title: must be text, got 18; write "18"',
        ),
        (
            "name: ResNet18",
            "name: Res-Net 18",
            "name: must be a class name in CapWords, as ResNet50, of at most 60 characters, "
            'got "Res-Net 18"; write ResNet18',
        ),
        (
            "stem: {type: conv7x7, width: 64, pool: max}",
            "stem: {type: conv7x7, width: 64, pool: null}",
            "stem.pool: has no value; `stem.type: conv7x7` needs it: max halves height and "
            "width, none keeps them",
        ),
    ],
)
def test_what_beginners_type_is_answered_in_a_sentence(
    line: str, typed: str, said: str, write: Write
) -> None:
    assert line in WHOLE
    with pytest.raises(SpecError) as caught:
        load(write("a.yaml", WHOLE.replace(line, typed)))
    (problem,) = caught.value.problems
    assert problem.said == said
    assert problem.rule in RULES
    assert problem.place.line == WHOLE[: WHOLE.index(line)].count("\n") + 1


def test_an_empty_value_still_takes_an_inherited_one_away(write: Write) -> None:
    write("base.yaml", "groups: 2\nwidths: 3\n")
    text = "extends: base.yaml\ngroups:  # no more\nwidths: null #really\n"
    source = read(write("a.yaml", text))
    assert (source.root.data, source.problems) == ({}, ())


def test_a_value_of_many_lines_is_marked_by_its_first_character() -> None:
    node, _ = compose('a: "b\n  c d"\nb: cde\n', "x.yaml")
    assert [node.value[key].place.length for key in "ab"] == [1, 3]


def test_every_key_and_value_has_its_place() -> None:
    node, _ = compose("a: 1\nb:\n  c: [2, 30]\n", "x.yaml")
    places = {path: str(found.place) for path, found in node.walk()}
    assert places == {
        (): "x.yaml:1:1",
        ("a",): "x.yaml:1:4",
        ("b",): "x.yaml:3:3",
        ("b", "c"): "x.yaml:3:6",
        ("b", "c", 0): "x.yaml:3:7",
        ("b", "c", 1): "x.yaml:3:10",
    }
    assert str(node.value["b"].key) == "x.yaml:2:1"


def test_a_byte_order_mark_and_windows_lines_are_read(write: Write) -> None:
    assert read(write("a.yaml", "\ufeffa: 1\r\nb: 2\r\n")).root.data == {"a": 1, "b": 2}


def test_extends_merges_mappings_and_replaces_the_rest(write: Write) -> None:
    write("base.yaml", "stem: {type: a, width: 1}\ndepths: [1, 2]\nnorm: {eps: 1}\n")
    write("sub/mid.yaml", "extends: ../base.yaml\nstem: {width: 2}\n")
    top = write("top.yaml", "extends: sub/mid.yaml\ndepths: [3]\nnorm: null\n")
    assert read(top).root.data == {"stem": {"type": "a", "width": 2}, "depths": [3]}


def test_name_title_and_claims_are_not_inherited(write: Write) -> None:
    write("base.yaml", "name: A\ntitle: a\nexpect: {params: 1}\ngroups: 1\n")
    assert read(write("top.yaml", "extends: base.yaml\n")).root.data == {"groups": 1}


def test_overrides_are_laid_over_all_and_void_the_claims() -> None:
    network = load("specs/resnet101.yaml", {"head.classes": 10, "depths": [1, 1, 1, 1]})
    assert network.network.classes == 10
    assert network.spec.expect is None
    with pytest.raises(
        SpecError, match=r"^override head.classes=0: head.classes: must be"
    ):
        load("specs/resnet101.yaml", {"head.classes": 0})
    with pytest.raises(SpecError, match="claims 1, and"):
        load("specs/resnet101.yaml", {"expect.params": 1})


def test_an_override_can_take_a_value_away() -> None:
    without = {"block": "basic", "stride_on": None, "expansion": None}
    assert load("specs/resnet50.yaml", without).network.params == 21797672


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("head.classes=10", ("head.classes", 10)),
        ("title=A = B", ("title", "A = B")),
        ("stem={width: 8}", ("stem", {"width": 8})),
        ("paper=", ("paper", None)),
    ],
)
def test_override_reads_values_as_yaml(text: str, expected: tuple[str, Any]) -> None:
    assert override(text) == expected


FORM = "is not of the form key=value, as in head.classes=10"


@pytest.mark.parametrize(
    ("text", "rule", "said"),
    [
        ("head.classes", "override", FORM),
        ("=1", "override", FORM),
        ("a..b=1", "override", FORM),
        ("a=[1", "yaml", "is not YAML, a [ that is not closed by ]"),
        ("title=\udcff", "text", "is not UTF-8 text"),
        (
            "a={b: 1, b: 2}",
            "duplicate-key",
            "b: is given twice, first in line 1; keep one",
        ),
        (
            "a=&x 1",
            "anchor",
            "anchors and aliases are refused, got &x; write the value out, or use extends",
        ),
    ],
)
def test_override_refuses(text: str, rule: str, said: str) -> None:
    with pytest.raises(SpecError) as caught:
        override(text)
    assert str(caught.value) == f"override {text}: {said}"
    assert caught.value.problems[0].rule == rule


def test_a_file_may_be_as_large_as_it_is_said(write: Write) -> None:
    text = "name: A\n#"
    file = write("large.yaml", text + "-" * (LARGEST_FILE - len(text)))
    assert read(file).root.data == {"name": "A"}
    with file.open("a") as more:
        more.write("-")
    with pytest.raises(SpecError, match="is larger than"):
        read(file)


OVERRIDDEN = [
    ({"head.classes": 0}, "head.classes=0: head.classes: must be at least 1, got 0"),
    (
        {"groups": (1, 2)},
        "groups=[1, 2]: groups: needs one entry per stage, got 2; "
        "depths has 4: [3, 4, 23, 3]",
    ),
    (
        {"stem.width.x": 3},
        "stem.width.x=3: stem.width: must be an integer, got a mapping",
    ),
    (
        {"paper": None, "nothing": None},
        "nothing=null: nothing: has no value; give it one or remove the key (null takes away "
        "what is inherited, and nothing is here)",
    ),
    (
        {"head": {"clases": 1}},
        "head={clases: 1}: head.clases: unknown key (did you mean classes?)",
    ),
    (
        {"head": {1: 2}},
        "head={1: 2}: head[1]: unknown key; known here: pre, pool, hidden, classifier, "
        "dropout, bias, classes",
    ),
    ({"title": "\ud800"}, "title=\ud800: title: must be text, got '\\ud800'"),
]


@pytest.mark.parametrize(("overrides", "said"), OVERRIDDEN)
def test_a_wrong_override_is_named_with_its_spec(
    overrides: dict[str, Any], said: str
) -> None:
    with pytest.raises(SpecError) as caught:
        load("specs/resnet101.yaml", overrides)
    name = caught.value.problems[0].rule
    text = f"override {said} [{name}]\n       = in specs/resnet101.yaml\n"
    assert report.text(caught.value.problems) == text


def test_a_mistake_that_an_override_makes_elsewhere_names_it() -> None:
    with pytest.raises(SpecError) as caught:
        load("specs/resnet101.yaml", {"block": "basic", "stride_on": None})
    (problem,) = caught.value.problems
    assert problem.note == (
        "specs/resnet101.yaml extends this file; with block=basic; with stride_on=null; "
        "`expansion: null` takes it away again"
    )
    assert str(problem) == (
        "specs/resnet50.yaml:11:1: expansion: changes nothing here; only a bottleneck reads "
        "it, so remove it"
    )


def test_extends_is_bounded(write: Write) -> None:
    for i in range(20):
        write(f"net{i}.yaml", f"extends: net{i + 1}.yaml\n")
    with pytest.raises(SpecError, match="is the 17th in a row, and 16 are enough"):
        load(write("net.yaml", "extends: net0.yaml\n"))


def test_what_is_wrong_is_said_of_both_files(write: Write) -> None:
    base = write("base.yaml", "extends: resnet50\nnorm: {eps: 1, eps: 2}\n")
    file = write("a.yaml", "extends: base.yaml\nname: A\nname: B\ntitle: A\n")
    with pytest.raises(SpecError) as caught:
        load(file)
    assert [str(problem) for problem in caught.value.problems] == [
        f"{file}:3:1: name: is given twice, first in line 2; keep one",
        f"{base}:2:16: norm.eps: is given twice, first in line 2; keep one",
    ]


@pytest.mark.parametrize(
    ("content", "rule", "said"),
    [
        (None, "file", "cannot be read, no such file or directory"),
        (b"a: \xff", "text", "is not UTF-8 text, byte 3 is 0xff"),
        (b" " * 1_000_001, "file", "is larger than 1,000,000 bytes"),
        (
            b" " * 1_000_000,
            "mapping",
            "must be a mapping of keys to values, got nothing",
        ),
    ],
)
def test_files_that_are_no_specs(
    content: bytes | None, rule: str, said: str, tmp_path: Path
) -> None:
    file = tmp_path / "a.yaml"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(SpecError) as caught:
        read(file)
    (problem,) = caught.value.problems
    assert (problem.place.file, problem.rule, problem.message) == (
        str(file),
        rule,
        said,
    )


def test_a_path_that_is_no_file_is_no_spec(tmp_path: Path) -> None:
    folder = "is a folder, or a family of specs; give one of them"
    for path, said in (
        (tmp_path, folder),
        ("a\0b", "cannot be read, embedded null byte"),
    ):
        with pytest.raises(SpecError) as caught:
            read(path)
        assert str(caught.value) == f"{path}: {said}"


def test_a_spec_extends_one_that_ships_by_its_name(write: Write) -> None:
    own = "name: Mine\ntitle: Mine\nhead: {classes: 7}\n"
    network = load(write("a.yaml", f"extends: resnet50d\n{own}")).network
    assert network.classes == 7
    assert [op.path for op in network.stem][:2] == ["conv1.0", "conv1.1"]
    nested = load(write("b.yaml", f"extends: tutorials/resnet34\n{own}")).network
    assert nested.sizes.largest == 224
    with pytest.raises(SpecError, match=r"did you mean resnet50d\?"):
        load(write("c.yaml", f"extends: resnet50dd\n{own}"))


@pytest.mark.parametrize(
    ("beside", "target", "said"),
    [
        ("base", "resnet50d.yaml", "; resnet50d, without a suffix, ships"),
        ("base", "resnet50dd.yaml", ""),
        ("base", "bas.yaml", " (did you mean base.yaml?)"),
        (
            "resnet1",
            "resnet18.yaml",
            " (did you mean resnet1.yaml?); resnet18, without a suffix, ships",
        ),
        ("base", f"{'a' * 300}.yaml", ""),
    ],
)
def test_a_spec_to_extend_that_is_not_there(
    beside: str, target: str, said: str, write: Write
) -> None:
    write(f"{beside}.yaml", "")
    file = write("a.yaml", f"extends: {target}\n")
    with pytest.raises(SpecError) as caught:
        read(file)
    path = shortened(str(file.with_name(target)))
    assert str(caught.value) == f"{file}:1:10: extends: no such file {path}{said}"
