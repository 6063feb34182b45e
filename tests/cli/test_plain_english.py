"""User-visible texts are in plain English: help, settings, .env.example, and error messages."""

import ast
from pathlib import Path

import click
import pytest

from cli import escriba
from escriba.settings import Settings

from .banned_phrases import PHRASES
from .conftest import HOUSE

ROOMS = ("api", "assets", "cli", "escriba", "intake", "pipelines", "resources", "sensors")
WORKER = Path("gpu_job_image") / "gpu_job"
# keyword arguments and variables that hold sentences for users
SENTENCES = {"advice", "description", "found", "help", "message", "reason", "sentence", "why"}
ERRORS = ("Error", "Exception", "Exit", "Finding", "Refused", "Warning")


def help_texts(command=escriba, path="escriba"):
    """Where each help text is, and the text: of the command, its options, and its subcommands."""
    for text in (command.help, command.short_help):
        yield f"{path} --help", text or ""
    for option in command.params:
        yield f"{path} {'/'.join(option.opts)}", getattr(option, "help", None) or ""
    if isinstance(command, click.Group):
        context = click.Context(command)
        yield f"{path} --help", command.get_help(context)
        for name in command.list_commands(context):
            yield from help_texts(command.get_command(context, name), f"{path} {name}")


def settings_texts():
    for name, field in Settings.model_fields.items():
        yield name.upper(), field.description or ""


def example_texts():
    lines = (HOUSE / ".env.example").read_text(encoding="utf-8").splitlines()
    for number, line in enumerate(lines, start=1):
        yield f".env.example:{number}", line


def error_texts():
    """Strings in raised errors, and in calls, arguments and variables that hold sentences."""
    folders = [HOUSE / room for room in (*ROOMS, WORKER)]
    for path in sorted(path for folder in folders for path in folder.rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            for part in sentence_nodes(node):
                for line, text in strings(part):
                    yield f"{path.relative_to(HOUSE)}:{line}", text


def sentence_nodes(node):
    """Parts of a statement or call that a user reads."""
    match node:
        case ast.Raise(exc=ast.AST() as error):
            yield error
        case ast.Call(func=function) if name_of(function).endswith(ERRORS):
            yield node
        case ast.keyword(arg=name) if name in SENTENCES:
            yield node.value
        case ast.Assign(targets=[target]) if name_of(target).strip("_").lower() in SENTENCES:
            yield node.value


def name_of(node):
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")


def strings(node):
    """Line and text of each string in an expression; … stands for what is filled in."""
    match node:
        case ast.Constant(value=str() as text):
            yield node.lineno, text
        case ast.JoinedStr(values=parts):
            text = "".join(p.value if isinstance(p, ast.Constant) else "…" for p in parts)
            yield node.lineno, text
        case _:
            for child in ast.iter_child_nodes(node):
                yield from strings(child)


def complaints(texts):
    """A line for each banned phrase, with the better wording."""
    return sorted(
        {
            f"{place}: {found!r} → {phrase.better}   in: {' '.join(text.split())[:100]}"
            for place, text in texts
            for phrase in PHRASES
            if (found := phrase.found_in(text))
        }
    )


@pytest.mark.parametrize("texts", [help_texts, settings_texts, example_texts, error_texts])
def test_users_read_plain_english(texts):
    found = complaints(texts())

    assert not found, "\n" + "\n".join(found)


@pytest.mark.parametrize("phrase", PHRASES, ids=lambda phrase: phrase.example)
def test_each_phrase_is_found_and_its_better_wording_is_not(phrase):
    assert phrase.found_in(phrase.example)
    assert not phrase.found_in(phrase.better)


@pytest.mark.parametrize(
    ("texts", "known"),
    [
        (help_texts, "Recover jobs left by a crashed run"),
        (help_texts, "Only recordings with an attempt that matches this SQL condition."),
        (settings_texts, "Bucket name for STORAGE_BACKEND=s3."),
        (example_texts, "# Bucket name for STORAGE_BACKEND=s3."),
        (error_texts, "Use either --month or --days, not both."),
        (error_texts, "Cannot listen on …:… (…). Choose another --port; the pages use that port "),
    ],
)
def test_the_texts_of_each_kind_are_read(texts, known):
    assert any(known in text for _, text in texts())
