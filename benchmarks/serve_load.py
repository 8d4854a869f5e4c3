"""Load on `rnnlp serve` on this machine: requests a second, delays, and whether an answer is lost.

    python benchmarks/serve_load.py MODEL --data FILE [--requests 20000] [--quick]

Starts the server itself, with micro-batching and without, and asks it with 1, 8 and 64 clients;
each answer is compared with `predict` (int8 hangs on the batch: take a model in float). Then
a flood beyond the queue, a server that is killed and started again on its port, and with
`--memory N` what it holds over N requests.
"""

import argparse
import json
import re
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from http.client import HTTPConnection
from itertools import islice
from pathlib import Path

import rnnlp


def texts_of(file, most):
    """Texts of a file with one a line, or JSON lines with `text`."""
    with Path(file).open(encoding="utf-8") as lines:
        for line in islice(lines, most):
            yield json.loads(line)["text"] if line.startswith("{") else line.rstrip("\n")


def same(one, other):
    """Whether two answers are the same, but for the last digit of scores."""
    if isinstance(one, float) and isinstance(other, float):
        return abs(one - other) < 2e-4
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    return one == other


class Server:
    """`rnnlp serve` as a process."""

    def __init__(self, model, *options, port=0):
        command = [sys.executable, "-m", "rnnlp", "serve", f"m={model}", "--port", str(port)]
        command += options
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        self.port = int(re.search(r":(\d+) serves", self.process.stderr.readline())[1])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        assert self.process.wait(60) == 0

    def kill(self):
        self.process.kill()
        self.process.wait(60)

    @property
    def megabytes(self):
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", status)[1]) / 1024


def ask(server, numbers, texts, answers, seconds, statuses):
    """One client: takes numbers of texts until there are none."""
    connection = HTTPConnection("127.0.0.1", server.port, timeout=60)
    connection.connect()  # head and body leave in two pieces: let the second one not wait
    connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for number in numbers:
        body = json.dumps({"texts": texts[number % len(texts)]})
        begun = time.perf_counter()
        connection.request("POST", "/models/m/predict", body, {"Content-Type": "application/json"})
        reply = connection.getresponse()
        said = json.loads(reply.read())
        seconds.append(time.perf_counter() - begun)
        statuses[reply.status] += 1
        if reply.status == 200 and not same(said["answers"], [answers[number % len(texts)]]):
            statuses["wrong"] += 1


def load(server, clients, requests, texts, answers):
    """Statuses, requests a second, p50 and p99 in ms."""
    seconds, statuses = [], Counter()
    parts = [range(first, requests, clients) for first in range(clients)]
    threads = [
        threading.Thread(target=ask, args=(server, part, texts, answers, seconds, statuses))
        for part in parts
    ]
    begun = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    took, ordered = time.perf_counter() - begun, sorted(seconds)
    p50, p99 = (1000 * ordered[int(share * len(ordered))] for share in (0.5, 0.99))
    return dict(statuses), requests / took, p50, p99


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("model")
    parser.add_argument("--data", required=True)
    parser.add_argument("--requests", type=int, default=20_000)
    parser.add_argument("--memory", type=int, default=0, metavar="N", help="requests")
    parser.add_argument("--quick", action="store_true", help="few requests, and batches only")
    args = parser.parse_args()
    requests = 20 if args.quick else args.requests
    texts = list(texts_of(args.data, 1000))
    answers = json.loads(json.dumps(rnnlp.load(args.model)(texts)))
    for batch in ("64",) if args.quick else ("64", "1"):
        with Server(args.model, "--batch", batch) as server:
            for clients in (1, 8, 64):
                some = requests if clients == 64 and batch != "1" else min(requests, 3000)
                statuses, rate, p50, p99 = load(server, clients, some, texts, answers)
                print(
                    f"batch {batch:>2}, {clients:>2} clients: {statuses}, {rate:.0f}/s, "
                    f"p50 {p50:.1f} ms, p99 {p99:.1f} ms, {server.megabytes:.0f} MB",
                    flush=True,
                )
    first = Server(args.model, "--queue", "4", "--batch", "1")
    statuses, rate, *_ = load(first, 64, min(requests, 3000), texts, answers)
    print(f"flood, queue 4: {statuses}, {rate:.0f}/s")
    print(f"after it: {load(first, 1, 20, texts, answers)[0]}, {first.megabytes:.0f} MB")
    first.kill()
    with Server(args.model, port=first.port) as server:
        print(f"killed and started again: {load(server, 8, 40, texts, answers)[0]}")
        held = [server.megabytes]
        for _ in range(10 if args.memory else 0):
            load(server, 64, args.memory // 10, texts, answers)
            held.append(server.megabytes)
        print("MB after each tenth:", " ".join(f"{one:.0f}" for one in held))


if __name__ == "__main__":
    main()
