"""The server: what `predict` says over HTTP, bounds and mistakes, events, and how it ends."""

import asyncio
import json
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, closing, suppress
from http.client import HTTPConnection
from itertools import chain
from pathlib import Path

import httpx
import pytest
import uvicorn
from fastapi.testclient import TestClient

import rnnlp as package
from rnnlp.tasks.export.export import export
from rnnlp.tasks.serve.app import create_app
from rnnlp.tasks.serve.limits import Limits
from rnnlp.tasks.serve.streams import EventResponse

from ..random_models import TEXTS as LONGER
from ..random_models import tagger

GOLDEN = Path(__file__).parents[2] / "folders"
TEXTS = ["Barack Obama visited Berlin.", "", "x y z", "张伟去年在上海。"]


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """All golden models, and the tagger once more as it was exported."""
    loaded = {path.name.split("-")[0]: package.load(path) for path in sorted(GOLDEN.iterdir())}
    folder = export(GOLDEN / "tagging-v1", tmp_path_factory.mktemp("served") / "tagger")
    return {**loaded, "exported": package.load(folder)}


@pytest.fixture(scope="module")
def client(models):
    with TestClient(create_app(models)) as client:
        yield client


@pytest.fixture(scope="module")
def streamer():
    """A model of one direction, and host and port of a real server of it: the test client above
    hands over a request as a whole."""
    model, place = tagger(scheme=None, crf=False), socket.create_server(("127.0.0.1", 0))
    app = create_app({"t": model}, Limits(queue=1, seconds=10))
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [place]})
    thread.start()
    yield model, place.getsockname()
    server.should_exit = True
    thread.join()


def events(text):
    """Names and data of server-sent events."""
    return [
        (match[1] or "", json.loads(match[2]))
        for match in re.finditer(r"(?:event: (\w+)\n)?data: (.*)\n\n", text)
    ]


def test_the_same_dictionaries_as_predict(client, models):
    for name, model in models.items():
        reply = client.post(f"/models/{name}/predict", json={"texts": TEXTS})
        assert reply.json()["answers"] == json.loads(json.dumps(list(model(TEXTS)))), name
    assert {one["name"]: one["engine"] for one in client.get("/models").json()} == {
        **dict.fromkeys(models, "torch"),
        "exported": "onnx",
    }


def test_options_reach_the_model(client, models):
    asked = {"texts": "a", "options": {"count": 3, "seed": 5, "max_length": 4}}
    said = client.post("/models/generation/predict", json=asked).json()["answers"]
    assert said == models["generation"]("a", count=3, seed=5, max_length=4)
    asked = {"texts": TEXTS[:1], "options": {"nbest": 2, "beam_size": 2}}
    said = client.post("/models/translation/predict", json=asked).json()["answers"]
    assert said == models["translation"](TEXTS[:1], nbest=2, beam_size=2)


def test_requests_that_wait_together_are_answered_together(models):
    """Each client gets its own answers, with other options beside it, and alone or not."""
    tagger, met, held = models["tagging"], [], threading.Event()

    class Slow:
        task, writes, engine = "tagging", False, tagger.engine

        def __call__(self, texts, **options):
            met.append(list(texts))
            held.wait(10)
            return tagger(texts, **options)

    texts = [f"Obama {n} in Berlin" for n in range(30)]
    with TestClient(create_app({"t": Slow()}, Limits(batch=8))) as client:

        def ask(number):
            options = {"min_score": 0.9} if number % 5 == 0 else {}
            asked = {"texts": texts[number], "options": options}
            return client.post("/models/t/predict", json=asked).json()["answers"]

        with ThreadPoolExecutor(30) as pool:
            waiting = pool.map(ask, range(30))
            time.sleep(0.3)
            held.set()
            said = list(waiting)
        for number, (answer,) in enumerate(said):
            assert answer == tagger(texts[number], min_score=0.9 if number % 5 == 0 else None)
        assert 1 < max(map(len, met)) <= 8 and sorted(chain.from_iterable(met)) == sorted(texts)
        assert f'rnnlp_batches_total{{model="t"}} {len(met)}' in client.get("/metrics").text


