"""The lecture's slides: Markdown, with figures that are drawn and numbers that are quoted at the build.

`deck.build` makes offline HTML, and a PDF, of the folder `slides/`. Sphinx and what belongs to it come with
the extra `slides`; only the build imports them.
"""

__all__: list[str] = []
