"""dbt's parsed project, kept for the builds of a test run: each would parse the same models again.

dbt itself decides whether it may use it (is_partial_parsable in its parser/manifest.py): another
version, profile, variable or dbt_project.yml parses everything, and of changed files these alone.
"""

import hashlib
import os
import shutil
from functools import wraps

import pytest

from resources.costs_database import build_marts


@pytest.fixture(scope="session", autouse=True)
def _parsed_project_is_kept(tmp_path_factory, worker_id):
    """In a folder that all processes of this run share."""
    folder = tmp_path_factory.getbasetemp()
    shared = (folder if worker_id == "master" else folder.parent) / "parsed-projects"
    shared.mkdir(exist_ok=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(build_marts, "run_dbt", keeping(shared, build_marts.run_dbt))
        yield


def keeping(shared, run_dbt):
    """The same function, with dbt's own cache put where dbt looks for it, and kept afterwards."""

    @wraps(run_dbt)
    def run(folder, database, arguments):
        wants = f"{database.name} {arguments[arguments.index('--vars') + 1]}"
        kept = shared / f"{hashlib.sha256(wants.encode()).hexdigest()}.msgpack"
        parsed = folder / "target" / "partial_parse.msgpack"
        if kept.exists() and not parsed.exists():
            _copy(kept, parsed)
        results = run_dbt(folder, database, arguments)
        if parsed.exists() and not kept.exists():
            _copy(parsed, kept)
        return results

    return run


def _copy(source, target):
    """Whole or not at all: two processes may do it at once."""
    target.parent.mkdir(exist_ok=True)
    draft = target.with_name(f"{target.name}.{os.getpid()}")
    shutil.copyfile(source, draft)
    draft.replace(target)
