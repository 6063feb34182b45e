"""`make imports`: no file of the product imports from a higher floor, and none in a circle."""

import grimp
import pytest

from bench.import_graph import ROOT, arrows, floors, modules
from bench.import_picture import picture
from bench.imports import main

FLOORS = [
    ["cli", "api"],
    ["pipelines"],
    ["sensors"],
    ["assets"],
    ["intake"],
    ["resources"],
    ["escriba"],
    ["gpu_job"],
]
ROOMS = [room for floor in FLOORS for room in floor]
CONTRACT = """
[[tool.importlinter.contracts]]
name = "Imports only point down"
type = "layers"
layers = ["high | beside", "low"]
"""


@pytest.fixture
def tree(tmp_path):
    """Makes a project of three rooms from the texts of some of its files."""

    def make(**texts):
        (tmp_path / "pyproject.toml").write_text(CONTRACT)
        for room in ("high", "beside", "low"):
            (tmp_path / room).mkdir()
            (tmp_path / room / "__init__.py").touch()
        for name, text in texts.items():
            path = tmp_path / f"{name.replace('__', '/')}.py"
            path.parent.mkdir(exist_ok=True)
            (path.parent / "__init__.py").touch()
            path.write_text(text)
        return tmp_path

    return make


def test_no_import_of_the_product_points_up(capsys):
    assert floors() == FLOORS
    assert main([]) == 0

    printed = capsys.readouterr().out
    assert printed.count("Imports that point up between ") == 3
    assert printed.count(": 0\n") == 3
    assert "floor 8  cli " in printed
    assert "\nwithin escriba\n" in printed


def test_another_reader_finds_the_same_imports():
    graph = grimp.build_graph(*ROOMS, cache_dir=None)
    expected = {
        (name, target)
        for name in graph.modules
        for target in graph.find_modules_directly_imported_by(name)
    }

    assert arrows(modules(ROOT, ROOMS)) == expected


def test_the_picture_in_the_docs_is_up_to_date():
    known = modules(ROOT, ROOMS)

    drawn = (ROOT / "docs" / "imports.svg").read_text(encoding="utf-8")

    assert drawn == picture(FLOORS, known, arrows(known)), "Run `make imports`."


@pytest.mark.parametrize(
    "statement",
    ["import high.top", "from high import top", "def f():\n    from high.top import x"],
)
def test_an_import_from_a_higher_floor_fails(tree, capsys, statement):
    root = tree(low__ground=statement, high__top="from low import ground")

    assert main([], root) == 1

    printed = capsys.readouterr().out
    assert "between top-level rooms: 1\n  low → high\n" in printed
    assert "between files of the whole product: 2\n" in printed


def test_an_import_from_the_room_beside_fails(tree, capsys):
    assert main([], tree(beside__a="from high import top", high__top="")) == 1
    assert "between top-level rooms: 1\n  beside → high\n" in capsys.readouterr().out


def test_two_files_that_import_each_other_fail(tree, capsys):
    assert main([], tree(low__a="from . import b", low__b="from .a import x")) == 1
    assert (
        "between files of the whole product: 2\n  low.a → low.b\n  low.b → low.a\n"
        in capsys.readouterr().out
    )


def test_two_folders_that_import_each_other_fail_though_no_files_do(tree, capsys):
    texts = {
        "low__one__a": "",
        "low__one__b": "import low.two.a",
        "low__two__b": "import low.one.a",
    }

    assert main([], tree(**texts, low__two__a="")) == 1

    printed = capsys.readouterr().out
    assert "within a room: 2\n  low.one → low.two\n  low.two → low.one\n" in printed
    assert "between files of the whole product: 0\n" in printed


def test_imports_that_only_point_down_pass(tree, capsys, tmp_path):
    root = tree(high__top="from low.ground import x\nimport low", low__ground="import sys")

    assert main(["--draw", str(tmp_path / "drawn.svg")], root) == 0
    assert "high                         → low 2" in capsys.readouterr().out
    assert (tmp_path / "drawn.svg").read_text().count('<rect class="box"') == 3
