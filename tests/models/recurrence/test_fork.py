"""A network that was used before `os.fork` answers in the child, as a web server's workers need."""

import os
import subprocess
import sys

import pytest

SCRIPT = """
import os, select, sys
import torch
from rnnlp.models import Encoder
encoder = Encoder(input_size=64, hidden_size=128).eval()
inputs, lengths = torch.randn(32, 40, 64), torch.full((32,), 40)
with torch.inference_mode():
    torch.randn(600, 600) @ torch.randn(600, 600)
    wanted = encoder(inputs, lengths).states
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        actual = encoder(inputs, lengths).states
        torch.randn(600, 600) @ torch.randn(600, 600)
        os.write(write, b"y" if torch.allclose(actual, wanted, atol=1e-5) else b"n")
        os._exit(0)
    os.close(write)
    ready, _, _ = select.select([read], [], [], 30)
    answer = os.read(read, 1) if ready else b"hangs"
    os.kill(child, 9)
    os.waitpid(child, 0)
print(answer.decode())
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork on Windows")
def test_a_fork_answers():
    environment = {**os.environ, "OMP_NUM_THREADS": "2"}
    result = subprocess.run(
        [sys.executable, "-c", SCRIPT], capture_output=True, text=True, env=environment, check=False
    )
    assert result.stdout == "y\n", result.stdout + result.stderr
