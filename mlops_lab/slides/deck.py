"""Build the deck: read `slides/*.md`, draw and look up what they ask for, write pages that need no network.

Nothing is written unless all is well: each mistake is named with its file and line, all of them at once.
"""

from __future__ import annotations

import io
import os
import re
import shutil
import sys
import tempfile
import warnings
import webbrowser
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops_lab.slides import figures
from mlops_lab.slides import pdf as print_to_pdf
from mlops_lab.slides.lesson_openers import existing

if TYPE_CHECKING:
    from mlops_lab.slides.directives import Deck

__all__ = ["build"]

PARTS = "[0-9][0-9]_*.md"
"""The names of the deck's files, which are read in this order."""

_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_SAID = re.compile(
    r"^(?P<place>.*?): (?:WARNING|ERROR|CRITICAL|SEVERE): (?P<what>.*?)(?: \[[\w.-]+\])?$", re.DOTALL
)


def build(root: Path, *, to: Path | None = None, pdf: bool = False, show: bool = False) -> int:
    """Build the deck into a folder that can be zipped and shown anywhere."""
    sources = root / "slides"
    if not sorted(sources.glob(PARTS)):
        raise ValueError(f"there are no slides: {sources.as_posix()} holds no NN_name.md")
    target = (to or root / "build" / "slides").resolve()
    if target.exists() and not _ours(target):
        raise ValueError(f"{target} holds something else than a deck: name another folder with --to")
    browser = print_to_pdf.find() if pdf else None
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(
        prefix=".slides-", dir=target.parent, ignore_cleanup_errors=True
    ) as name:
        made = Path(name, "deck")
        deck = _build(root, sources, Path(name), made)
        if browser is not None:
            print_to_pdf.print_pdf(browser, made / "print.html", made / "slides.pdf")
        if target.exists():
            shutil.rmtree(target)
        made.replace(target)
    page = target / "index.html"
    slides = len(deck.slides) - len(deck.openers)
    sys.stdout.write(
        f"built {slides} slides ({deck.minutes:g} minutes by their notes) "
        f"and {len(deck.openers)} openers of lessons: {page}\n"
    )
    if pdf:
        sys.stdout.write(f"printed {target / 'slides.pdf'}\n")
    if show:
        webbrowser.open(page.as_uri())
    return 0


def _ours(folder: Path) -> bool:
    return folder.is_dir() and (
        not any(folder.iterdir())
        or ((folder / "_static" / "reveal").is_dir() and (folder / "print.html").is_file())
    )


def _build(root: Path, sources: Path, work: Path, made: Path) -> Deck:
    """Build into `made`, with all that comes and goes in `work`."""
    with warnings.catch_warnings():  # Sphinx adds a filter when it is imported
        try:
            from mlops_lab.slides import directives, write_html
        except ImportError as error:
            raise ValueError(
                f"slides need the packages of the extra 'slides' ({error}): "
                "`python -m mlops_lab slides` installs them"
            ) from error
    copy, built = work / "slides", work / "built"
    shutil.copytree(sources, copy)  # drawn pictures lie beside the sources while Sphinx reads them
    deck = directives.Deck(root, copy)
    for wanted, picture in figures.draw_ahead(figures.asked_for(sorted(copy.glob(PARTS)))):
        deck.keep(*wanted, picture)
    said = io.StringIO()
    try:
        bodies = _read(deck, built, work / "doctrees", said)
    except Exception as error:
        if not _mistakes(said.getvalue(), copy):
            raise ValueError(f"the deck could not be built: {type(error).__name__}: {error}") from error
        bodies = {}
    mistakes = _mistakes(said.getvalue(), copy) or [
        f"slides: lesson {number} exists and has no opener: add {number} to a ```{{lesson-openers}}"
        for number in existing(root)
        if number not in deck.openers
    ]
    if not deck.slides:
        mistakes.append("slides: there is no slide: begin the first file with `# The lecture's title`")
    if mistakes:
        raise ValueError("\n  ".join([f"the deck was not built, {len(mistakes)} to mend:", *mistakes]))
    slides = "".join(bodies[name] for name in sorted(bodies))
    slides = slides.replace('class="part"', 'class="part first"', 1)
    title = next(iter(deck.slides.values()))
    write_html.write(slides, title, built=built, own=copy / "_static", target=made)
    return deck


def _read(deck: Deck, built: Path, doctrees: Path, said: io.StringIO) -> dict[str, str]:
    """Let Sphinx read the files; return each one's slides by its name."""
    from sphinx.application import Sphinx
    from sphinx.util.docutils import docutils_namespace, patch_docutils

    from mlops_lab.slides import directives, slide_layout, write_html

    names = sorted(path.stem for path in deck.sources.glob(PARTS))
    settings: dict[str, Any] = {
        "extensions": ["myst_parser", "sphinx_revealjs"],
        "root_doc": names[0],
        "source_suffix": {".md": "markdown"},
        "include_patterns": [f"{name}.md" for name in names],
        "project": "slides",
        "language": "en",
        "smartquotes": False,
        "pygments_style": "default",
        "myst_enable_extensions": ["colon_fence"],
        "myst_heading_anchors": 0,
        "suppress_warnings": ["toc.not_included", "image.not_readable"],  # the second is told with its line
        "revealjs_html_theme": "revealjs-simple",
        "html_copy_source": False,
        "html_permalinks": False,
    }
    bodies: dict[str, str] = {}

    def keep(app: Sphinx, name: str, template: str, context: dict[str, Any], doctree: object) -> None:
        if name in names:
            bodies[name] = context["body"]

    with patch_docutils(), docutils_namespace():
        app = Sphinx(
            deck.sources,
            None,
            built,
            doctrees,
            "revealjs",
            settings,
            status=None,
            warning=said,
            freshenv=True,
        )
        directives.register(app)
        write_html.register(app)
        app.add_transform(slide_layout.SlideLayout)
        app.connect("html-page-context", keep)
        app.env.deck = deck  # type: ignore[attr-defined]
        app.build(force_all=True)
    return bodies


def _mistakes(said: str, copy: Path) -> list[str]:
    """Make one line of each thing that Sphinx said: the author's file, the line, the mistake."""
    found = []
    for line in _COLOUR.sub("", said).splitlines():
        if not line.strip():
            continue
        match = _SAID.match(line)
        place, what = (match["place"], match["what"]) if match else ("", line)
        place = place.replace(str(copy) + os.sep, "slides/").replace(str(copy), "slides").rstrip(":")
        found.append(f"{place}: {what}".removeprefix(": ") if place or match else f"  {what.strip()}")
    return list(dict.fromkeys(found))