def test_a_flood_is_refused_and_the_server_goes_on(models):
    held = threading.Event()

    class Slow:
        task, writes, engine = "tagging", False, models["tagging"].engine

        def __call__(self, texts, **options):
            held.wait(10)
            return models["tagging"](texts, **options)

    with TestClient(create_app({"t": Slow()}, Limits(queue=3, seconds=0.5))) as client:
        ask = lambda _: client.post("/models/t/predict", json={"texts": "a"}).status_code  # noqa: E731
        with ThreadPoolExecutor(20) as pool:
            codes = list(pool.map(ask, range(20)))
        assert set(codes) == {429, 504}
        held.set()
        assert ask(0) == 200


def test_mistakes_get_one_sentence(client):
    headers = {"Content-Type": "application/json"}

    def post(place, content=b"", **body):
        sent = {"content": content, "headers": headers} if content else {"json": body}
        return client.post(f"/models/{place}", **sent)

    def asked(place, **options):
        return post(f"{place}/predict", texts=["a"] * 9, options=options)

    cases = [
        (400, post("tagging/predict", b"{")),
        (400, post("tagging/predict", b"[" * 100_000)),
        (400, post("tagging/predict", b'{"texts": "\\ud800"}')),
        (400, post("tagging/predict", texts=[1])),
        (400, post("tagging/predict", text="a")),
        (400, asked("tagging", nbest=2)),
        (400, asked("tagging", min_score=2)),
        (400, asked("tagging", explain=True)),
        (400, asked("translation", beam_size=0)),
        (400, asked("translation", nbest=999)),
        (400, asked("translation", attention="x.png")),
        (400, asked("generation", labels="x")),
        (400, asked("generation", labels={"x": "y"})),
        (400, post("tagging/align", text="a")),
        (400, post("tagging/generate", text="a")),
        (400, post("translation/stream", b"a")),
        (400, post("joint/stream", b"a")),
        (404, post("<b>/predict", texts="a")),
        (404, client.get("/nothing")),
        (405, client.get("/models/tagging/predict")),
        (413, post("tagging/predict", texts=["a"] * 257)),
        (413, asked("generation", count=99)),
        (413, post("tagging/predict", b" " * 50_000_000)),
    ]
    for status, reply in cases:
        assert (reply.status_code, list(reply.json())) == (status, ["error"]), reply.text
        assert "\n" not in reply.json()["error"]
    assert client.get("/health").json() == {"status": "ok"}


def test_a_text_is_written_piece_by_piece(client, models):
    for seed in (1, 2):
        asked = {"text": "a", "options": {"seed": seed, "max_length": 12}}
        *pieces, (name, whole) = events(client.post("/models/generation/generate", json=asked).text)
        assert name == "end" and whole == models["generation"]("a", seed=seed, max_length=12)
        assert whole["generated_text"].startswith("a" + "".join(one["piece"] for _, one in pieces))
        assert pieces


@pytest.mark.parametrize("method", ["POST", "PUT"])  # PUT is what curl -T sends
def test_a_text_is_read_as_it_arrives(streamer, method):
    model, place = streamer
    answered, expected = [], model(LONGER[0])["entities"]
    with closing(HTTPConnection(*place, timeout=20)) as line:
        line.putrequest(method, "/models/t/stream")
        line.putheader("Transfer-Encoding", "chunked")
        line.endheaders()
        reply = line.getresponse()
        assert reply.status == 200
        for byte in LONGER[0].encode():
            line.send(b"1\r\n%c\r\n" % byte)
        while len(answered) < 3 and (said := reply.readline()):  # the upload has not ended
            answered += events(said.decode() + reply.readline().decode())
        assert [name for name, _ in answered] == ["", "", ""]
        line.send(b"0\r\n\r\n")
        *answered, end = answered + events(reply.read().decode())
    assert end == ("end", {})
    assert [(one["start"], one["end"]) for _, one in answered] == [
        (one["start"], one["end"]) for one in expected
    ]


