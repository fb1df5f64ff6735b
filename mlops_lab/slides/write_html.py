"""The deck as files: one page that reveal.js shows, one without scripts to print, and what both need.

This module needs Sphinx, which comes with the extra `slides`; only the build of the deck imports it.
"""

from __future__ import annotations

import html
import re
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import sphinx_revealjs
from sphinx.application import Sphinx
from sphinx.writers.html5 import HTML5Translator
from sphinx_revealjs.writers import RevealjsSlideTranslator

from mlops_lab.slides.directives import box, speaker_notes

__all__ = ["register", "write"]

_REVEAL = ("dist/reset.css", "dist/reveal.css", "dist/reveal.js", "plugin/notes/notes.js", "LICENSE")
_NOTES = re.compile(r'<aside class="notes">.*?</aside>\n?', re.DOTALL)
_PAGE = """\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
{styles}
</head>
<body{body_class}>
<div class="reveal">
<main class="slides">
{slides}</main>
</div>
{scripts}</body>
</html>
"""


class SlideTranslator(RevealjsSlideTranslator):  # type: ignore[misc]
    """Write slides one after another, none below another, each with one page of fixed size inside."""

    _open = False

    def visit_section(self, node: Any) -> None:
        """Begin a slide, or a part of one."""
        self.section_level += 1
        if self.section_level > 2:
            return
        self._close()
        classes = " ".join([node["kind"], *node["classes"]])
        self.body.append(f'<section id="{node["slide_id"]}" class="{classes}">\n<div class="page">\n')
        self._open = True

    def depart_section(self, node: Any) -> None:
        """End it."""
        if self.section_level <= 2:
            self._close()
        self.section_level -= 1

    def _close(self) -> None:
        if self._open:
            self.body.append("</div>\n</section>\n")
        self._open = False

    def visit_image(self, node: Any) -> None:
        """Write a picture with its description, and its size where it is known."""
        file = self.builder.images[node["uri"]]
        size = {name: node[f"{name}_px"] for name in ("width", "height") if node.get("width_px")}
        source = f"{self.builder.imgpath}/{file}"
        self.body.append(self.emptytag(node, "img", "", src=source, alt=node["alt"], **size))

    def depart_image(self, node: Any) -> None:
        """Do nothing: a picture has no end."""

    def visit_literal_block(self, node: Any) -> None:
        """Write code with its colours, which need no script."""
        HTML5Translator.visit_literal_block(self, node)


def _begin_box(translator: Any, node: Any) -> None:
    style = " ".join(f"{part}fr" for part in node.get("weights", ()))
    more = {"style": f"grid-template-columns: {style}"} if style else {}
    translator.body.append(translator.starttag(node, "div", **more))


def _end_box(translator: Any, node: Any) -> None:
    translator.body.append("</div>\n")


def _begin_notes(translator: Any, node: Any) -> None:
    translator.body.append('<aside class="notes">\n')


def _end_notes(translator: Any, node: Any) -> None:
    translator.body.append("</aside>\n")


def register(app: Sphinx) -> None:
    """Teach Sphinx how the deck's own nodes are written."""
    app.set_translator("revealjs", SlideTranslator, override=True)
    app.add_node(speaker_notes, revealjs=(_begin_notes, _end_notes))
    app.add_node(box, revealjs=(_begin_box, _end_box))


def write(slides: str, title: str, *, built: Path, own: Path, target: Path) -> None:
    """Write the deck's folder: its two pages, pictures, styles and reveal.js."""
    static = target / "_static"
    reveal = Path(sphinx_revealjs.__file__).parent / "_static" / "revealjs"
    own_files = sorted(path.name for path in own.iterdir() if path.is_file())
    for name in _REVEAL:
        _copy(reveal / name, static / "reveal" / name)
    for name in own_files:
        _copy(own / name, static / name)
    _copy(built / "_static" / "pygments.css", static / "pygments.css")
    if (built / "_images").is_dir():
        shutil.copytree(built / "_images", target / "_images")
    styles = ["pygments.css", *(name for name in own_files if name.endswith(".css") and name != "print.css")]
    scripts = ["reveal/dist/reveal.js", "reveal/plugin/notes/notes.js", *_ending(own_files, ".js")]
    shown = _page(slides, title, ["reveal/dist/reset.css", "reveal/dist/reveal.css", *styles], scripts)
    printed = _page(_NOTES.sub("", slides), title, [*styles, "print.css"], [], "print")
    (target / "index.html").write_bytes(shown.encode("utf-8"))
    (target / "print.html").write_bytes(printed.encode("utf-8"))


def _ending(names: Sequence[str], ending: str) -> list[str]:
    return [name for name in names if name.endswith(ending)]


def _page(slides: str, title: str, styles: Sequence[str], scripts: Sequence[str], kind: str = "") -> str:
    return _PAGE.format(
        title=html.escape(title),
        body_class=f' class="{kind}"' if kind else "",
        styles="\n".join(f'<link rel="stylesheet" href="_static/{name}">' for name in styles),
        scripts="".join(f'<script src="_static/{name}"></script>\n' for name in scripts),
        slides=slides,
    )


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)
