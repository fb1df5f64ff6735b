"""Sphinx and what belongs to it, which come with the extra `slides`: the one place that imports them.

Only the build of the deck imports this module. Sphinx adds a filter of warnings when it is imported; it is
taken away again, since importing a module of ours changes nothing.
"""

from __future__ import annotations

import warnings

with warnings.catch_warnings():
    try:
        import sphinx_revealjs
        from docutils import nodes
        from docutils.parsers.rst import directives
        from docutils.statemachine import StringList
        from sphinx.application import Sphinx
        from sphinx.transforms import SphinxTransform
        from sphinx.util import logging
        from sphinx.util.docutils import SphinxDirective, docutils_namespace, patch_docutils
        from sphinx.writers.html5 import HTML5Translator
        from sphinx_revealjs.writers import RevealjsSlideTranslator
    except ImportError as error:
        raise ImportError(f"slides need the packages of the extra 'slides' ({error})") from error

__all__ = [
    "HTML5Translator",
    "RevealjsSlideTranslator",
    "Sphinx",
    "SphinxDirective",
    "SphinxTransform",
    "StringList",
    "directives",
    "docutils_namespace",
    "logging",
    "nodes",
    "patch_docutils",
    "sphinx_revealjs",
]
