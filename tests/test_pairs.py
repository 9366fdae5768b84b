"""Every pair of ordinary choices on two networks: built, or refused with a reason that is
listed.

`python -m tests.test_pairs` lists them anew, to be read before that is committed.
"""

from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from typing import Any

from resnet_spec import SpecError, load
from resnet_spec.problems.words import flow

Fields = dict[str, Any]

LISTED = Path("tests/tables/refused_pairs.txt")
MOST = 20
BASIC: dict[str, Fields] = {
    "silu": {"activation": "silu"},
    "gn": {"norm.type": "group", "norm.groups": 8},
    "evonorm": {"norm.type": "evonorm_s0", "norm.groups": 8},
    "frn": {"norm.type": "frn"},
    "preact": {
        "preact": {"shortcut": "activated", "stem_norm": False, "final_norm": True}
    },
    "deep": {"stem.type": "deep"},
    "tiered": {"stem.type": "tiered"},
    "se": {"attention": "se"},
    "eca": {"attention": "eca"},
    "avgdown": {"shortcut": "avg_projection"},
    "zero_pad": {"shortcut": "zero_pad_after"},
    "always": {"shortcut": "projection_always"},
    "aa": {"anti_alias": "avg"},
    "blur": {"anti_alias": "blur"},
    "sk": {
        "spatial.type": "selective_kernel",
        "spatial.ratio": 0.0625,
        "spatial.divisor": 8,
        "spatial.split": True,
    },
    "std": {"standardization.eps": 1e-5},
    "dilate": {
        "strides": [1, 2, 1, 1],
        "dilations": [1, 1, 2, 4],
        "dilation_from": "previous",
    },
    "droppath": {"drop_path": 0.1},
    "zero_init": {"init.zero_last_norm": True},
    "max_blur": {"stem.pool": "max_blur"},
    "convpool": {"stem.pool": "conv"},
}
BOTTLENECK: dict[str, Fields] = BASIC | {
    "se_mid": {"attention": "se", "attention_after": "conv2"},
    "res2": {"spatial.type": "res2net", "spatial.scale": 4},
    "resnest": {
        "spatial.type": "split_attention",
        "spatial.radix": 2,
        "spatial.pool": "after",
    },
    "groups": {"groups": 32, "width_per_group": 4},
    "v1": {"stride_on": "conv1"},
}
CHOICES = {"resnet50": BOTTLENECK, "resnet18": BASIC}


def pairs() -> Iterator[tuple[str, str, Fields]]:
    """Each base, and the choices that do not say one field in two ways."""
    for base, choices in CHOICES.items():
        for (one, mine), (two, others) in combinations(choices.items(), 2):
            if all(mine[field] == others[field] for field in mine.keys() & others):
                yield base, f"{one} {two}", first(base, mine | others)


def first(base: str, fields: Fields) -> Fields:
    """With what a first block reads whose shortcut is the identity, where there is one."""
    same = base == "resnet18" and fields.get("shortcut") != "projection_always"
    if same and "preact" in fields:
        return fields | {"preact": {**fields["preact"], "first": "own"}}
    return fields


def refused() -> list[str]:
    found = []
    for base, names, fields in pairs():
        try:
            load(base, fields)
        except SpecError as error:
            said = (
                f"{flow('.'.join(map(str, p.path)))}: {p.message}"
                for p in error.problems
            )
            found.append(f"{base} {names}: {'; '.join(said)}\n")
    return found


def test_few_pairs_are_refused_each_with_its_reason() -> None:
    found = refused()
    assert "".join(found) == LISTED.read_text(encoding="utf-8")
    assert len(found) < MOST
    assert len([*pairs()]) > 500


def test_each_choice_alone_builds() -> None:
    for base, choices in CHOICES.items():
        for fields in choices.values():
            load(base, first(base, fields))


if __name__ == "__main__":
    LISTED.write_text("".join(refused()), encoding="utf-8")
