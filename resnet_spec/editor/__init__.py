"""What an editor asks of the text of a spec, saved or not, half typed or wrong.

    from resnet_spec.editor import Document, check, completions, definition, hover

    document = Document(text, file, unsaved)

`file` is a path, relative or absolute, that need not be there; messages call the file so.
`unsaved` has the texts of other files that are being edited, by absolute `Path`; `extends`
reads those before the disk. Lines and columns count from 1, columns in code points; a line
ends where YAML ends one (`Document.offset` and `Document.place` go to an index of the text
and back). Nothing is written; what was read last of a few texts is kept, and gives the
same answers.

    check(document)        Checked(problems, compiled): the problems that `resnet-spec check
                           FILE` prints, in its order and words; or its warnings, and the
                           `Compiled`, whose `network` the emitters take. `problem.place` is
                           None or has file, line, column and length; where `place.file` is
                           not `document.name`, the mistake is in a file that is extended.
    hover(document, line, column, compiled=None)
                           Hover(text, place) or None: Markdown, and the word it is about.
                           With `compiled`, entries of depths and widths say their stage.
    completions(document, line, column)
                           [Completion(label, kind, about, edit)], kind is `key` or `value`.
    definition(document, line, column)
                           the Place of the file that `extends` names, or None.
    fixes(document, problem)
                           [Fix(title, edits)] for a problem of `check`, the likeliest first:
                           what a click on its message writes, always in this document.
    formatted(document)    [Edit]: its fields in the order of the reference, comments kept.
    written_out(document)  [Edit]: what it inherits, in place of `extends`; it says the same.
    edited(document, *edits)
                           the document after edits: Edit(line, column, end_line,
                           end_column, text), which replace up to the end, exclusive.
"""

from resnet_spec.editor.checking import Checked, check
from resnet_spec.editor.completing import Completion, completions
from resnet_spec.editor.document import Document, Edit, edited
from resnet_spec.editor.fixing import Fix, fixes
from resnet_spec.editor.formatting import formatted
from resnet_spec.editor.hovering import Hover, hover
from resnet_spec.editor.inheriting import written_out
from resnet_spec.editor.linking import definition

__all__ = [
    "Checked",
    "Completion",
    "Document",
    "Edit",
    "Fix",
    "Hover",
    "check",
    "completions",
    "definition",
    "edited",
    "fixes",
    "formatted",
    "hover",
    "written_out",
]
