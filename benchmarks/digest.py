"""What a stored result was measured on: a digest of code, which a move, a merge or a better docstring leaves.

    python benchmarks/digest.py REVISION                  # re-stamp what is the same code as at that revision
    python benchmarks/digest.py REVISION old=new ...      # the same but for definitions that were renamed

A result says of which code it is true. That code is every top-level statement of its sources that the
benchmark reaches by a name, directly or through others, without docstrings, comments, imports, in no order.
So it does not matter in which file a definition stands, nor what else does. A result is re-stamped only where
the code is the same to the letter; everything else is measured again.
"""

from __future__ import annotations

import ast
import hashlib
import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = "mlops_lab"


class _Bare(ast.NodeTransformer):
    """Leave out docstrings and imports; call what an imported module of ours holds by its bare name."""

    def __init__(self, tree: ast.Module) -> None:
        self.ours = {
            alias.asname or alias.name.split(".")[-1]
            for node in ast.walk(tree)
            if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == PACKAGE
            for alias in node.names
        }

    def generic_visit(self, node: ast.AST) -> ast.AST:
        body = getattr(node, "body", None)
        if isinstance(body, list):
            node.body = [each for each in body if not _only_read(each)]  # type: ignore[attr-defined]
            if not node.body and not isinstance(node, ast.Module):  # type: ignore[attr-defined]
                node.body = [ast.Pass()]  # type: ignore[attr-defined]
        return super().generic_visit(node)

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        if isinstance(node.value, ast.Name) and node.value.id in self.ours and node.value.id.islower():
            return ast.copy_location(ast.Name(node.attr, node.ctx), node)
        return self.generic_visit(node)


def _only_read(node: ast.AST) -> bool:
    """Whether a statement measures nothing: an import, or a text that stands alone."""
    if isinstance(node, ast.Expr):
        return isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
    return isinstance(node, (ast.Import, ast.ImportFrom))


def statements(source: str) -> list[str]:
    """Give a module's top-level statements in one form each."""
    tree = ast.parse(source)
    bare = _Bare(tree).visit(tree)
    found = [ast.unparse(ast.fix_missing_locations(each)) for each in bare.body]
    empty = {"pass", "if TYPE_CHECKING:\n    pass"}
    return [each for each in found if each not in empty and not each.startswith("__all__")]


def names(source: str) -> set[str]:
    """Give every name that a source uses, also behind a dot."""
    nodes = list(ast.walk(ast.parse(source)))
    found = {node.id for node in nodes if isinstance(node, ast.Name)}
    found |= {alias.name for node in nodes if isinstance(node, ast.ImportFrom) for alias in node.names}
    return found | {node.attr for node in nodes if isinstance(node, ast.Attribute)}


def reached(parts: Iterable[str], roots: set[str]) -> list[str]:
    """Keep the statements that define a name in `roots`, or one that a kept statement uses."""
    waiting, kept = list(parts), []
    known = set(roots)
    while True:
        now = [part for part in waiting if not (own := _defined(part)) or own & known]
        if not now:
            return kept
        kept += now
        waiting = [part for part in waiting if part not in now]
        known |= set().union(*map(names, now))


def _defined(statement: str) -> set[str]:
    """Give the names that a top-level statement defines; none for one that only acts."""
    (node,) = ast.parse(statement).body
    if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
        return {node.name}
    if isinstance(node, (ast.Assign, ast.AnnAssign)):
        return {
            each.id
            for each in ast.walk(node)
            if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store)
        }
    return set()


def code_digest(
    paths: Iterable[Path], benchmark: Path | None = None, renamed: Mapping[str, str] | None = None
) -> str:
    """Give the SHA-256 of the code in some files, as far as `benchmark` reaches it; of others, the text."""
    parts = []
    others = []
    for path in paths:
        text = path.read_text(encoding="utf-8")
        if path.suffix == ".py":
            parts += statements(text)
        else:
            others.append(text)
    if benchmark is not None:
        parts = reached(parts, names(benchmark.read_text(encoding="utf-8")))
    parts += others
    for old, new in (renamed or {}).items():
        parts = [re.sub(rf"\b{re.escape(old)}\b", new, part) for part in parts]
    return hashlib.sha256("\0".join(sorted(parts)).encode()).hexdigest()


def _sources(root: Path, benchmark: str) -> list[Path]:
    """Ask a benchmark, in a process of its own, which sources it measures."""
    code = f"import {benchmark}; print(*{benchmark}.sources(), sep=chr(10))"
    command = [sys.executable, "-c", code]
    said = subprocess.run(command, cwd=root / "benchmarks", check=True, capture_output=True, text=True)
    return [Path(line) for line in said.stdout.splitlines()]


def restamp(revision: str, renamed: Mapping[str, str]) -> list[str]:
    """Stamp anew each result that was true of `revision` and whose code is the same; name the others."""
    lines = []
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder) / "then"
        git = ["git", "-C", str(ROOT), "worktree"]
        subprocess.run([*git, "add", "--quiet", "--detach", str(tree), revision], check=True)
        try:
            for result in sorted((ROOT / "benchmarks" / "results").glob("*.json")):
                then, now = (_sources(root, result.stem) for root in (tree, ROOT))
                stored = json.loads(result.read_text(encoding="utf-8"))
                own = [root / "benchmarks" / f"{result.stem}.py" for root in (tree, ROOT)]
                was_true = stored["sources_sha256"] == code_digest(then, own[0])
                same = code_digest(then, own[0], renamed) == code_digest(now, own[1])
                if was_true and same:
                    old, new = stored["sources_sha256"], code_digest(now, own[1])
                    result.write_text(result.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
                verdict = "same code" if same else "OTHER CODE: measure it again"
                lines.append(f"{result.stem:20} {verdict if was_true else 'was stale at that revision'}")
        finally:
            subprocess.run([*git, "remove", "--force", str(tree)], check=True)
    return lines


if __name__ == "__main__":
    told = dict(pair.split("=", 1) for pair in sys.argv[2:])
    print("\n".join(restamp(sys.argv[1], told)))
