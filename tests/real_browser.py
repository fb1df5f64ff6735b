"""The Chromium of this machine, for the tests that look at a page as a person does."""

import shutil
from contextlib import contextmanager

import nbformat

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--disable-dev-shm-usage",
]


def leaves(url, base):
    """Say whether a request goes to another machine than the one at `base`."""
    return not url.startswith((base, base.replace("http", "ws"), "data:", "blob:"))


CELLS = """() => {
  const panel = window.jupyterapp?.shell.currentWidget;
  if (!panel?.content?.widgets || panel.sessionContext.session?.kernel?.status !== 'idle') return null;
  const code = panel.content.widgets.filter(w => w.model?.type === 'code');
  return {
    all: code.length,
    run: code.filter(w => w.model.executionCount).length,
    errors: code.flatMap(w => w.model.outputs.toJSON())
                .filter(output => output.output_type === 'error').map(output => output.evalue),
  };
}"""


@contextmanager
def cell_shown(lab, code, *, width=1200, height=900):
    """Run a notebook of one cell in JupyterLab, give its page, and see that it asks no other machine."""
    from playwright.sync_api import sync_playwright

    work, address = lab
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code)])
    book.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(book, work / "one_cell.ipynb")
    base, token = address.split("/lab")[0], address.split("token=")[1]
    foreign = []
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=BROWSER, args=FLAGS)
        page = browser.new_page(viewport={"width": width, "height": height})
        page.set_default_timeout(120_000)
        page.on("request", lambda request: foreign.append(request.url) if leaves(request.url, base) else None)
        page.goto(f"{base}/lab/tree/one_cell.ipynb?token={token}")
        page.wait_for_function(CELLS)
        page.evaluate("window.jupyterapp.commands.execute('notebook:run-all-cells')")
        yield page
        browser.close()
    assert not foreign, f"the page asked another machine: {foreign[:3]}"
