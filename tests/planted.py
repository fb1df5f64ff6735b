"""A miniature lesson into which tests plant defects, and its notebooks as the course stores them."""

import copy
import os
import re
import subprocess
import sys
from pathlib import Path

import nbformat

from mlops_lab.course import notebooks, scaffold_template, time
from mlops_lab.lesson.outputs import MIME

NAME = "00_start_here"
IMPORTS = (
    "import matplotlib.pyplot as plt\n\nfrom mlops_lab.lesson import claim, live, picture, predict, reveal"
)
FIGURE = """\
figure, ax = plt.subplots()
ax.plot([1, 2, 3], [0.9, 0.8, 0.6])
ax.set(xlabel="week", ylabel="accuracy (share of crates)")
picture(ax, "Accuracy falls from week to week.", id="start_here.fall")"""
CLAIM = 'claim("It is a tenth.", 0.1 + seed / 1000, id="start_here.tenth", within=(0.05, 0.15))'
CELLS = (
    ("m", "# 00 A miniature: does it run?"),
    ("imports", IMPORTS),
    ("parameters", "seed = 0"),
    ("code", "numbers = [seed, seed + 1]\nnumbers"),
    ("code", FIGURE),
    ("claim", CLAIM),
    ("answer", "### BEGIN SOLUTION\nanswer = 41 + 1\n### END SOLUTION\nanswer"),
    ("last", 'live("It took {}.", 1.5, "s")'),
)


def lesson(*, alone: bool = False, **changed: str):
    """Build the miniature, never run; a cell is replaced by its name, or added before the last one."""
    known = dict(CELLS[:3]) | {"figure": FIGURE, "numbers": CELLS[3][1]} | dict(CELLS[5:])
    order = ["m", "imports", "parameters", "numbers", "figure", "claim", "answer", "last"]
    for name, source in changed.items():
        if name not in known:
            order.insert(-1, name)
        known[name] = source
    made = []
    for name in order:
        kind = nbformat.v4.new_markdown_cell if name.startswith("m") else nbformat.v4.new_code_cell
        tags = {"tags": ["parameters"]} if name == "parameters" else {}
        made.append(kind(known[name], id=name, metadata=tags))
    metadata = {"mlops_lab": {"alone": True}} if alone else {}
    return notebooks.normalised(nbformat.v4.new_notebook(cells=made, metadata=metadata))


def course(root: Path, notebook=None, name: str = NAME) -> notebooks.Lesson:
    """Store a lesson's source in a course; its copy is left to `build`."""
    made = notebooks.Lesson(name, root)
    made.source.parent.mkdir(parents=True, exist_ok=True)
    notebooks.write(lesson() if notebook is None else notebook, made.source)
    return made


def hanging():
    """Build a notebook with a cell that takes ten minutes."""
    cells = [
        nbformat.v4.new_code_cell("seed = 0", execution_count=1, metadata={"tags": ["parameters"]}),
        nbformat.v4.new_code_cell("import time\ntime.sleep(600)", execution_count=2),
    ]
    return notebooks.normalised(nbformat.v4.new_notebook(cells=cells))


def replaced(text: str) -> str:
    """Take out what the scaffold's author is asked to replace."""
    return re.sub(r"\n*^Replace: .*", "", text, flags=re.MULTILINE)


def finished(name: str = NAME):
    """Build the scaffold's lesson as if it had been executed; typed outputs hold what the linter reads."""
    made, count = [], 0
    for kind, text in scaffold_template.cells(name):
        source = replaced(text)
        if kind == "text":
            made.append(nbformat.v4.new_markdown_cell(source))
            continue
        count += 1
        tags = {"tags": ["parameters"]} if kind == "parameters" else {}
        made.append(nbformat.v4.new_code_cell(source, metadata=tags, execution_count=count))
        made[-1].outputs = outputs(source)
    notebook = notebooks.normalised(nbformat.v4.new_notebook(cells=made))
    return time.with_time(notebook, time.estimate(notebook))


def outputs(source: str) -> list:
    """Make up what the calls of a cell display."""
    kinds = {"predict": "prediction", "reveal": "reveal", "claim": "claim", "check": "check", "hint": "hint"}
    made = []
    for call, kind in kinds.items():
        for part in re.split(rf"(?<![.\w]){call}\(", source)[1:]:
            found = re.search(r'id="([^"]*)"' if call == "claim" else r'"([^"]*)"', part)
            if found is None:
                continue
            id = found.group(1)
            payload = {"type": kind, "id": id, "holds": True, "outcome": "right", "text": id, "question": id}
            data = {MIME: payload, "text/plain": id, "text/html": f"<p>{id}</p>"}
            made.append(nbformat.v4.new_output("display_data", data=data))
    return made


def cell(notebook, name: str):
    """Find a cell by its id."""
    return next(cell for cell in notebook["cells"] if cell["id"] == name)


def place(notebook, name: str) -> int:
    return [cell["id"] for cell in notebook["cells"]].index(name)


def with_cell(notebook, name: str, **changed):
    """Return a copy of a notebook in which a cell was changed."""
    made = copy.deepcopy(notebook)
    cell(made, name).update(changed)
    return made


def kernels() -> set[int]:
    """List the kernels that this process started and that still live."""
    if sys.platform == "win32":
        return set()
    listed = subprocess.run(["ps", "-eo", "pid,ppid,args"], capture_output=True, text=True).stdout
    rows = [line.split(None, 2) for line in listed.splitlines()[1:]]
    return {int(row[0]) for row in rows if int(row[1]) == os.getpid() and "ipykernel_launcher" in row[2]}
