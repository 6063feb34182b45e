"""What the environment of a child process holds: the names that it reads, and no others.

A list of what is forbidden forgets something: `COSTS_POSTGRES_URL`, `costs_postgres_url`,
`PGPASSWORD`, the keys of programs that nobody had heard of. So each kind of child has a list of
what it may have.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from pydantic import SecretStr

from .base import SettingsGroup
from .unknown_names import WORKER_NAMES

Child = Literal["worker", "download", "dbt", "aws_terraform", "gcp_terraform", "pip", "program"]


@dataclass(frozen=True, slots=True)
class _Names:
    """Names of variables, and prefixes of names; both are compared as they are written."""

    names: frozenset[str] = frozenset()
    prefixes: tuple[str, ...] = ()

    def has(self, name: str) -> bool:
        return name in self.names or name.startswith(self.prefixes)


# the operating system's, Python's and the network's: without them, nothing starts or connects
_SYSTEM_NAMES: Final = """
    PATH HOME USER LOGNAME SHELL LANG LANGUAGE TZ TERM TMPDIR TEMP TMP
    SYSTEMROOT WINDIR COMSPEC USERPROFILE APPDATA LOCALAPPDATA PATHEXT
    LD_LIBRARY_PATH LD_PRELOAD DYLD_LIBRARY_PATH DYLD_FALLBACK_LIBRARY_PATH
    XDG_CACHE_HOME XDG_CONFIG_HOME XDG_DATA_HOME XDG_RUNTIME_DIR VIRTUAL_ENV
    PYTHONPATH PYTHONHOME PYTHONSAFEPATH PYTHONUTF8 PYTHONIOENCODING PYTHONUNBUFFERED
    PYTHONDONTWRITEBYTECODE PYTHONWARNINGS PYTHONFAULTHANDLER PYTHONHASHSEED
    PYTHONMALLOC PYTHONPYCACHEPREFIX PYTHONTRACEMALLOC COVERAGE_PROCESS_START
    HTTP_PROXY HTTPS_PROXY ALL_PROXY NO_PROXY http_proxy https_proxy all_proxy no_proxy
    SSL_CERT_FILE SSL_CERT_DIR REQUESTS_CA_BUNDLE CURL_CA_BUNDLE
"""
# the GPU's, the libraries' of models, and the hub's; not HF_TOKEN: a worker gets HUGGINGFACE_TOKEN
_MODEL_NAMES: Final = """
    HF_HOME HF_HUB_CACHE HF_HUB_OFFLINE HF_ENDPOINT HF_HUB_DISABLE_XET HF_HUB_DOWNLOAD_TIMEOUT
    HF_HUB_ETAG_TIMEOUT HF_HUB_ENABLE_HF_TRANSFER HUGGINGFACE_HUB_CACHE TRANSFORMERS_CACHE
    TORCH_HOME PYANNOTE_CACHE PYANNOTE_METRICS_ENABLED OMP_NUM_THREADS OPENBLAS_NUM_THREADS
    MKL_NUM_THREADS NUMEXPR_NUM_THREADS OMP_WAIT_POLICY ROCR_VISIBLE_DEVICES
"""
_GPU_PREFIXES: Final = (
    *("CUDA_", "CUDNN_", "CUBLAS_", "NVIDIA_", "NCCL_"),
    *("PYTORCH_", "KMP_", "CT2_", "ORT_", "MALLOC_"),
)
_SYSTEM: Final = _Names(frozenset(_SYSTEM_NAMES.split()), ("LC_",))
_MODELS: Final = _Names(frozenset(_MODEL_NAMES.split()), _GPU_PREFIXES)
_OF_CHILD: Final[Mapping[Child, tuple[_Names, ...]]] = {
    "worker": (_MODELS, _Names(frozenset(WORKER_NAMES))),
    "download": (_MODELS,),
    "dbt": (),
    "aws_terraform": (_Names(prefixes=("AWS_", "TF_")),),
    "gcp_terraform": (_Names(prefixes=("GOOGLE_", "CLOUDSDK_", "TF_")),),
    "pip": (_Names(prefixes=("PIP_", "UV_")),),
    "program": (),
}


def exported(settings: SettingsGroup) -> dict[str, str]:
    """Settings that were set, as the environment of a process that must see the same values."""
    values = {name: getattr(settings, name) for name in settings.model_fields_set}
    return {
        name.upper(): value.get_secret_value() if isinstance(value, SecretStr) else str(value)
        for name, value in values.items()
    }


def child_environment(child: Child) -> dict[str, str]:
    """What a child of that kind may have of this process's environment.

    worker: gpu_job on this machine, with a model or an API; its caller adds what is of the job.
    download: what fetches models from the hub. dbt: of the cost tables. aws_terraform and
    gcp_terraform: with the credentials of that cloud alone. pip: installs a wheel. program: any
    other, which needs nothing but the system's names.
    """
    allowed = (_SYSTEM, *_OF_CHILD[child])
    return {
        name: value
        for name, value in os.environ.items()
        if any(names.has(name) for names in allowed)
    }
