"""What `escriba doctor` says of each tenant's rules, and the README's own tenants at work."""

import json
import re

import pytest
from click.testing import CliRunner

from cli.checks.tenants_check import tenants
from cli.commands.run import command as run
from escriba.backend_names import BACKENDS
from escriba.settings import HOUSE, load_settings
from resources.storage import open_storage

RUNPOD = {"runpod_api_key": "key", "runpod_endpoint_id": "endpoint", "runpod_regions": "EU-RO-1"}
FILE = "tenants.yaml"
OTHERS = ", or set up another backend: "
NO_THIRD_PARTIES = "runpod/l4: it sends audio to a third party, which the tenant forbids"


@pytest.fixture
def look(tmp_path):
    """What is found of these lines of acme, by its state, text and advice."""

    def find(lines, **settings):
        (tmp_path / FILE).write_text(f"tenants:\n  acme: {{{lines}}}\n", encoding="utf-8")
        found = list(tenants(load_settings(**settings)))
        return [(one.state, one.found, one.advice) for one in found]

    return find


@pytest.mark.parametrize("lines", ["", "language: pt", "cost_center: a"])
def test_a_tenant_without_rules_leaves_everything_over_and_has_no_line(look, lines):
    [(state, found, _)] = look(lines)

    assert (state, found.endswith("configures 1 tenant")) == ("well", True)


@pytest.mark.parametrize(
    ("lines", "able", "out"),
    [
        (
            "third_parties: false",
            "local/this-machine",
            "runpod/l4: it sends audio to a third party",
        ),
        ("regions: [eu-west-1]", "local/this-machine", "runpod/l4: it may run in EU-RO-1"),
        ("regions: [eu-ro-1]", "runpod/l4, local/this-machine", ""),
        (
            "backends: [runpod]",
            "runpod/l4",
            "local/this-machine: the tenant permits only these backends",
        ),
        (
            "model: medium",
            "local/this-machine",
            "runpod/l4: its workers load demo, not the model medium",
        ),
        ("budget: {month_usd: 0}", "local/this-machine", "runpod/l4: the tenant's budget is 0 USD"),
        ("budget: {month_usd: 1}", "runpod/l4, local/this-machine", ""),
    ],
)
def test_a_tenants_line_names_who_is_left_over_and_why_others_are_out(look, lines, able, out):
    _, (state, found, _) = look(lines, local_fallback=True, **RUNPOD)

    assert state == "well"
    assert found == f"jobs of acme go to {able}" or found.startswith(
        f"jobs of acme go to {able}; {out}"
    )
    assert bool(out) == (";" in found)


@pytest.mark.parametrize(
    ("lines", "settings", "why", "advice"),
    [
        (
            "backends: [runpod]",
            {},
            "local/this-machine: the tenant permits only these backends: runpod",
            f"its backends in {FILE}{OTHERS}runpod needs RUNPOD_API_KEY and RUNPOD_ENDPOINT_ID.",
        ),
        (
            "third_parties: false",
            RUNPOD,
            NO_THIRD_PARTIES,
            f"its third_parties in {FILE}{OTHERS}local needs LOCAL_FALLBACK=true.",
        ),
        (
            "backends: [runpod], third_parties: false",
            RUNPOD,
            NO_THIRD_PARTIES,
            f"its backends, third_parties in {FILE}.",
        ),
    ],
)
def test_rules_that_leave_nobody_over_are_broken_and_told_with_what_to_do(
    look, lines, settings, why, advice
):
    _, told = look(lines, **settings)

    state, found, change = told
    assert (state, found) == ("broken", f"no backend is permitted for jobs of acme: {why}")
    # other backends that may be set up are named behind these
    assert change.startswith(f"Its recordings fail. Change {advice.removesuffix('.')}")


def test_a_backend_that_nobody_knows_is_broken_with_those_that_there_are(look):
    [(state, found, advice)] = look("backends: [cloud]")

    assert state == "broken"
    assert f"'cloud' is not a backend; available are {', '.join(BACKENDS)}." in found
    assert advice == f"Correct {FILE}."


@pytest.fixture
def of_the_readme(tmp_path, monkeypatch, clips):
    """The tenants.yaml that the README shows, and a recording of its strictest tenant."""
    readme = (HOUSE / "README.md").read_text(encoding="utf-8")
    [example] = re.findall(r"```yaml\n(tenants:\n.*?)```", readme, re.DOTALL)
    (tmp_path / "tenants.yaml").write_text(example, encoding="utf-8")
    monkeypatch.setenv("DEFAULT_LANGUAGE", "en")
    settings = load_settings()
    open_storage(settings).write("inbox/court/hearing.wav", clips.english.read_bytes())
    return settings


def test_the_tenants_of_the_readme_are_found_well(of_the_readme):
    found = [(one.state, one.found) for one in tenants(of_the_readme)]

    assert {state for state, _ in found} == {"well"}
    assert ("well", "jobs of court go to local/this-machine") in found


def test_a_recording_of_the_readmes_strictest_tenant_becomes_a_transcript(of_the_readme):
    told = json.loads(CliRunner().invoke(run, ["--json"]).output)

    assert (told["done"], told["failed"]) == (["court/hearing.wav"], [])
    text = open_storage(of_the_readme).read("transcripts/court/hearing.wav/transcript.txt")
    assert "Good morning" in text.decode()
