"""The rules that a spec can break, by the names that reports give them.

Data: what is broken, why that is refused and what to do, a spec that breaks the rule and the
smallest fix. Only the command `rule` and SARIF import it, so nothing else pays for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Rule(NamedTuple):
    """`wrong` and `right` are whole specs, and empty where no short spec breaks the rule."""

    summary: str
    explanation: str
    wrong: str = ""
    right: str = ""


def own(base: str, *lines: str, name: str = "Own", title: str = "My own") -> str:
    """A spec that says these lines of another one."""
    head = (f"extends: {base}", f"name: {name}", f"title: {title}")
    return "".join(f"{line}\n" for line in (*head, *lines))


def chain(*ops: str, more: str = "") -> str:
    """A spec whose block has a body of those ops."""
    lines = [
        "block:",
        "  name: OwnBlock",
        f"  body: [{', '.join(ops)}]",
        *[more] * bool(more),
    ]
    return own("resnet18", *lines)


DILATED = (
    "strides: [1, 2, 2, 1]",
    "dilations: [1, 1, 1, 2]",
    "dilation_from: previous",
)
RULES: Mapping[str, Rule] = {
    # --- the file -------------------------------------------------------------------------
    "file": Rule(
        "a spec cannot be found or read, or its source has no path of its own",
        "A SPEC is a file, a folder of them, the name of a spec that ships, which "
        "`resnet-spec list` prints, or `-` for standard input. A file has at most 1,000,000 "
        "bytes. It may have any name; the module that `build` writes is called after it, as "
        "far as Python can import that, `resnet50_os8.py` for `resnet50-os8.yaml`, and two "
        "specs of one build need two modules.",
    ),
    "text": Rule(
        "a file is not UTF-8 text",
        "Specs are read as UTF-8, which every YAML tool reads. Save the file in that encoding; "
        "a byte order mark at its start does no harm.",
    ),
    "yaml": Rule(
        "the text is not YAML",
        "The parser stopped here, and nothing after this place was read, so there may be more "
        "mistakes. The usual causes are a bracket or a quote that is not closed, a key without "
        "a colon and a space, and tabs. Where a bracket or a quote is not closed, the place is "
        "where it opens.",
        wrong=own("resnet50", "depths: [3, 4, 23, 3"),
        right=own("resnet50", "depths: [3, 4, 23, 3]"),
    ),
    "one-document": Rule(
        "a file holds more than one YAML document",
        "A spec describes one network, and a generated file is named after it. Write a file "
        "for each network; `extends` lets them share what they have in common.",
        wrong=own("resnet18", "---", "depths: [3, 4, 6, 3]"),
        right=own("resnet18", "depths: [3, 4, 6, 3]"),
    ),
    "mapping": Rule(
        "a spec is not a mapping of keys to values",
        "A spec says `key: value`, a field on each line. An empty file, a list and a single "
        "word say nothing about a network.",
        wrong="resnet50\n",
        right=own("resnet50"),
    ),
    "plain-key": Rule(
        "a key is a list or a mapping",
        "YAML allows a whole list as a key; the fields of a spec are words. Write one key for "
        "each field.",
        wrong=own("resnet18", "[depths, strides]: [2, 2, 2, 2]"),
        right=own("resnet18", "depths: [2, 2, 2, 2]", "strides: [2, 2, 2, 2]"),
    ),
    "duplicate-key": Rule(
        "a key is given twice",
        "YAML 1.2 requires the keys of a mapping to be unique, yet many parsers keep the last "
        "one in silence, and the network is then not what the first line says. Keep one of "
        "them.",
        wrong=own("resnet50", "depths: [3, 4, 6, 3]", "depths: [3, 4, 23, 3]"),
        right=own("resnet50", "depths: [3, 4, 23, 3]"),
    ),
    "anchor": Rule(
        "an anchor or an alias is used",
        "A chain of aliases makes gigabytes of a page, and a reader has to look elsewhere for "
        "what a field says. Write the value out. What several specs share goes into one that "
        "the others extend.",
        wrong=own("resnet18", "depths: &twos [2, 2, 2, 2]", "strides: *twos"),
        right=own("resnet18", "depths: [2, 2, 2, 2]", "strides: [2, 2, 2, 2]"),
    ),
    "tag": Rule(
        "a tag is used",
        "A tag asks the reader to make something else of a value, for some readers any Python "
        "object. A spec needs none: numbers, words, true, false and null mean what YAML 1.2 "
        "says.",
        wrong=own("resnet50", 'expansion: !!int "4"'),
        right=own("resnet50", "expansion: 4"),
    ),
    "nesting": Rule(
        "values are nested deeper than 8 levels",
        "A spec needs four at most. The limit stops documents made to exhaust memory. "
        "Look for brackets that were not closed where you meant it.",
        wrong=own("resnet50", "depths: [[[[[[[[[3, 4, 6, 3]]]]]]]]]"),
        right=own("resnet50", "depths: [3, 4, 6, 3]"),
    ),
    "size": Rule(
        "a document has more than 4,000 values",
        "A spec of a hundred stages has some thousand values. The limit stops documents "
        "made to exhaust time and memory. Say one value for all stages where they agree.",
    ),
    "long-number": Rule(
        "a number has more than 40 characters",
        "No width, rate or claim needs that many characters. The limit stops documents made to "
        "exhaust time. Write the number shorter, as 1e-5.",
        wrong=own("resnet50", f"norm: {{eps: 0.00001{'0' * 36}}}"),
        right=own("resnet50", "norm: {eps: 0.00001}"),
    ),
    "extends": Rule(
        "`extends` does not lead to a spec",
        "It takes one spec: a path, seen from the folder of the file that says it, or the name "
        "of a spec that ships, without a suffix. Specs may extend one another, up to 16 in a "
        "row and not in a circle.",
        wrong="extends: [resnet50, resnet50d]\nname: Own\ntitle: My own\n",
        right=own("resnet50d"),
    ),
    "null": Rule(
        "null takes away what is not there",
        "`key: null` takes an inherited value away. Where none is inherited, the line changes "
        "nothing, and a misspelled key would go unnoticed. Remove the key, or give it "
        "a value.",
        wrong=own("resnet50", "norm: {momentum: null}"),
        right=own("resnet50", "norm: {momentum: 0.01}"),
    ),
    "override": Rule(
        "--set is not given key=value",
        "`--set` takes the path of a field, an equals sign and a value, which is read as YAML "
        "is: `--set head.classes=10`, `--set 'depths=[3, 4, 23, 3]'`. Quote what your shell "
        "would read otherwise.",
    ),
    "space": Rule(
        "a file with choices in it is taken for one network",
        "With `choices` a file says many networks, a space. `resnet-spec sweep` costs those "
        "and writes the best as specs of their own, which every command takes. A spec that "
        "extends a space has all of it but the choices, and what is expected of them.",
        wrong=own("resnet18", "choices: {stem.width: [32, 64]}"),
        right=own("resnet18", "stem: {width: 32}"),
    ),
    "choices": Rule(
        "the choices of a space are none, contradict, or make too many points",
        "Under `choices` stand fields of a spec, as `widths` or `stem.width`, each with what "
        "it may be: a list, a range as `{from: 1, to: 18}`, or such lists for each stage. "
        "There is one entry at least, and none twice; no field is chosen twice, or chosen and "
        "written in the same file. Fields that only go together are chosen under one key. At "
        "most 100,000,000 points are walked; of more, `--sample` takes some. docs/sweep.md has "
        "all of it.",
    ),
    "range": Rule(
        "what a space expects is no range, or one that no network is within",
        "Under `expect` a space has ranges of `params`, `macs` and `activations`: `<= 1M`, "
        "`>= 500k` or `100M .. 200M`, in quotes where they begin with `>`. Where no network "
        "is within one, the message says from where to where they go.",
    ),
    "features": Rule(
        "features that the network does not have, or together with a changed head",
        "Features are `stem` (before its pool), `pool` (after it) and the stages, as `layer1` "
        "or 1 and so on. Each may be asked for once, and the message lists those of this "
        "network. They take the place of what the head gives, so an override of the head, as "
        "`--set head.classes=10`, would change nothing.",
    ),
    # --- keys and kinds of values ---------------------------------------------------------
    "unknown-key": Rule(
        "a key is not of the language",
        "A key that is misspelled would leave its field at the default, and build another "
        "network than you meant; so every unknown key is refused. For words of other "
        "libraries the message says what to write here.",
        wrong=own("resnet18", "depth: [3, 4, 6, 3]"),
        right=own("resnet18", "depths: [3, 4, 6, 3]"),
    ),
    "missing": Rule(
        "a field that this network needs is not there",
        "Some fields every network needs, others only some of them. A field on which published "
        "code disagrees has no default: `stride_on` is conv1 in the paper and conv2 in "
        "torchvision, and both are called ResNet-50. Write the one that you mean.",
        wrong=own("resnet18", "block: bottleneck", "expansion: 4"),
        right=own("resnet18", "block: bottleneck", "expansion: 4", "stride_on: conv2"),
    ),
    "choice": Rule(
        "a word is not one that the field takes",
        "The field takes one of a few words, which the message lists and docs/language.md "
        "explains.",
        wrong=own("resnet50", "shortcut: avg_project"),
        right=own("resnet50", "shortcut: avg_projection"),
    ),
    "int-type": Rule(
        "a value must be an integer",
        'Nothing is converted: "6" is text, 6.0 is a floating-point number, and true is not '
        "1. Write the integer without quotes and without a point.",
        wrong=own("resnet50", 'depths: [3, 4, "6", 3]'),
        right=own("resnet50", "depths: [3, 4, 6, 3]"),
    ),
    "float-type": Rule(
        "a value must be a number",
        'Nothing is converted: "1e-5" in quotes is text. Without them it is a number, as in '
        "YAML 1.2; YAML 1.1 would want 1.0e-5.",
        wrong=own("resnet50", 'norm: {eps: "1e-5"}'),
        right=own("resnet50", "norm: {eps: 1e-5}"),
    ),
    "string-type": Rule(
        "a value must be text",
        "YAML reads 50 as a number, true as a boolean and ~ as null. Put quotes around "
        "text that looks like one of these.",
        wrong=own("resnet50", title="50"),
        right=own("resnet50", title='"50"'),
    ),
    "bool-type": Rule(
        "a value must be true or false",
        "In YAML 1.2 the words yes, no, on and off are text, and 1 is a number. Write true or "
        "false.",
        wrong=own("resnet50", "init: {zero_last_norm: yes}"),
        right=own("resnet50", "init: {zero_last_norm: true}"),
    ),
    "tuple-type": Rule(
        "a value must be a list",
        "The field has several values by nature: `depths` says by its length how many stages "
        "there are, `input` has channels, height and width. Write them in brackets.",
        wrong=own("resnet18", "depths: 3"),
        right=own("resnet18", "depths: [3, 3, 3, 3]"),
    ),
    "model-type": Rule(
        "a value must be a mapping of keys to values",
        "The field has fields of its own, which docs/language.md lists. Say which of them the "
        "value is for.",
        wrong=own("resnet50", "head: 10"),
        right=own("resnet50", "head: {classes: 10}"),
    ),
    "greater-than-equal": Rule(
        "a number is too small",
        "The message says the least that the field takes. Counts, as of blocks, channels and "
        "pixels, are at least 1: a layer of nothing cannot be built.",
        wrong=own("resnet50", "depths: [3, 4, 0, 3]"),
        right=own("resnet50", "depths: [3, 4, 1, 3]"),
    ),
    "multiple-of": Rule(
        "a number is not a multiple of what it must be one of",
        "Every width of a RegNet is a multiple of 8, and `w_0` is the first of them.",
        wrong=own("regnetx_002", "stages: {regnet: {w_0: 25}}"),
        right=own("regnetx_002", "stages: {regnet: {w_0: 24}}"),
    ),
    "greater-than": Rule(
        "a number is not above its bound",
        "The field takes numbers above the one that the message names, and not that one. A "
        "norm's eps of 0 would divide by zero wherever the variance is zero.",
        wrong=own("resnet50", "norm: {eps: 0}"),
        right=own("resnet50", "norm: {eps: 1e-5}"),
    ),
    "less-than-equal": Rule(
        "a number is too large",
        "The message says the most that the field takes. Shares such as `norm.momentum` are at "
        "most 1; counts have a limit beyond any network, so that a typo does not fill the "
        "memory.",
        wrong=own("resnet50", "norm: {momentum: 10}"),
        right=own("resnet50", "norm: {momentum: 0.1}"),
    ),
    "less-than": Rule(
        "a number is not below its bound",
        "The field takes numbers below the one that the message names, and not that one. A "
        "probability of dropping is below 1, since 1 would leave nothing to learn from.",
        wrong=own("resnet50", "drop_path: 1"),
        right=own("resnet50", "drop_path: 0.1"),
    ),
    "too-short": Rule(
        "a list has too few entries",
        "`input` is channels, height and width; `depths` has at least one stage.",
        wrong=own("resnet50", "input: [224, 224]"),
        right=own("resnet50", "input: [3, 224, 224]"),
    ),
    "too-long": Rule(
        "a list has too many entries",
        "`input` is one image, channels, height and width, without a batch; `depths` has at "
        "most 100 stages.",
        wrong=own("resnet50", "input: [1, 3, 224, 224]"),
        right=own("resnet50", "input: [3, 224, 224]"),
    ),
    "string-too-long": Rule(
        "a text is too long",
        "`title` is the first line of the source's docstring and has at most 75 characters; "
        "the title of a paper has at most 300. What needs more room can be a comment in the "
        "spec.",
        wrong=own("resnet18", title=f"ResNet-18 for {'very ' * 10}small images"),
        right=own("resnet18", title="ResNet-18 for very small images"),
    ),
    "class-name": Rule(
        "the name is not a class name",
        "`name` is the class of the network in its source: CapWords, as PEP 8 has it, of ASCII "
        "letters and digits, at most 60 of them, and none of Python's own words, as None. What "
        "people call the network goes into `title`.",
        wrong=own("resnet50", name="resnet-50"),
        right=own("resnet50", name="ResNet50"),
    ),
    "plain-line": Rule(
        "a text is not one plain line",
        "Titles stand in the docstring of the source, where double quotes could end it and "
        "backslashes mean something else. So they are one line of printable characters without "
        "these, and without spaces around it.",
        wrong=own("resnet50", title='The "best" network'),
        right=own("resnet50", title="The best network"),
    ),
    "empty-line": Rule(
        "a text is empty",
        "A title is what people read first, in the source and in tables. It has at least one "
        "character.",
        wrong=own("resnet50", title='""'),
        right=own("resnet50", title="My own"),
    ),
    "web-address": Rule(
        "a paper's url is not a web address",
        "It is printed for readers to follow, so it begins with http:// or https:// and has "
        "no spaces, quotes or backslashes.",
        wrong=own("resnet50", 'paper: {url: "arXiv:1512.03385"}'),
        right=own("resnet50", "paper: {url: https://arxiv.org/abs/1512.03385}"),
    ),
    "more": Rule(
        "there are more mistakes than a report shows",
        "A report shows the first 100 values and keys that are wrong, and counts the rest. "
        "Correct those first; many of them often have one cause.",
    ),
    "sides": Rule(
        "a height and a width are not two numbers, or alike",
        "A stride of another number along the height than along the width is one word, the "
        "height first: `2x1` halves the height and keeps the width. Where both are alike, one "
        "number says it.",
        wrong=own("resnet18", "strides: [1, 2x2, 2, 2]"),
        right=own("resnet18", "strides: [1, 2, 2x1, 2]"),
    ),
    # --- stages ---------------------------------------------------------------------------
    "stage-count": Rule(
        "a list does not have one entry for each stage",
        "`depths` has one entry for each stage. Every other list by stage needs as many, since "
        "it would not be clear which stages the entries are for. Where all stages agree, one "
        "value without brackets is enough.",
        wrong=own("resnet50", "widths: [64, 128, 256]"),
        right=own("resnet50", "widths: [64, 128, 256, 512]"),
    ),
    "block-count": Rule(
        "there are more than 20,000 blocks",
        "The deepest network of the paper has 1,202 layers. The limit keeps a typo from "
        "filling the memory.",
        wrong=own("resnet50", "depths: [3, 12000, 12000, 3]"),
        right=own("resnet50", "depths: [3, 12, 12, 3]"),
    ),
    "unused": Rule(
        "a field changes nothing in this network",
        "A spec never says a thing that is not so: whoever reads `dropout: 0.3` expects "
        "dropout. The message says which choices read the field; make one of them, or remove "
        "the field. Where it is inherited, `null` takes it away.",
        wrong=own("resnet50", "dropout: 0.3"),
        right=own("resnet50"),
    ),
    "unused-entry": Rule(
        "an entry of a list changes nothing in its stage",
        "The field is read in other stages, and not in this one: a bottleneck that does not "
        "stride has no use for `stride_on`. Write null for that stage.",
        wrong=own("resnet50", "stride_on: [conv1, conv2, conv2, conv2]"),
        right=own("resnet50", "stride_on: [null, conv2, conv2, conv2]"),
    ),
    "said-twice": Rule(
        "a list is written beside the rule that gives it",
        "`stages` gives `depths`, `widths` and `group_width`. Write the rule or the lists; "
        "null takes away what is inherited.",
        wrong=own("regnetx_002", "depths: [1, 1, 4, 7]"),
        right=own("regnetx_002", "stages: {regnet: {d: 14}}"),
    ),
    "rule-of-stages": Rule(
        "the rule in `stages` gives no network that can be built",
        "A RegNet's widths grow from `w_0` by `w_a` with each of `d` blocks, and each is "
        "rounded to `w_0` times a power of `w_m`; blocks of one width are a stage. Those that "
        "ship have a `w_m` of 2 to 2.9, and four stages.",
        wrong=own("regnetx_002", "stages: {regnet: {w_a: 30000}}"),
        right=own("regnetx_002", "stages: {regnet: {w_a: 30}}"),
    ),
    "not-together": Rule(
        "two choices have no meaning together",
        "Each choice works by itself; together they have no meaning, or more than one. "
        "The message says why, and what the other field must be. In this example a pool after "
        "the 3x3 strides in its place, so the 1x1 before it cannot.",
        wrong=own("resnet50", "anti_alias: blur", "stride_on: conv1"),
        right=own("resnet50", "anti_alias: blur", "stride_on: conv2"),
    ),
    "dilation-unused": Rule(
        "the last stage's dilation changes nothing",
        "With `dilation_from: previous` the first block of a stage of bottlenecks keeps the "
        "dilation of the stage before, as in torchvision's `replace_stride_with_dilation`. A "
        "last stage of one block has no other, so its own dilation is never used. Give it "
        "another block, or the dilation of the stage before, or write `dilation_from: own`.",
        wrong=own("resnet50", "depths: [3, 4, 6, 1]", *DILATED),
        right=own("resnet50", "depths: [3, 4, 6, 2]", *DILATED),
    ),
    # --- widths ---------------------------------------------------------------------------
    "groups-divide": Rule(
        "the groups of a 3x3 do not divide its width",
        "A grouped convolution splits its channels evenly; torch.nn.Conv2d refuses anything "
        "else when it is built. The message names the nearest number that divides the widths.",
        wrong=own("resnet50", "groups: 48"),
        right=own("resnet50", "groups: 32"),
    ),
    "whole-groups": Rule(
        "`width_per_group` gives groups a fraction of a channel",
        "Groups have width_per_group channels where `widths` says 64, and in proportion "
        "elsewhere. torchvision rounds down in silence where that is not a whole number; here "
        "it must be one. Change the width or the width of a group.",
        wrong=own("resnext50_32x4d", "widths: [24, 48, 96, 192]", "width_per_group: 4"),
        right=own("resnext50_32x4d", "widths: [24, 48, 96, 192]", "width_per_group: 8"),
    ),
    "stem-width": Rule(
        "the stem's width has no whole parts",
        "The deep stem has convolutions of 1 / 2 of its width, so that must be even; the "
        "tiered stem of 3 / 8 and 1 / 2, so it must be a multiple of 8.",
        wrong=own("resnet50", "stem: {type: tiered, width: 60}"),
        right=own("resnet50", "stem: {type: tiered, width: 64}"),
    ),
    "reduce-first": Rule(
        "`reduce_first` does not divide a width",
        "The first 1x1 of a bottleneck gives the width of the 3x3 over reduce_first, and that "
        "must be a whole number of channels in every stage.",
        wrong=own("resnet50", "reduce_first: 3"),
        right=own("resnet50", "reduce_first: 2"),
    ),
    "pruned-blocks": Rule(
        "`pruned` does not have a width for each block",
        "A pruned network has widths of its own in every block: `conv1` and `conv2` have a "
        "list for each stage with an entry for each block, and `out` has an entry for each "
        "stage. Lists of other lengths belong to other depths.",
        wrong=own(
            "ecaresnet50d",
            "depths: [1, 1, 1, 1]",
            "pruned:",
            "  conv1: [[16], [32], [64], [128]]",
            "  conv2: [[16], [32], [64]]",
            "  out: [64, 128, 256, 512]",
        ),
        right=own(
            "ecaresnet50d",
            "depths: [1, 1, 1, 1]",
            "pruned:",
            "  conv1: [[16], [32], [64], [128]]",
            "  conv2: [[16], [32], [64], [128]]",
            "  out: [64, 128, 256, 512]",
        ),
    ),
    "odd-groups": Rule(
        "groups do not divide the channels of a layer",
        "Group normalization, grouped convolutions after `reduce_first`, and the layers of "
        "SKNet and ResNeSt split channels evenly. The message names the first layer whose "
        "channels they do not divide. Change the groups, or the width of that stage. Those two "
        "also normalize one mean of each channel, and a group of a single number has no "
        "variance.",
        wrong=own("resnet50", "norm: {type: group, groups: 48}"),
        right=own("resnet50", "norm: {type: group, groups: 32}"),
    ),
    "channels-dropped": Rule(
        "a shortcut of zeros would have to drop channels",
        "Option A of the paper (section 4.1) pads with channels of zeros where there are more "
        "of them; it says nothing of stages that narrow. A projection can give any number of "
        "channels.",
        wrong=own("resnet18", "widths: [64, 128, 64, 64]", "shortcut: zero_pad_after"),
        right=own("resnet18", "widths: [64, 128, 64, 64]", "shortcut: projection"),
    ),
    "odd-zeros": Rule(
        "a zero_pad_around shortcut would have to halve an odd number of channels",
        "Half of the new channels are zeros before the input's own and half after them, as in "
        "https://github.com/akamaster/pytorch_resnet_cifar10. An odd number has no half. Give "
        "the stage another width, or write `zero_pad_after`.",
        wrong=own(
            "resnet18", "widths: [64, 129, 256, 512]", "shortcut: zero_pad_around"
        ),
        right=own(
            "resnet18", "widths: [64, 128, 256, 512]", "shortcut: zero_pad_around"
        ),
    ),
    "one-stride": Rule(
        "a layer of one stride is asked for that of a height and of a width",
        "Convolutions and pools take a stride as `2x1`. Blurs, shortcuts of zeros and "
        "convolutions of standardized weights are layers of this package, whose code takes one "
        "number, as in the networks that they are from. Write one number for both sides, or "
        "what the message says in place of the layer.",
        wrong=own("resnet18", "strides: [1, 2x1, 2, 2]", "shortcut: blur_projection"),
        right=own("resnet18", "strides: [1, 2x1, 2, 2]", "shortcut: avg_projection"),
    ),
    "single-weight": Rule(
        "weight standardization would make a layer zero",
        "It subtracts each filter's mean (https://arxiv.org/abs/1903.10520). A filter of a "
        "single weight is its own mean, so the layer would always give zero and never learn. "
        "Give it more input channels, or leave standardization out.",
        wrong=own("resnet50", "standardization: {eps: 1e-8}", "widths: [1, 2, 4, 8]"),
        right=own("resnet50", "standardization: {eps: 1e-8}", "widths: [2, 4, 8, 16]"),
    ),
    # --- the whole network ----------------------------------------------------------------
    "name-taken": Rule(
        "the network has the name of another class in its source",
        "The source of a network defines its blocks and layers as classes, and takes F and "
        "Tensor from torch. A network of the same name would hide one of them.",
        wrong=own("resnet18", name="BasicBlock"),
        right=own("resnet18", name="MyBasicBlock"),
    ),
    "image-too-small": Rule(
        "the image leaves a map too small for a layer that follows",
        "Pools without padding, and blurs, which reflect the border of a map, need some pixels "
        "to work on, and each stride leaves fewer. The message says from which size on images "
        "are large enough. Give a larger input, or take a stride or a pool away.",
        wrong=own("resnetblur50", "input: [3, 8, 8]"),
        right=own("resnetblur50", "input: [3, 64, 64]"),
    ),
    "image-divides": Rule(
        "the image gives a layer a map that it cannot divide",
        "`space_to_depth` cuts a map into squares, and `attention: bat` into 8 x 8 parts. Both "
        "need maps whose sides are multiples of that. The message says which images give them.",
        wrong=own("tresnet_m", "input: [3, 225, 225]"),
        right=own("tresnet_m", "input: [3, 228, 228]"),
    ),
    "pool-fits": Rule(
        "the last map is not as large as the pool of the head",
        "`head.pool` as a number is an average pool of that kernel, as in many tutorials, and "
        "the classifier then needs a last map of just that size. Change the input or the "
        "kernel, or write global, which takes any map.",
        wrong=own("resnet50", "input: [3, 256, 256]", "head: {pool: 7}"),
        right=own("resnet50", "input: [3, 256, 256]", "head: {pool: 8}"),
    ),
    "flat-norm": Rule(
        "a norm of maps stands behind a linear layer",
        "In `head.hidden`, what stands behind a linear layer reads flat features, for which "
        "torch has batch norm and group norm. The other norms need a map: put `norm` before "
        "the first number, leave it out, or choose another `norm.type`.",
        wrong=own("resnet50", "norm: {type: frozen}", "head: {hidden: [512, norm]}"),
        right=own("resnet50", "norm: {type: frozen}", "head: {hidden: [norm, 512]}"),
    ),
    "one-op": Rule(
        "an entry of a chain is no op, or several",
        "An entry of `pre`, `body`, `post` or the chain of a shortcut or a stem is one op: a "
        "word as `norm`, or a mapping as `{conv: 3, stride: block}`, in which one key says "
        "what it is and the others what is said of it.",
        wrong=chain("{conv: 3, pool: max, stride: block}", "norm"),
        right=chain("{pool: max, kernel: 3}", "{conv: 3, stride: block}", "norm"),
    ),
    "op-takes": Rule(
        "an op of a chain does not take what is said of it",
        "Each op takes some keys, which the reference of the language lists; one that it would "
        "pass over is refused, so that a spec never says what is not so.",
        wrong=chain("{conv: 3, kernel: 3, stride: block}", "norm"),
        right=chain("{conv: 3, stride: block}", "norm"),
    ),
    "word-idle": Rule(
        "a word of a chain has nothing to stand for",
        "In a chain `attention`, `dropout` and `spatial` are what the fields of their names "
        "say, and those say nothing by default.",
        wrong=chain("{conv: 3, stride: block}", "norm", "attention"),
        right=chain(
            "{conv: 3, stride: block}", "norm", "attention", more="attention: se"
        ),
    ),
    "never-learns": Rule(
        "a multiplier starts at zero where it would stay there",
        "What is multiplied by zero passes no gradient on, so a `scalar_multiplier` that "
        "starts at 0 learns only where a gradient reaches it past no other zero: once in a "
        "body, behind its last relu, with a shortcut beside it. There the block starts as its "
        "shortcut, as in SkipInit.",
        wrong=chain("{scalar_multiplier: 0}", "activation", "{conv: 3, stride: block}"),
        right=chain("activation", "{conv: 3, stride: block}", "{scalar_multiplier: 0}"),
    ),
    "chain-stride": Rule(
        "a chain strides twice, where it cannot, or not at all",
        "`strides` says by how much the first block of a stage strides, and one op of its body "
        "does so: the one with `stride: block`. What is before the body is read by the "
        "shortcut as well, and what is after the sum would change it.",
        wrong=chain("{conv: 3}", "norm"),
        right=chain("{conv: 3, stride: block}", "norm"),
    ),
    "chain-channels": Rule(
        "the channels of a chain do not fit",
        "A body and a shortcut give `out` channels, which is `expansion` times the width, and "
        "what is before the body keeps those that it reads; a stem gives `stem.width`. "
        "Channels are whole numbers, and groups divide them, in every stage.",
        wrong=chain("{conv: 3, to: width * 2, stride: block}", "norm"),
        right=chain("{conv: 3, stride: block}", "norm"),
    ),
    "channels": Rule(
        "channels of an op are not said as a part of the block's",
        "An op gives `in`, `width` or `out` channels, or one of them times or over a number: "
        "`width * 4`, `out / 2`, `width * 3 / 8`. So they follow the widths of each stage. A "
        "stem has no `out`.",
        wrong=chain("{conv: 3, to: 64, stride: block}", "norm").replace("64", '"64"'),
        right=chain("{conv: 3, to: out, stride: block}", "norm"),
    ),
    "even-kernel": Rule(
        "a kernel is even",
        "A window of an even number of pixels has no middle: padded alike on both sides it "
        "gives a pixel more or less than it reads, and the shortcut could not be added.",
        wrong=chain("{conv: 4, stride: block}", "norm"),
        right=chain("{conv: 5, stride: block}", "norm"),
    ),
    "unequal-shapes": Rule(
        "a block's body and shortcut cannot be added",
        "A block adds its shortcut to its body, so both must give one shape for every image "
        "that the network takes. Each chain of convolutions and pools maps a length h to "
        "(h + a) // s, so two chains agree at all sizes if and only if two numbers are equal, "
        "and the message has an image for which they do not. A pool that rounds down "
        "beside a body that rounds up is the usual case: let both round alike.",
        wrong=own("resnet50", "shortcut: avg_floor_projection"),
        right=own("resnet50", "shortcut: avg_projection"),
    ),
    "untrue-claim": Rule(
        "a claim under `expect` is not so",
        "`expect` says what you know of the network from elsewhere: its parameters, "
        "multiply-adds, shapes or output stride. The message has both numbers. Either the spec "
        "is not yet the network that you mean, or the claim is wrong.",
        wrong=own("resnet18", "expect: {params: 11689513}"),
        right=own("resnet18", "expect: {params: 11689512}"),
    ),
    # --- warnings: lawful, and almost certainly a mistake ---------------------------------
    "strides-one-pixel": Rule(
        "a stage strides where a map has a single pixel",
        "This is a warning. The stride does nothing there, and weights of a 3x3 convolution "
        "read padding alone: eight of the nine, or six where it is one pixel high or wide and "
        "`2x1` or `1x2` strides along that side. Give a larger input, or fewer strides.",
        wrong=own("resnet18", "input: [3, 64, 64]", "strides: [2, 4, 4, 2]"),
        right=own("resnet18", "input: [3, 64, 64]", "strides: [1, 2, 2, 2]"),
    ),
    "one-pixel": Rule(
        "the last map is a single pixel",
        "This is a warning. The head then averages one number, and eight of the nine weights "
        "of a last 3x3 convolution read padding alone. Give a larger input, or fewer strides.",
        wrong=own("resnet18", "input: [3, 64, 64]", "strides: [2, 2, 2, 2]"),
        right=own("resnet18", "input: [3, 64, 64]", "strides: [1, 2, 2, 2]"),
    ),
    "large-stem": Rule(
        "a stem for large images reads a small one",
        "This is a warning. A stem that halves an image, or a pool after it, is made for 224 x "
        "224; of 32 x 32 pixels a 7x7 of stride 2 and a max pool leave 8 x 8 before the first "
        "block. For CIFAR the paper (section 4.2) begins with a 3x3 of stride 1 and no pool.",
        wrong=own("resnet18", "input: [3, 32, 32]", "stem: {type: conv7x7, pool: max}"),
        right=own(
            "resnet18", "input: [3, 32, 32]", "stem: {type: conv3x3, pool: none}"
        ),
    ),
    "channels-last": Rule(
        "the input is written with its channels last",
        "This is a warning. torch has channels first, so [224, 224, 3] is read as 224 "
        "channels of 224 x 3 pixels.",
        wrong=own("resnet50", "input: [224, 224, 3]"),
        right=own("resnet50", "input: [3, 224, 224]"),
    ),
    "widths-outputs": Rule(
        "`widths` has what the blocks give, and not what is inside them",
        "This is a warning. `widths` is the paper's column of inner channels, and a bottleneck "
        "gives `expansion` times as many. Hugging Face's `hidden_sizes` and Keras count what "
        "the blocks give: with those numbers, ResNet-50 has 383 million parameters.",
        wrong=own("resnet50", "widths: [256, 512, 1024, 2048]"),
        right=own("resnet50", "widths: [64, 128, 256, 512]"),
    ),
    "narrow-group": Rule(
        "`width_per_group` is that of many groups, and there is one",
        "This is a warning. ResNeXt-50 32x4d has groups of 4 channels, and 32 of them. Without "
        "`groups` the whole 3x3 has these few channels. Write `groups` as well.",
        wrong=own("resnet50", "width_per_group: 4"),
        right=own("resnet50", "width_per_group: 4", "groups: 32"),
    ),
    "dilation-strides": Rule(
        "a stage dilates more than the one before, and strides as well",
        "This is a warning. A dilated backbone has dilation in place of stride, so that its "
        "maps stay large: `strides: [1, 2, 1, 1]` with `dilations: [1, 1, 2, 4]` gives an "
        "output stride of 8. With both, the map shrinks and the dilation reads past it.",
        wrong=own("resnet50", "dilations: [1, 1, 2, 4]", "dilation_from: previous"),
        right=own(
            "resnet50",
            "strides: [1, 2, 1, 1]",
            "dilations: [1, 1, 2, 4]",
            "dilation_from: previous",
        ),
    ),
    "block-strides": Rule(
        "a list of two strides says no more than its first number",
        "This is a warning. A list in `strides` has the stride of each block of a stage, and a "
        "number is that of the first block, so `[2, 1]` and `2` are the same. As torch writes "
        "it, `(2, 1)` is a height and a width: `2x1` here.",
        wrong=own("resnet18", "strides: [1, 2, [2, 1], 2]"),
        right=own("resnet18", "strides: [1, 2, 2x1, 2]"),
    ),
    "keras-momentum": Rule(
        "the momentum of a norm is counted as Keras counts it",
        "This is a warning. `momentum` is the weight of the newest batch, as in torch, where "
        "0.1 is usual. Keras and TensorFlow count the weight of all batches before: their 0.99 "
        "is 0.01 here.",
        wrong=own("resnet50", "norm: {momentum: 0.99}"),
        right=own("resnet50", "norm: {momentum: 0.01}"),
    ),
}
