"""One thread for each test, and for each process that a test starts.

Tiny models are fastest on one, and two workers of pytest then share two cores without a fight. It
must be said before torch is loaded.
"""

import os

os.environ["OMP_NUM_THREADS"] = "1"
