"""What mkdocs and its theme do otherwise for these pages."""

import re
from typing import Any

from pygments.lexers.shell import BashSessionLexer

# A line that a command prints may begin with `#`, as no prompt of ours does.
BashSessionLexer._ps1rgx = re.compile(r"^(\$ )(.*\n?)")

OPTION = re.compile(r"(?<![\w-])--[a-z][\w-]*")
WORDS = re.compile(r"(?<=<code>)[^<]*(?=</code>)")
SEARCH = '<div class="md-search" data-md-component="search" role="dialog"'


def on_page_content(html: str, **_: Any) -> str:
    """With options that no line breaks between their hyphens and their name."""
    whole = r'<span class="option">\g<0></span>'
    return WORDS.sub(lambda words: OPTION.sub(whole, words[0]), html)


def on_post_page(output: str, **_: Any) -> str:
    """With a name for the dialog of the search, which the theme gives none."""
    return output.replace(SEARCH, f'{SEARCH} aria-label="Search"')
