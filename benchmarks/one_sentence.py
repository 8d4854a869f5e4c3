"""How long one text takes, end to end, in a warm process: idle, and beside others that burn a core.

    python benchmarks/one_sentence.py runs/ner runs/ner-onnx --text "Anna went to Berlin."
    python benchmarks/one_sentence.py runs/ner --text "Anna went to Berlin." --burners 2

Each model and each number of threads is a process of its own, since OpenMP reads its settings when
it is loaded: as `import rnnlp` sets them, as torch sets them (idle threads spin), with one thread.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys

WAYS = {
    "rnnlp": {},
    "idle threads spin": {"OMP_WAIT_POLICY": "ACTIVE"},
    "one thread": {"OMP_NUM_THREADS": "1"},
}
CALLS = """
import sys, time
import rnnlp
model, text, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
pipeline = rnnlp.load(model)
for _ in range(count // 5 + 1):
    pipeline(text)
times = []
for _ in range(count):
    begun = time.perf_counter()
    pipeline(text)
    times.append(1000 * (time.perf_counter() - begun))
times.sort()
print(f"p50 {times[count // 2]:7.2f} ms   p99 {times[count * 99 // 100]:7.2f} ms")
"""


def main() -> None:
    """Prints a line for each model and way."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("models", nargs="+")
    parser.add_argument("--text", required=True)
    parser.add_argument("--calls", type=int, default=500)
    parser.add_argument("--burners", type=int, default=0, help="processes that burn a core")
    args = parser.parse_args()
    burn = [sys.executable, "-c", "while True: pass"]
    burners = [subprocess.Popen(burn) for _ in range(args.burners)]
    try:
        for model in args.models:
            for name, settings in WAYS.items():
                done = subprocess.run(
                    [sys.executable, "-c", CALLS, model, args.text, str(args.calls)],
                    env=os.environ | settings, capture_output=True, text=True, check=True,
                )  # fmt: skip
                print(f"{model}   {name:<18} {done.stdout.strip()}", flush=True)
    finally:
        for process in burners:
            process.kill()


if __name__ == "__main__":
    main()
