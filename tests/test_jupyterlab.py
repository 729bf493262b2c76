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
        # A kernel that is idle has no other place where the page says so.
        page.locator(".jp-Notebook-ExecutionIndicator[data-status=idle]").first.wait_for()
        page.get_by_role("menuitem", name="Run", exact=True).click()
        page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
        path = folder / NOTEBOOK.name
        code = _code_cells(path)
        last = f"[{len(code)}]:"
        page.locator(".jp-InputPrompt", has_text=last).wait_for(timeout=1000 * RUN)
        page.keyboard.press("Control+s")
        end = time.monotonic() + START
        while (cells := _code_cells(path))[-1]["execution_count"] is None:
            assert time.monotonic() < end, "the notebook was not saved"
            page.wait_for_timeout(200)
        chromium.close()
    assert [cell["execution_count"] for cell in cells] == list(range(1, len(cells) + 1))
    outputs = [output for cell in cells for output in cell["outputs"]]
    assert not [output for output in outputs if output["output_type"] == "error"]
    assert any("image/png" in output.get("data", {}) for output in outputs)


def _code_cells(path: Path) -> list[dict[str, object]]:
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return [cell for cell in cells if cell["cell_type"] == "code"]
