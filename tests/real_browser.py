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
def browser():
    """Start the browser."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        started = play.chromium.launch(executable_path=BROWSER, args=FLAGS)
        yield started
        started.close()


@contextmanager
def opened(browser, url, base, *, width, height):
    """Open a page with a memory of its own, and see that it raises nothing and asks no machine but `base`."""
    wrong, foreign = [], []
    context = browser.new_context(viewport={"width": width, "height": height})
    context.set_default_timeout(120_000)
    page = context.new_page()
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("request", lambda asked: foreign.append(asked.url) if leaves(asked.url, base) else None)
    page.goto(url)
    yield page
    context.close()
    assert not wrong
    assert not foreign, f"the page asked another machine: {foreign[:3]}"


@contextmanager
def cell_shown(browser, lab, code, *, name, width=1200, height=900):
    """Run a notebook of one cell in JupyterLab, and give its page."""
    work, address = lab
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code)])
    book.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(book, work / f"{name}.ipynb")
    base, token = address.split("/lab")[0], address.split("token=")[1]
    # a workspace of its own: no tab of another test is open in it
    url = f"{base}/lab/workspaces/{name}/tree/{name}.ipynb?token={token}"
    with opened(browser, url, base, width=width, height=height) as page:
        page.wait_for_function(CELLS)
        page.evaluate("window.jupyterapp.commands.execute('notebook:run-all-cells')")
        yield page
