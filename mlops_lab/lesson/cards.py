"""The look of what a lesson says: small HTML cards that read well with and without their style.

Colours come from JupyterLab's theme, with fallbacks that keep text and ground readable together where no
theme is defined. Meaning never rests on colour: every card opens with a word. GitHub strips the styles; what
remains is paragraphs.
"""

from __future__ import annotations

import html
from collections.abc import Iterable

__all__ = ["card", "folded", "lettered", "paragraph", "small", "strong"]

_INK = "var(--jp-ui-font-color1, #222)"
_GROUND = "var(--jp-layout-color2, #f3f3f3)"
_EDGES = {
    "good": "var(--jp-success-color1, #2e7d32)",
    "bad": "var(--jp-error-color1, #b3261e)",
    "open": "var(--jp-warn-color1, #b26a00)",
    "ask": "var(--jp-brand-color1, #1565c0)",
    "tell": "var(--jp-brand-color1, #1565c0)",
}
_SIGNS = {"good": "✓", "bad": "✗", "open": "○", "ask": "?", "tell": "→"}


def card(tone: str, title: str, *blocks: str, aside: str = "", label: str = "") -> str:
    """Build a card: a sign and a title in words, then blocks of ready HTML."""
    group = f' role="group" aria-label="{html.escape(label, quote=True)}"' if label else ""
    head = f'<span aria-hidden="true">{_SIGNS[tone]}</span> <strong>{html.escape(title)}</strong>'
    if aside:
        head += f" · {html.escape(aside)}"
    style = (
        f"border-left: 5px solid {_EDGES[tone]}; background: {_GROUND}; color: {_INK}; "
        "padding: 0.5em 0.9em; margin: 0.3em 0; max-width: 46em; line-height: 1.45"
    )
    return f'<div{group} style="{style}">\n{_block("p", head)}\n' + "\n".join(blocks) + "\n</div>"


def paragraph(text: str) -> str:
    """Wrap plain text in a paragraph; `backticks` become code."""
    return _block("p", _inline(text))


def small(text: str) -> str:
    """Wrap plain text in a paragraph of smaller print."""
    return _block("p", f"<small>{_inline(text)}</small>")


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
