"""Markers that follow from what a test uses, so that no list of files has to be kept."""

from importlib.util import find_spec
from pathlib import Path
from types import CodeType

OF_FIXTURES = {
    "browser": {"chromium", "up"},
    "dbt": {"built", "by_hand", "costs", "new_costs"},
    "postgres": {"postgres"},
    "slow": {"azurite_server", "house", "place", "real_models", "s3_server", "zygote"},
    "speech": {"real_whisper"},
}
# whoever names one of these starts another process, which takes seconds
STARTS_PROCESSES = {"Popen", "escriba", "subprocess"}
HAS_TORCH = find_spec("torch") is not None


def mark_by_fixtures(item):
    """Marks a test by the costly fixtures that it uses (also as a parameter), and by processes."""
    parameters = getattr(item, "callspec", None)
    values = parameters.params.values() if parameters else ()
    used = {*getattr(item, "fixturenames", ()), *(one for one in values if isinstance(one, str))}
    for marker, fixtures in OF_FIXTURES.items():
        if used & fixtures:
            item.add_marker(marker)
    if any(names_in(function) & STARTS_PROCESSES for function in functions_of(item)):
        item.add_marker("slow")


def functions_of(item):
    """The test itself, and the fixtures that it uses."""
    if function := getattr(item, "function", None):
        yield function
    info = getattr(item, "_fixtureinfo", None)
    for definitions in info.name2fixturedefs.values() if info else ():
        yield definitions[-1].func


def names_in(function):
    """The global names and attributes that a function's code uses, also in inner functions."""
    names, todo = set(), [getattr(function, "__code__", None)]
    while todo:
        if code := todo.pop():
            names.update(code.co_names)
            todo += [one for one in code.co_consts if isinstance(one, CodeType)]
    return names


def deselect_without_torch(config, items):
    """Where torch is missing, tests that need it run elsewhere: `make test-worker`."""
    if HAS_TORCH:
        return
    elsewhere = [item for item in items if item.get_closest_marker("torch")]
    if elsewhere:
        config.hook.pytest_deselected(items=elsewhere)
        items[:] = [item for item in items if not item.get_closest_marker("torch")]


def is_without_torch_tests(path: Path):
    """Whether no test file at or below the path names the marker `torch`."""
    files = path.rglob("test_*.py") if path.is_dir() else [path]
    return not any("pytest.mark.torch" in file.read_text(encoding="utf-8") for file in files)
