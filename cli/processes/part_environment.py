"""The environment of Escriba's own processes: Dagster reads neither `.env` nor files of secrets."""

import os

from cli.dagster_home import dagster_home
from escriba.settings import HOUSE, Settings, exported, secret_file_variables

PASSWORD = "UI_PASSWORD"  # noqa: S105  # the variable's name; only the pages get its value
METRICS_TOKEN = "METRICS_TOKEN"  # noqa: S105  # likewise; only the metrics get its value


def part_environment(settings: Settings, files_url: str) -> dict[str, str]:
    """This process's environment, plus all settings but two, with secrets by value.

    The password and the token of the metrics are not passed on; all processes read .env, though,
    if it is there. files_url: where FILES_URL is not set.
    """
    files = secret_file_variables()  # read here: a process must not read those two again
    inherited = {n: v for n, v in os.environ.items() if n.upper() not in files} | exported(settings)
    for name in (PASSWORD, METRICS_TOKEN):
        inherited.pop(name, None)
    return {
        **inherited,
        "FILES_URL": settings.files_url or files_url,
        "STORAGE_URL": settings.bucket_url,
        "DAGSTER_HOME": str(dagster_home(settings)),
        "DAGSTER_DISABLE_TELEMETRY": "1",
        "PYTHONSAFEPATH": "1",  # files in the current folder are not modules
        "PYTHONPATH": os.pathsep.join(filter(None, [str(HOUSE), os.environ.get("PYTHONPATH")])),
    }
