"""Rules for a lesson's code: short cells, plain Python, offline, the same on every machine.

L20 cells too long; L21 too many, or too many in a row; L22 shell or magics; L23 network; L24 a trailing
semicolon; L25 no Python; L26 tags and comments that switch tools off; L27 code that hides or ends the work.
"""

from __future__ import annotations

import ast
import io
import itertools
import math
import re
import statistics
import tokenize
from collections.abc import Iterator
from typing import Any

from mlops_lab.course.notebooks import call_of, text_of

__all__ = ["Found", "code_cells", "parsed", "sizes", "sources"]

_MOST_LINES = 15
"""Lines a code cell may have."""

_MOST_CELLS = 30
"""Code cells a lesson may have besides those that predict, claim, check and hint."""

_MOST_IN_A_ROW = 6
"""Code cells that may follow each other without a word between them."""

Found = tuple[str, int, str]
"""A broken rule: its code, the cell, and what is wrong with the way out."""

_WIDTH = 110
_NETWORK = {
    *("requests", "httpx", "aiohttp", "urllib3", "ftplib", "smtplib", "paramiko", "boto3", "socket"),
    *("openml", "kaggle", "gdown", "huggingface_hub", "datasets", "tensorflow_datasets", "torchvision"),
}
_NETWORK_PARTS = ("urllib.request", "http.client", "xmlrpc.client")
_SHELL = {
    "system",
    "popen",
    "getoutput",
    "getstatusoutput",
    "run_line_magic",
    "run_cell_magic",
    "get_ipython",
}
_RUNNERS = {"run", "call", "check_call", "check_output", "Popen"}
_TOOLS = re.compile(r"\b(pip3?|conda|mamba|apt(-get)?|brew|curl|wget)\b")
_ELSEWHERE = re.compile(
    r"\b(?:https?|ftp|s3|gs|hf)://(?!127\.|localhost|\[::1\]|\{|www\.w3\.org/)", re.IGNORECASE
)
_MAGIC = re.compile(
    r"^\s*(?:[!%?].*|[\w.]+\?{1,2}\s*$|\w+\s*=\s*[!%].*|(?:pip|conda|cd|ls)\s.*)", re.MULTILINE
)
_AUTOMAGIC = {"ls", "pwd", "cd", "who", "whos", "pip", "conda", "history", "env", "matplotlib", "pylab"}
_HIDES = {"exec", "eval", "compile", "__import__", "import_module", "exit", "quit", "_exit", "abort"}
_SWITCH = re.compile(r"#\s*(?:NBVAL_|PYTEST_VALIDATE|noqa|type:\s*ignore|pragma)", re.IGNORECASE)


def code_cells(notebook: Any) -> list[tuple[int, str]]:
    """List a notebook's code cells: place and source."""
    return [(i, text_of(cell)) for i, cell in enumerate(notebook["cells"]) if cell["cell_type"] == "code"]


def parsed(source: str) -> ast.Module | None:
    """Return a cell's syntax tree, or None where it is no Python."""
    try:
        return ast.parse(source)
    except (SyntaxError, ValueError):
        return None


def _size(source: str) -> int:
    r"""Count what a student has to read: lines, or statements where several share a line.

    Blank lines and a solution's markers do not count; a line beyond the page's width counts as several.
    """
    lines = [line for line in source.split("\n") if line.strip() and not line.strip().startswith("### ")]
    read = sum(math.ceil(len(line) / _WIDTH) for line in lines)
    tree = parsed(source)
    return max(read, sum(isinstance(node, ast.stmt) for node in ast.walk(tree)) if tree else 0)


def sizes(notebook: Any) -> Iterator[Found]:
    r"""Check how many code cells there are, and how long."""
    cells = code_cells(notebook)
    for place, source in cells:
        length = max(_size(source), len(source.strip().splitlines()))  # on the page blank lines count, too
        if length > _MOST_LINES:
            yield "L20", place, f"{length} lines or statements; split the cell, {_MOST_LINES} are the most"
    plain = [_size(source) for _, source in cells if not call_of({"source": source})]
    if plain and statistics.median(plain) > 4:
        yield "L20", 0, f"the median code cell has {statistics.median(plain):g} lines; 4 are the most"
    if plain and sum(length > 9 for length in plain) > 0.1 * len(plain):
        yield "L20", 0, "more than a tenth of the code cells have over 9 lines; split the long ones"
    if len(plain) > _MOST_CELLS:
        yield "L21", 0, f"{len(plain)} code cells; {_MOST_CELLS} are the most a student finishes"
    row = 0
    for place, cell in enumerate(notebook["cells"]):
        row = row + 1 if cell["cell_type"] == "code" else 0
        if row == _MOST_IN_A_ROW + 1:
            yield "L21", place, f"more than {_MOST_IN_A_ROW} code cells in a row: say something between them"


