"""Choose what of our environment a process of ours gets: an allow-list, for a worker needs little.

Settings and keys travel in the worker's first frame. What glibc, OpenMP, Python, the model hub and pip read by
themselves is passed on by name; so is `IMPORTER_PLUGIN_…`, which is there for plug-ins.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

from importer.protocol.system.capabilities import SWITCH

# The folder that holds the package, so that a source tree works uninstalled.
PACKAGE_FOLDER = os.path.abspath(os.path.join(os.path.dirname(__file__), os.pardir, os.pardir))
NAMES = frozenset(
    {
        *("PATH", "HOME", "USER", "LOGNAME", "TMPDIR", "TEMP", "TMP", "TZ", "LANG", "LANGUAGE"),
        *("XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME"),  # the hub's cache, pip's settings
        *("LD_LIBRARY_PATH", "LD_PRELOAD", "GLIBC_TUNABLES"),  # libraries that this process runs with, too
        *("PYTHONPATH", "PYTHONHOME", "PYTHONUSERBASE", "PYTHONNOUSERSITE", "PYTHONDONTWRITEBYTECODE"),
        *("PYTHONPYCACHEPREFIX", "PYTHONUTF8", "PYTHONIOENCODING", "PYTHONHASHSEED", "PYTHONWARNINGS"),
        *("PYTHONFAULTHANDLER", "PYTHONMALLOC", "PYTHONDEVMODE"),
        *("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"),
        *("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"),  # as well in lower case
        *("FASTEMBED_CACHE_PATH", "HUGGINGFACE_HUB_CACHE", "TRANSFORMERS_OFFLINE", "DO_NOT_TRACK"),
        *("RAYON_NUM_THREADS", "RUST_BACKTRACE", "NO_COLOR", "TERM", "COLUMNS"),
        *("IMPORTER_FAILPOINTS", SWITCH),  # of tests
    }
)
PLUGIN = "IMPORTER_PLUGIN_"
PREFIXES = (
    *("LC_", "MALLOC_", "OMP_", "KMP_", "MKL_", "OPENBLAS_", "ORT_", "OPENVINO_", "OV_", "CUDA_", "NVIDIA_"),
    *("HF_", "PIP_", "GRPC_", PLUGIN),
)
SECRET = ("KEY", "SECRET", "TOKEN", "PASSW", "CREDENTIAL")
HUB_KEYS = frozenset({"HF_TOKEN", "HF_TOKEN_PATH", "HUGGING_FACE_HUB_TOKEN"})  # for what fetches a model, and ends


def allowed(environ: Mapping[str, str]) -> dict[str, str]:
    """Return what a process of ours may know of an environment: neither keys nor passwords, by their names."""
    return {name: value for name, value in environ.items() if _is_allowed(name)}


def _is_allowed(name: str) -> bool:
    """Return True if a variable is passed on. A plug-in's own are its user's choice, keys too."""
    listed = name in NAMES or (name.islower() and name.upper() in NAMES) or name.startswith(PREFIXES)
    return listed and (name.startswith(PLUGIN) or not any(word in name for word in SECRET))


def of_worker(environ: Mapping[str, str], allocator: Mapping[str, str], threads: int) -> dict[str, str]:
    """Return the worker's environment: glibc and OpenMP read it before Python starts, so it cannot be set later.

    An allocator setting the user made wins over the profile's.
    """
    kept = {**allocator, **allowed(environ)}
    kept.update(OMP_NUM_THREADS=str(threads), TOKENIZERS_PARALLELISM="false", PYTHONUNBUFFERED="1")
    # NumPy's BLAS multiplies nothing here, and its threads would spin for 0.1 s of processor at every start.
    kept["OPENBLAS_NUM_THREADS"] = "1"
    return kept | {"PYTHONPATH": path_of(environ)}


def of_fetch(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of a process that fetches, finds or lists models: with the hub's key, if there is one."""
    keys = {name: environ[name] for name in HUB_KEYS if name in environ}
    return {**allowed(environ), **keys, "PYTHONPATH": path_of(environ)}


def path_of(environ: Mapping[str, str]) -> str:
    """Return PYTHONPATH with our own folder in front. An empty part would be the current folder, so it goes."""
    return os.pathsep.join([PACKAGE_FOLDER, *filter(None, environ.get("PYTHONPATH", "").split(os.pathsep))])
