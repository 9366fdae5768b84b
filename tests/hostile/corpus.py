"""Documents made to be slow, large, deep or misread. Crashes found by fuzzing join them."""

from pathlib import Path

FULL = """\
name: Hostile
title: A hostile spec
input: [3, 224, 224]
stem: {type: conv7x7, width: 64, pool: max}
block: bottleneck
stride_on: conv2
expansion: 4
depths: [3, 4, 6, 3]
widths: [64, 128, 256, 512]
strides: [1, 2, 2, 2]
shortcut: projection
head: {classes: 1000}
"""


def changed(old: str, new: str) -> str:
    assert old in FULL
    return FULL.replace(old, new)


BOMB = ["a: &a [x, x, x, x, x, x, x, x, x]"]
for before, key in zip("abcdefgh", "bcdefghi", strict=True):
    BOMB.append(f"{key}: &{key} [{', '.join(['*' + before] * 9)}]")

CORPUS: dict[str, str | bytes] = {
    "alias_bomb": "\n".join(BOMB),
    "self_alias": "&a [*a, *a]\n",
    "deep_flow": "[" * 100_000,
    "deep_flow_maps": "{a: " * 100_000,
    "deep_block": "\n".join(" " * i + "a:" for i in range(400)),
    "deep_one_line": "- " * 100_000,
    "digits": FULL + "groups: " + "9" * 990_000 + "\n",
    "hex_digits": FULL + "groups: 0x" + "f" * 990_000 + "\n",
    "float_digits": FULL + "norm: {eps: 0." + "0" * 500_000 + "1}\n",
    "billion_blocks": changed("[3, 4, 6, 3]", "[1000000000, 1, 1, 1]"),
    "most_blocks": changed("[3, 4, 6, 3]", "[5000, 5000, 5000, 5000]"),
    "many_stages": changed("[3, 4, 6, 3]", str([1] * 100))
    .replace("[64, 128, 256, 512]", "64")
    .replace("[1, 2, 2, 2]", "2"),
    "large_strides": changed("[1, 2, 2, 2]", "65536"),
    "surrogates": b"name: \xed\xa0\x80\n",
    "surrogate_escape": 'name: "\\ud800"\n',
    "nul": b"name: a\0b\n",
    "nul_escape": 'name: "a\\0b"\n',
    "not_utf8": b"\xff\xfe\x00\x00name",
    "utf16": "name: x\n".encode("utf-16"),
    "many_keys": "".join(f"k{i}: 1\n" for i in range(90_000)),
    "many_duplicates": "k: 1\n" * 150_000,
    "many_entries": changed("[3, 4, 6, 3]", "[" + "1," * 400_000 + "1]"),
    "many_bad_entries": changed("[3, 4, 6, 3]", "[" + "x," * 400_000 + "x]"),
    "long_key": "k" * 900_000 + ": 1\n",
    "long_line": FULL + "title2: " + "x y " * 200_000 + "\n",
    "spaces_in_a_line": "a: b: c" + " " * 900_000 + "d",
    "spaces_without_a_colon": "a: 1\nb c" + " " * 900_000 + ":d\ne: 1\n",
    "word_without_a_colon": "a: 1\n" + "b" * 900_000 + '"\nc: 1\n',
    "keys_called_as_unions_are": FULL + '"<one>": 1\nnorm: {"<own>": []}\n',
    "many_documents": "--- a\n" * 100_000,
    "many_anchors": "".join(f"k{i}: &a{i} 1\n" for i in range(60_000)),
    "many_tags": "".join(f"k{i}: !t 1\n" for i in range(60_000)),
    "python_tag": 'a: !!python/object/apply:os.system ["touch /tmp/owned"]\n',
    "merge_keys": "<<: {a: 1}\n<<: {b: 2}\n",
    "comments": "# x\n" * 250_000,
    "tabs": "\t\t\tname: x\n",
    "directives": "%YAML 1.1\n%TAG ! tag:x,2000:\n---\nname: x\n",
    "unicode_line_ends": "name: a\u2028b: c\u2029d\u0085e\n",
    "bidi": changed("A hostile spec", "A \u202e hostile spec"),
    "too_large": "# " + "x" * 1_100_000 + "\n",
    "extends_itself": "extends: extends_itself.yaml\n",
    "extends_device": "extends: /dev/zero\n",
    "extends_nul": 'extends: "a\\0b.yaml"\n',
    "extends_long": "extends: " + "a/" * 5000 + "b.yaml\n",
    "infinite": FULL + "norm: {eps: .inf, momentum: .nan}\n",
    "slow_divisors": changed("[64, 128, 256, 512]", "[34, 119, 65521, 512]")
    + "groups: [3, 4, 6, 3]\n",
}
"""The documents by name; text is UTF-8, bytes are as they are."""


def written(name: str, folder: Path) -> Path:
    """The document as a file in the folder."""
    file = folder / f"{name}.yaml"
    data = CORPUS[name]
    file.write_bytes(data if isinstance(data, bytes) else data.encode())
    return file
