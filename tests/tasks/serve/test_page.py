"""The page of the server in a real browser: what is typed, answered and drawn, desk and phone.

Chromium is steered by its own protocol over a web socket; skipped where there is no Chromium.
RNNLP_PICTURES=FOLDER keeps the pictures.
"""

import asyncio
import base64
import itertools
import os
import re
import shutil
import socket
import subprocess
import threading
from pathlib import Path

import aiohttp
import pytest
import uvicorn

import rnnlp
from rnnlp.tasks.serve.app import create_app

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("chrome")
GOLDEN = Path(__file__).parents[2] / "folders"
TEXT = "Barack Obama visited Berlin. <img src=x onerror=\"document.title='taken'\"> 张伟去了上海。"

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs chromium")


@pytest.fixture(scope="module")
def address():
    names = ("tagging", "classification", "translation", "joint")
    models = {name: rnnlp.load(GOLDEN / f"{name}-v1") for name in names}
    place = socket.socket()
    place.bind(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(create_app(models), log_level="error"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [place]})
    thread.start()
    yield f"http://127.0.0.1:{place.getsockname()[1]}/"
    server.should_exit = True
    thread.join()


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    """The address of Chromium's web socket."""
    folder = tmp_path_factory.mktemp("chromium")
    process = subprocess.Popen(
        [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic",
         "--no-first-run", "--disable-background-networking", "--disable-component-update",
         "--disable-sync", "--remote-debugging-port=0", f"--user-data-dir={folder}", "about:blank"],
        stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    for line in process.stderr:
        if actual := re.search(r"DevTools listening on ws://([^/]+)/", line):
            threading.Thread(target=process.stderr.read, daemon=True).start()
            yield f"http://{actual[1]}"
            break
    process.terminate()
    process.wait(30)


class Tab:
    """A page of the browser."""

    def __init__(self, line):
        self._line, self._numbers, self.requests = line, itertools.count(), []

    async def ask(self, method, **parameters):
        number = next(self._numbers)
        await self._line.send_json({"id": number, "method": method, "params": parameters})
        while True:
            said = await self._line.receive_json(timeout=120)
            if said.get("method") == "Network.requestWillBeSent":
                self.requests.append(said["params"]["request"]["url"])
            if said.get("id") == number:
                return said.get("result", {})  # none where the page was just being left

    async def value(self, expression):
        actual = await self.ask(
            "Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True
        )
        return actual.get("result", {}).get("value")

    async def until(self, expression):
        """Waits for what a page may first have to be loaded for."""
        while not await self.value(f"Boolean({expression})"):
            await asyncio.sleep(0.05)


async def use(browser, address, width, height, mobile, name):
    """Types the text as a user does, and tells what is seen."""
    async with aiohttp.ClientSession() as session:
        async with session.put(f"{browser}/json/new?about:blank") as reply:
            place = (await reply.json())["webSocketDebuggerUrl"]
        async with session.ws_connect(place, max_msg_size=0) as line:
            tab = Tab(line)
            await tab.ask("Network.enable")
            await tab.ask(
                "Emulation.setDeviceMetricsOverride", width=width, height=height, mobile=mobile,
                deviceScaleFactor=1,
            )  # fmt: skip
            await tab.ask("Page.navigate", url=f"{address}?lang=en")
            await tab.until("document.querySelectorAll('#models input').length === 4")
            await tab.value("document.getElementById('text').focus()")
            await tab.ask("Input.insertText", text=TEXT)
            await tab.value("document.getElementById('go').click()")
            await tab.until("document.body.dataset.done === '1'")
            seen = await tab.value(
                """({
                    articles: document.querySelectorAll("article").length,
                    errors: document.querySelectorAll(".error").length,
                    marks: [...document.querySelectorAll("article:first-child mark")].map(
                        one => one.firstChild.data),
                    bars: document.querySelectorAll(".label").length,
                    cells: document.querySelectorAll("td").length,
                    images: document.images.length,
                    title: document.title,
                    wide: document.documentElement.scrollWidth - innerWidth,
                    button: document.getElementById("go").getBoundingClientRect().height,
                })"""
            )
            await tab.value("document.getElementById('language').click()")
            await tab.until("document.body.dataset.done === '2'")
            seen["language"] = await tab.value("document.documentElement.lang")
            if folder := os.environ.get("RNNLP_PICTURES"):
                picture = await tab.ask("Page.captureScreenshot", captureBeyondViewport=True)
                Path(folder, f"{name}.png").write_bytes(base64.b64decode(picture["data"]))
            await tab.ask("Page.close")
            return seen, tab.requests


@pytest.mark.parametrize(
    ("name", "width", "height", "mobile"),
    [("desk", 1280, 800, False), ("phone", 390, 844, True)],
)
def test_the_page(browser, address, name, width, height, mobile):
    seen, requests = asyncio.run(use(browser, address, width, height, mobile, name))
    assert seen["articles"] == 4 and not seen["errors"]
    (actual,) = rnnlp.load(GOLDEN / "tagging-v1")([TEXT])
    assert seen["marks"] == [entity["word"] for entity in actual["entities"]] != []
    assert seen["bars"] >= 4 and seen["cells"] > 20  # of labels, and of the alignment
    assert seen["images"] == 0 and seen["title"] != "taken"  # what is typed is text
    assert seen["wide"] <= 0  # nothing to scroll sideways
    assert seen["button"] >= 30  # a finger meets it
    assert seen["language"] == "zh-CN"
    assert requests and all(url.startswith(address) or url == "about:blank" for url in requests)
