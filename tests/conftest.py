"""One thread for each test, and for each process that a test starts; the same examples each time.

Tiny models are fastest on one, and two workers of pytest then share two cores without a fight. It
must be said before torch is loaded.

Property tests draw their examples from a fixed seed, so that a green suite stays green on any
machine. `RNNLP_SEARCH=1 make test` draws others; `make fuzz` searches for longer.

Files with long tests come first: at the end one worker would be busy while the other has nothing.
"""

import os

import pytest
from hypothesis import settings

os.environ["OMP_NUM_THREADS"] = "1"

settings.register_profile(
    "rnnlp", derandomize="RNNLP_SEARCH" not in os.environ, deadline=None, max_examples=50
)
settings.load_profile("rnnlp")

LONG = ("test_processes.py", "test_scripts.py", "test_code_blocks.py", "test_readme.py",
        "test_tune.py", "test_wheel.py", "test_toy_translation.py", "test_resume.py")  # fmt: skip


def pytest_collection_modifyitems(items):
    items.sort(key=lambda item: item.path.name not in LONG)


@pytest.fixture(scope="session")
def undrawn():
    """No curves: drawing is a fifth of a short training, and tested by itself."""

    def mark(logs, path, *, title, best_step):
        path.write_bytes(b"\x89PNG not drawn")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("rnnlp.tasks.fit.model_writer.draw_curves", mark)
        yield