def test_whole_texts_and_bad_ones_are_streamed(streamer):
    model, (host, port) = streamer
    address = f"http://{host}:{port}/models/t/stream"
    for text in LONGER:
        *answered, end = events(httpx.post(address, content=text.encode()).text)
        assert [one["word"] for _, one in answered] == [
            one["word"] for one in model(text)["entities"]
        ]
        assert end == ("end", {})
    ((name, said),) = events(httpx.post(address, content=b"\xff").text)
    assert name == "error" and "is not UTF-8" in said["error"]


def test_a_client_that_leaves_frees_its_place(streamer, caplog):
    _, place = streamer
    address = f"http://{place[0]}:{place[1]}/models/t/stream"
    with closing(HTTPConnection(*place, timeout=20)) as line:
        line.putrequest("POST", "/models/t/stream")
        line.putheader("Transfer-Encoding", "chunked")
        line.endheaders()
        line.send(b"4\r\nAnna\r\n")
        assert line.getresponse().status == 200
        assert httpx.post(address, content=b"").status_code == 429  # there is one place
    for _ in range(100):
        if (reply := httpx.post(address, content=b"")).status_code == 200:
            break
        time.sleep(0.05)
    assert reply.status_code == 200 and not caplog.records


@pytest.mark.parametrize("arriving", [False, True])
def test_a_client_that_is_gone_before_the_first_event_frees_its_place(arriving):
    left = []

    @asynccontextmanager
    async def place():
        yield
        left.append(True)

    async def nothing():
        yield ""

    async def receive():
        return {"type": "http.disconnect"}

    async def send(message):
        raise OSError("the connection is closed")

    async def answer():
        entered = place()
        await entered.__aenter__()
        response = EventResponse(nothing(), place=entered, arriving=arriving)
        scope = {"type": "http", "method": "POST", "path": "/", "headers": []}
        with suppress(BaseException):
            await response(scope, receive, send)

    asyncio.run(answer())
    assert left == [True]


def test_alignment(client):
    said = client.post("/models/translation/align", json={"text": "a b"}).json()
    assert len(said["weights"]) == len(said["target"])
    assert {len(row) for row in said["weights"]} == {len(said["source"])}


def test_the_page_and_its_neighbours(client):
    page = client.get("/")
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    assert not re.search(r"https?://|innerHTML", page.text)
    paths = client.get("/openapi.json").json()["paths"]
    assert "/models/{name}/predict" in paths and "/health" in paths
    text = client.get("/metrics").text
    assert re.search(r'^rnnlp_requests_total\{model="tagging",status="200"\} \d+$', text, re.M)


def test_a_process_answers_what_is_in_work_before_it_ends():
    command = [sys.executable, "-m", "rnnlp", "serve", f"t={GOLDEN / 'tagging-v1'}", "--port", "0"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as server:
        try:
            line = server.stderr.readline()
            address = line.split()[0]
            assert line.endswith("serves t (tagging)\n") and "127.0.0.1" in address
            asked = {"texts": ["Obama in Berlin " * 400] * 40}
            with ThreadPoolExecutor(1) as pool:
                reply = pool.submit(
                    httpx.post, f"{address}/models/t/predict", json=asked, timeout=30
                )
                while (
                    'rnnlp_batches_total{model="t"} 1' not in httpx.get(f"{address}/metrics").text
                ):
                    time.sleep(0.01)
                server.send_signal(signal.SIGTERM)
                assert len(reply.result().json()["answers"]) == 40
            assert server.wait(60) == 0  # on a machine with much else to do
        finally:
            server.kill()


def test_names_and_ports(rnnlp):
    folder = GOLDEN / "tagging-v1"
    code, _, err = rnnlp("serve", folder, folder)
    assert code == 2 and "two models are called 'tagging-v1'" in err
    code, _, err = rnnlp("serve", folder, "--queue", "0")
    assert code == 2 and "--queue is 0" in err
