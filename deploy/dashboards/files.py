"""The dashboards as the files that Grafana provisions."""

import json
from pathlib import Path
from typing import Final

from deploy.dashboards.costs import costs
from deploy.dashboards.work import work

FOLDER: Final = Path(__file__).resolve().parent.parent / "grafana" / "dashboards"


def dashboard_files() -> dict[str, str]:
    """The text of each file of FOLDER, by its name."""
    made = {"costs.json": costs(), "work.json": work()}
    return {
        name: json.dumps(one, indent=2, ensure_ascii=False) + "\n" for name, one in made.items()
    }
