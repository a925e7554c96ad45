"""Tables in Markdown, which can be read as they are, too."""

from collections.abc import Sequence


def markdown(lines: Sequence[list[str]]) -> str:
    """Return a table with a heading, its first column to the left and the others to the right."""
    from prettytable import PrettyTable, TableStyle

    text = PrettyTable(lines[0])
    text.set_style(TableStyle.MARKDOWN)
    text.align = 'r'
    text.align[lines[0][0]] = 'l'
    text.add_rows(lines[1:])
    return str(text)
