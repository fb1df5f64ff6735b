"""The look of what a lesson says: quiet HTML cards that read well with and without their style.

A card is a coloured edge beside text that inherits the page's own ink and ground, so that one design serves
light and dark in JupyterLab, VS Code, nbconvert and a printed page. Meaning never rests on colour or sign: it
stands in words. GitHub strips the styles; what remains is paragraphs.
"""

from __future__ import annotations

import html
from collections.abc import Iterable
from functools import cache
from typing import Any

__all__ = ["card", "folded", "lettered", "markdown", "measured", "paragraph", "small", "strong"]

# each has a contrast of at least 3 to 1 on white and on the dark themes' grounds
_EDGES = {"good": "#2e8b57", "bad": "#d0433b", "open": "#b07d10", "ask": "#3a80c9", "tell": "#3a80c9"}
_SIGNS = {"good": "✓", "bad": "✗", "open": "○", "ask": "?", "tell": "→"}


def card(tone: str, title: str, *blocks: str, label: str = "") -> str:
    """Build a card: a sign and a bold line, then blocks of ready HTML."""
    group = f' role="group" aria-label="{html.escape(label, quote=True)}"' if label else ""
    sign = f'<span aria-hidden="true">{_SIGNS[tone]}</span>'
    style = (
        f"border-left: 3px solid {_EDGES[tone]}; padding: 0.1em 0 0.1em 0.9em; margin: 0.4em 0; "
        "max-width: 46em; line-height: 1.5"
    )
    head = _block("p", f"{sign} <strong>{_inline(title)}</strong>")
    return f'<div{group} style="{style}">\n' + "\n".join([head, *blocks]) + "\n</div>"


def markdown(text: str) -> str:
    """Turn Markdown into HTML; HTML inside it is shown as it is written."""
    rendered: str = _renderer()(text)
    return rendered.strip()


@cache
def _renderer() -> Any:
    import mistune

    return mistune.create_markdown(escape=True)


def measured(value: str, *rest: str) -> str:
    """Show a value at the size of text, and what belongs to it (a bound, a source) small behind it."""
    aside = " · ".join(_inline(part) for part in rest if part)
    return _block("p", f'{_inline(value)} &ensp;<small style="opacity: 0.8">{aside}</small>')


def paragraph(text: str) -> str:
    """Wrap plain text in a paragraph; `backticks` become code."""
    return _block("p", _inline(text))


def small(text: str) -> str:
    """Wrap plain text in a paragraph of smaller print."""
    return _block("p", f'<small style="opacity: 0.8">{_inline(text)}</small>')


def strong(text: str) -> str:
    """Wrap plain text in a bold paragraph."""
    return _block("p", f"<strong>{_inline(text)}</strong>")


def lettered(options: Iterable[str]) -> str:
    """List options as a), b), c): the letters are text, so they stay where styles are stripped."""
    items = "\n".join(
        f'<li style="list-style: none; margin: 0.15em 0">{letter}) {_inline(option)}</li>'
        for letter, option in zip("abcdefgh", options, strict=False)
    )
    return f'<ul style="padding-left: 0.6em; margin: 0.25em 0">\n{items}\n</ul>'


def folded(summary: str, text: str) -> str:
    """Hide text behind a line that opens by mouse or keyboard."""
    return (
        f'<details style="margin: 0.25em 0"><summary style="cursor: pointer">{_inline(summary)}</summary>\n'
        f"{paragraph(text)}\n</details>"
    )


def _block(tag: str, content: str) -> str:
    return f'<{tag} style="margin: 0.25em 0">{content}</{tag}>'


def _inline(text: str) -> str:
    pieces = html.escape(text, quote=False).split("`")
    if len(pieces) % 2 == 0:
        return "`".join(pieces)
    return "".join(f"<code>{piece}</code>" if n % 2 else piece for n, piece in enumerate(pieces))
