"""Files and folders that the docs name exist, and so do the pages and headings they link to."""

import re
from pathlib import Path

import pytest

HOUSE = Path(__file__).resolve().parents[2]
PAGES = sorted(
    path.relative_to(HOUSE).as_posix()
    for path in [*HOUSE.glob("*.md"), *(HOUSE / "docs").rglob("*.md")]
)
HISTORY = {"CHANGELOG.md"}  # names files as they were
NOT_PATHS = {"escriba/force", "escriba/night"}  # tags of runs in Dagster
FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"`([\w./<>-]+?)(?:::\w+)?`")
LINK = re.compile(r"\]\(([^)#:]*)(?:#([^)]*))?\)")
A_FILE = re.compile(r"[\w.-]+\.(?:py|sql|yml)")


def text_of(page):
    return (HOUSE / page).read_text(encoding="utf-8")


def named_in(text):
    """The paths in backquotes that begin with a folder of the project, and names of sources."""
    return sorted({one for one in CODE.findall(text) if is_a_path(one) or A_FILE.fullmatch(one)})


def is_a_path(name):
    folder, slash, _ = name.partition("/")
    is_ours = folder.strip(".") and (HOUSE / folder).is_dir()
    return bool(slash and is_ours) and name not in NOT_PATHS


def exists(name):
    """`<name>` in a path is any name; a source without a folder may be anywhere."""
    pattern = re.sub(r"<[\w-]+>", "*", name).rstrip("/")
    if "/" in name:
        return any(HOUSE.glob(pattern))
    return any(HOUSE.glob(f"[!.]*/**/{pattern}")) or (HOUSE / pattern).exists()


def anchors_of(page):
    """The headings of a page as GitHub links to them."""
    headings = re.findall(r"^#+ (.+)$", FENCE.sub("", page.read_text("utf-8")), re.MULTILINE)
    kept = (re.sub(r"[^\w\- ]", "", heading.lower()) for heading in headings)
    return {heading.replace(" ", "-") for heading in kept}


def broken_links(page):
    """The links of a page that lead nowhere."""
    for target, anchor in LINK.findall(FENCE.sub("", text_of(page))):
        path = (HOUSE / page).parent / target if target else HOUSE / page
        if not path.exists() or (anchor and anchor not in anchors_of(path)):
            yield f"{target}#{anchor}" if anchor else target


@pytest.mark.parametrize("page", [page for page in PAGES if page not in HISTORY])
def test_every_path_that_is_named_exists(page):
    assert [one for one in named_in(text_of(page)) if not exists(one)] == []


@pytest.mark.parametrize("page", PAGES)
def test_every_link_leads_somewhere(page):
    assert list(broken_links(page)) == []


@pytest.mark.parametrize(
    ("text", "missing"),
    [
        ("`tests/project/test_named_paths.py`", []),
        ("`tests/project/test_named_paths.py::test_x` and `work/<tenant>/jobs/`", []),
        ("`resources/gpu/backends/<name>.py`, `bench/`", []),
        ("`bench/no_such_file.py`", ["bench/no_such_file.py"]),
        ("`resources/<name>/no_such_file.py`", ["resources/<name>/no_such_file.py"]),
        ("see `no_such_file.py` and `import_graph.py`", ["no_such_file.py"]),
    ],
)
def test_a_path_that_does_not_exist_is_found(text, missing):
    assert [one for one in named_in(text) if not exists(one)] == missing
