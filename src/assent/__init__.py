"""Assent: a studio for synthetic video that people have agreed to."""

import os

__version__ = "0.1.0"

# NumPy's matrices are small here, and frames are worked on in threads of Assent's own: threads that
# wait for shares of a small product would double what a frame costs. Read when NumPy is loaded.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

# ONNX Runtime's builds report to their maker which models are run, unless told not to before they
# are loaded. A studio tells nobody.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"
