"""A notebook runs to its end in JupyterLab, in a browser, as people run it."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

NOTEBOOK = Path(__file__).parents[1] / "notebooks" / "02_emulate.ipynb"
#: Names of one browser.
CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
#: Seconds until the page stands, and until all cells ran, on a machine that is busy.
START, RUN = 240, 900

browser = next(filter(None, map(shutil.which, CHROMIUM)), None)
missing = [name for name in ("jupyterlab", "playwright") if importlib.util.find_spec(name) is None]

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(browser is None, reason="no Chromium on PATH; apt install chromium"),
    pytest.mark.skipif(bool(missing), reason=f"not installed: pip install {' '.join(missing)}"),
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A checkout with this notebook alone, without the outputs that are saved in it."""
    document = json.loads(NOTEBOOK.read_text(encoding="utf-8"))
    for cell in document["cells"]:
        if cell["cell_type"] == "code":
            cell.update(outputs=[], execution_count=None)
    path = tmp_path / "notebooks" / NOTEBOOK.name
    path.parent.mkdir()
    path.write_text(json.dumps(document), encoding="utf-8")
    return path.parent


@pytest.fixture
def address(folder: Path, tmp_path: Path) -> Iterator[str]:
    """Address of a JupyterLab that shows the folder and knows no settings of this user."""
    runtime = tmp_path / "runtime"
    own = {"JUPYTER_RUNTIME_DIR": runtime, "JUPYTER_CONFIG_DIR": tmp_path / "config"}
    own |= {"JUPYTER_DATA_DIR": tmp_path / "data", "IPYTHONDIR": tmp_path / "ipython"}
    own |= {"JUPYTERLAB_SETTINGS_DIR": tmp_path / "lab", "JUPYTERLAB_WORKSPACES_DIR": tmp_path}
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", f"--notebook-dir={folder}"]
    # Port 0 is any free one. Root must say so; the news ask a server outside.
    command += ["--ServerApp.port=0", "--allow-root"]
    command += [
        "--LabApp.news_url=None",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
    ]
    log = tmp_path / "jupyterlab.log"
    environment = {**os.environ, **{name: str(path) for name, path in own.items()}}
    with log.open("wb") as output:
        server = subprocess.Popen(command, env=environment, stdout=output, stderr=output)
    try:
        yield _address(server, runtime, log)
    finally:
        server.terminate()
        server.wait(60)


def _address(server: subprocess.Popen[bytes], runtime: Path, log: Path) -> str:
    """The server writes its address into a file when it listens."""
    end = time.monotonic() + START
    while time.monotonic() < end:
        for file in runtime.glob("jpserver-*.json"):
            found = json.loads(file.read_text(encoding="utf-8") or "{}")
            if found.get("url"):
                return f"{found['url']}lab/tree/{NOTEBOOK.name}?token={found['token']}&reset"
        if server.poll() is not None:
            break
        time.sleep(0.2)
    pytest.fail(f"JupyterLab does not start:\n{log.read_text(encoding='utf-8', errors='replace')}")


def test_a_notebook_runs_to_its_end_in_the_browser(address: str, folder: Path) -> None:
    from playwright.sync_api import sync_playwright  # noqa: PLC0415  (not in every environment)

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=browser, args=["--no-sandbox"])
        page = chromium.new_page()
        page.set_default_timeout(1000 * START)
        page.goto(address)
        page.locator(".jp-Notebook .jp-CodeCell").first.wait_for()
        # Cells that run before the kernel stands ask which one is meant.
        page.get_by_text("| Idle").wait_for()
        page.get_by_role("menuitem", name="Run", exact=True).click()
        page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
        cells, end = _code_cells(folder / NOTEBOOK.name), time.monotonic() + RUN
        # The page has only the cells in sight; the file has all. An error ends the run.
        while cells[-1]["execution_count"] is None and not _errors(cells):
            assert time.monotonic() < end, "the last cell did not run"
            page.wait_for_timeout(2000)
            page.keyboard.press("Control+s")
            cells = _code_cells(folder / NOTEBOOK.name) or cells
        chromium.close()
    assert not _errors(cells)
    assert [cell["execution_count"] for cell in cells] == list(range(1, len(cells) + 1))
    assert any("image/png" in output.get("data", {}) for output in _outputs(cells))


def _code_cells(path: Path) -> list[dict[str, Any]]:
    """Cells of the saved notebook; none while it is being written."""
    text = path.read_text(encoding="utf-8")
    cells = json.loads(text)["cells"] if text else []
    return [cell for cell in cells if cell["cell_type"] == "code"]


def _outputs(cells: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [output for cell in cells for output in cell["outputs"]]


def _errors(cells: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [output for output in _outputs(cells) if output["output_type"] == "error"]
