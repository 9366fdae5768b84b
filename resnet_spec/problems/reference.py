"""What there is to read about a rule, and the page of all of them, `docs/rules.md`."""

from __future__ import annotations

from collections.abc import Iterator

from resnet_spec.problems.rules import RULES, Rule

INTRODUCTION = """\
# The rules, one by one

Each problem that is reported ends with the name of its rule in brackets. Here is, for each
rule, why it exists, a spec that breaks it, and the smallest fix. On the command line,
`resnet-spec rule stage-count` says the same, and what the wrong spec prints.

This page is the output of `resnet-spec rule --markdown`.
"""


def markdown() -> str:
    """The page, a section for each rule."""
    sections = (f"\n## `{name}`\n\n{section(rule)}" for name, rule in RULES.items())
    return INTRODUCTION + "".join(sections)


def section(rule: Rule) -> str:
    """All that is known of a rule, as Markdown."""
    summary = rule.summary[0].upper() + rule.summary[1:]
    parts = [f"{summary}. {rule.explanation}\n"]
    parts += [f"{kind}:\n\n```yaml\n{spec}```\n" for kind, spec in specs(rule)]
    return "\n".join(parts)


def plain(rule: Rule) -> str:
    """The explanation and both specs, without markup."""
    shown = (f"\n{kind}:\n\n{spec}" for kind, spec in specs(rule))
    return "".join((f"{rule.explanation}\n", *shown))


def specs(rule: Rule) -> Iterator[tuple[str, str]]:
    """What each of a rule's specs is, and its text."""
    if rule.wrong:
        yield "Wrong", rule.wrong
        yield "Right", rule.right
