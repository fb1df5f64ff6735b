"""What one build of the deck knows while its files are read."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from mlops_lab.slides.figures import Picture, picture
from mlops_lab.slides.quotes import Quotes

__all__ = ["FIGURES", "PARTS", "Deck"]

PARTS = "[0-9][0-9]_*.md"
"""The names of the deck's files, which are read in this order."""

FIGURES = "_figures"
"""The folder, beside the files that are read, in which drawn pictures are kept."""


@dataclass
class Deck:
    """The deck that is being built: its sources, what it may quote, and what was found so far.

    Parameters
    ----------
    root
        The folder of the course.
    sources
        The folder whose files are read.
    """

    root: Path
    sources: Path
    minutes: float = 0.0
    slides: dict[str, str] = field(default_factory=dict)
    openers: dict[str, str] = field(default_factory=dict)
    drawn: dict[str, Picture] = field(default_factory=dict)

    @cached_property
    def quotes(self) -> Quotes:
        """What slides may quote."""
        return Quotes(self.root)

    def draw(
        self, name: str, size: tuple[float, float] | None, given: Mapping[str, Any]
    ) -> tuple[str, Picture]:
        """Draw a picture into a file, once for each function and its arguments."""
        file = _file(name, size, given)
        if file not in self.drawn:
            self.keep(name, size, given, picture(name, size=size, given=given))
        return file, self.drawn[file]

    def keep(
        self, name: str, size: tuple[float, float] | None, given: Mapping[str, Any], drawn: Picture
    ) -> None:
        """Keep a picture that was drawn elsewhere, for `draw` to find."""
        file = _file(name, size, given)
        path = self.sources / file
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(drawn.svg)
        self.drawn[file] = drawn


def _file(name: str, size: tuple[float, float] | None, given: Mapping[str, Any]) -> str:
    asked = repr((name, size, sorted(given.items())))
    short = re.sub(r"\W+", "-", name.removeprefix("mlops_lab."))
    return f"{FIGURES}/{short}-{hashlib.sha256(asked.encode()).hexdigest()[:8]}.svg"
