"""What runs only in the worker process: models, embedders, stores, and the loop that serves the daemon."""

import os

# Nothing leaves the machine: onnxruntime 1.31 keeps a device id in ~/.cache/Microsoft and reports every session to its
# maker, huggingface_hub reports who uses it. Both look at the environment when they are loaded, which is later.
os.environ.update(ORT_DISABLE_TELEMETRY="1", HF_HUB_DISABLE_TELEMETRY="1")