def sources(notebook: Any) -> Iterator[Found]:
    """Check that code runs anywhere, offline, and shows what it does."""
    for place, cell in enumerate(notebook["cells"]):
        source = text_of(cell)
        tags = [tag for tag in cell.get("metadata", {}).get("tags", []) if tag != "parameters"]
        if tags:
            yield "L26", place, f"the tag {tags[0]!r}: only `parameters` is used, others hide or switch off"
        if cell["cell_type"] != "code":
            yield from ((code, place, text) for code, text in _markdown(source))
            continue
        if found := _SWITCH.search(source):
            yield "L26", place, f"{found.group(0)!r} switches a tool off: mend what it would find"
        tree = parsed(source)
        if tree is None:
            magic = _MAGIC.search(source)
            if magic:
                yield (
                    "L22",
                    place,
                    f"{magic.group(0).strip()!r} is no Python: use a function a student can read",
                )
            else:
                yield "L25", place, "no valid Python"
            continue
        if _trailing_semicolon(source):
            yield (
                "L24",
                place,
                "a trailing semicolon hides an output and breaks its comparison; write ax = ...",
            )
        yield from ((code, place, text) for code, text in dict.fromkeys(_reach(tree)))


def _markdown(source: str) -> Iterator[tuple[str, str]]:
    """Name what a text would load or run when it is read."""
    if re.search(
        r"!\[[^\]]*\]\(\s*<?https?:|<(?:img|video|audio|source)\b[^>]*https?:", source, re.IGNORECASE
    ):
        yield "L23", "a picture from elsewhere: lessons are read offline"
    if re.search(r"!\[\s*\]\(", source) or re.search(r"<img\b(?![^>]*\balt=.\w)", source, re.IGNORECASE):
        yield "L46", "a picture without a description: write ![what it shows](...)"
    if re.search(r"<(?:script|iframe|object|embed|style|link)\b", source, re.IGNORECASE):
        yield "L45", "HTML that runs, frames or restyles: write plain Markdown"


def _trailing_semicolon(source: str) -> bool:
    """Whether a line of code ends with a semicolon, before a comment or not; one in a text is none."""
    tokens = [
        token
        for token in tokenize.generate_tokens(io.StringIO(source).readline)
        if token.type not in (tokenize.COMMENT, tokenize.NL)
    ]
    ends = (tokenize.NEWLINE, tokenize.ENDMARKER)
    return any(token.string == ";" and after.type in ends for token, after in itertools.pairwise(tokens))


def _reach(tree: ast.AST) -> Iterator[tuple[str, str]]:
    """Name what leaves the notebook (shells, installers, the network), hides code or ends the kernel."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from _imported(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from _imported(f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            if _ELSEWHERE.search(node.value):
                yield "L23", f"{node.value[:60]!r} is an address elsewhere: lessons run offline"
            if "MLOPS_LAB_" in node.value:
                yield "L27", f"{node.value!r} belongs to the course's own machinery: leave it alone"
        elif isinstance(node, ast.Call):
            yield from _called(node)
        elif isinstance(node, ast.Attribute) and (node.attr in _SHELL or node.attr.startswith("fetch_")):
            yield (
                "L22" if node.attr in _SHELL else "L23",
                f"{node.attr} leaves the notebook: lessons run offline",
            )
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Name) and node.value.id in _AUTOMAGIC:
            yield "L22", f"{node.value.id!r} is a magic of IPython: use Python"
        elif isinstance(node, ast.Raise) and "SystemExit" in ast.dump(node):
            yield "L27", "SystemExit ends the kernel, and the cells after it never run"


def _imported(names: Iterator[str]) -> Iterator[tuple[str, str]]:
    for name in names:
        if name.split(".")[0] in _NETWORK or name.startswith(_NETWORK_PARTS):
            yield "L23", f"{name} reaches the network: lessons run offline; use a function of the package"
        last = name.split(".")[-1]
        if last in _SHELL:
            yield "L22", f"{last} runs a shell or a magic: use Python"
        if last.startswith("fetch_"):
            yield "L23", f"{last} downloads: lessons run offline"


def _called(node: ast.Call) -> Iterator[tuple[str, str]]:
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    if name in _SHELL:
        yield "L22", f"{name}() runs a shell or a magic: use Python"
    if name.startswith("fetch_") or name in ("urlopen", "urlretrieve"):
        yield "L23", f"{name}() downloads: lessons run offline"
    # re.compile() and df.eval() are fine: only the built-in functions hide code
    if name in _HIDES and not (isinstance(node.func, ast.Attribute) and name in ("compile", "eval")):
        yield "L27", f"{name}() hides code or ends the kernel: write the code itself"
    if name == "exit" and isinstance(node.func, ast.Attribute):
        yield "L27", "sys.exit() ends the kernel, and the cells after it never run"
    words = " ".join(
        str(part.value)
        for part in ast.walk(node)
        if isinstance(part, ast.Constant) and isinstance(part.value, str)
    )
    shell = any(key.arg == "shell" for key in node.keywords)
    if name in _RUNNERS and (shell or _TOOLS.search(words)):
        yield "L22", f"{name}(...) calls a shell, an installer or a downloader: use Python"
