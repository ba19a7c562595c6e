"""A real JupyterLab in a real browser: a cell is run, and its picture is looked for on the screen.

The screenshot is left in build/jupyterlab.png.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import nbformat
import PIL.Image
import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webdriver import WebDriver
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.wait import WebDriverWait

pytestmark = pytest.mark.browser

SECONDS = 180
SIDE = 200  # of the picture
TOKEN = "of this test"
SCREENSHOT = Path(__file__).parents[2] / "build" / "jupyterlab.png"
PROGRAM = f"""\
import struct, zlib

class Square:
    def _repr_png_(self):
        def chunk(kind, data):
            sum = struct.pack(">I", zlib.crc32(kind + data))
            return struct.pack(">I", len(data)) + kind + data + sum
        rows = {SIDE} * (b"\\0" + {SIDE} * b"\\xff\\0\\0")
        head = struct.pack(">IIBBBBB", {SIDE}, {SIDE}, 8, 2, 0, 0, 0)
        return b"".join((b"\\x89PNG\\r\\n\\x1a\\n", chunk(b"IHDR", head),
                         chunk(b"IDAT", zlib.compress(rows)), chunk(b"IEND", b"")))

print("drawn in a sandbox")
Square()"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def lab(jupyter_path: Path, tmp_path: Path) -> Iterator[str]:
    """The address of a JupyterLab with the notebook square.ipynb."""
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(PROGRAM)],
        metadata={"kernelspec": {"name": "eryx", "display_name": "Python 3.14 (eryx)"}},
    )
    nbformat.write(notebook, tmp_path / "square.ipynb")
    port = free_port()
    server = subprocess.Popen(
        [
            *(sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root"),
            *("--ServerApp.ip=127.0.0.1", f"--ServerApp.port={port}", "--ServerApp.port_retries=0"),
            *(f"--IdentityProvider.token={TOKEN}", f"--ServerApp.root_dir={tmp_path}"),
            "--LabApp.extension_manager=readonly",
        ],
        env={
            **os.environ,
            "JUPYTER_CONFIG_DIR": str(tmp_path / "config"),
            "JUPYTER_DATA_DIR": str(tmp_path / "data"),
            "JUPYTER_RUNTIME_DIR": str(tmp_path / "runtime"),
        },
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        address = f"http://127.0.0.1:{port}"
        wait_for(f"{address}/api", server)
        yield address
    finally:
        server.terminate()
        server.wait(30)


def wait_for(address: str, server: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + SECONDS
    while True:
        try:
            urllib.request.urlopen(address, timeout=5).close()
            return
        except (urllib.error.URLError, OSError):
            assert server.poll() is None, "JupyterLab has ended"
            assert time.monotonic() < until, "JupyterLab does not answer"
            time.sleep(0.2)


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[WebDriver]:
    driver, chromium = shutil.which("chromedriver"), shutil.which("chromium")
    if driver is None or chromium is None:
        pytest.skip("there are no Chromium and ChromeDriver: make test-jupyter as root has them")
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for word in (
        *("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"),
        *("--window-size=1200,900", f"--user-data-dir={tmp_path / 'chromium'}"),
    ):
        options.add_argument(word)
    made = webdriver.Chrome(options=options, service=Service(driver))
    yield made
    made.quit()


def red_pixels(path: Path) -> int:
    with PIL.Image.open(path) as picture:
        colours = picture.convert("RGB").getcolors(picture.width * picture.height)
    return sum(count for count, colour in colours or () if colour == (255, 0, 0))


def visible(selector: str) -> Callable[[WebDriver], WebElement | None]:
    """Finds the first element that is on the screen."""

    def find(page: WebDriver) -> WebElement | None:
        found = page.find_elements(By.CSS_SELECTOR, selector)
        return next((element for element in found if element.is_displayed()), None)

    return find


def test_cell_shows_its_picture(lab: str, browser: WebDriver) -> None:
    browser.get(f"{lab}/lab/tree/square.ipynb?token={TOKEN.replace(' ', '%20')}")
    wait = WebDriverWait(browser, SECONDS)
    editor = wait.until(visible(".jp-Notebook .cm-content"))
    wait.until(visible(".jp-Notebook-ExecutionIndicator[data-status='idle']"))
    SCREENSHOT.parent.mkdir(exist_ok=True)
    browser.save_screenshot(str(SCREENSHOT))
    assert red_pixels(SCREENSHOT) == 0
    editor.click()
    ActionChains(browser).key_down(Keys.SHIFT).send_keys(Keys.ENTER).key_up(Keys.SHIFT).perform()
    picture = wait.until(visible(".jp-OutputArea-output img"))
    assert "drawn in a sandbox" in browser.find_element(By.CSS_SELECTOR, ".jp-OutputArea").text
    browser.execute_script("arguments[0].scrollIntoView()", picture)
    wait.until(lambda page: picture.get_property("complete"))
    time.sleep(0.5)  # for it to be painted
    browser.save_screenshot(str(SCREENSHOT))
    assert red_pixels(SCREENSHOT) >= 0.9 * SIDE * SIDE
