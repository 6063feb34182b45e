"""`escriba deploy runpod`, and what the doctor says, against a control plane of our own."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from cli.checks.runpod_check import runpod as look
from escriba.billing.price_book import read_price_book
from escriba.settings import SettingsError, load_settings
from resources.gpu.runpod.deployment import GPU_TYPES, change, differences, wanted_endpoint
from resources.gpu.runpod.stock import stock_of
from tests.fake_runpod import LOST_ANSWER, Fault, busy
from tests.fake_runpod_control import GPUS
from tests.resources.runpod.conftest import KEY

HOUSE = Path(__file__).resolve().parents[3]
CATALOG = [{"id": id_, "pool": pool} for id_, pool in GPUS.items()]
IMAGE = "registry.example/escriba-worker:1"
L4_POOL = [  # without the L4
    "NVIDIA GeForce RTX 3090",
    "NVIDIA RTX A5000",
    "NVIDIA RTX PRO 6000 Blackwell Server Edition MIG 1g.24gb",
]


@pytest.fixture
def deploy(runpod, tmp_path):
    """The command; its exit status, output and complaints."""

    def run(*arguments, typed="", **settings):
        names = {"runpod_api_key": KEY, "runpod_image": IMAGE}
        names |= {"runpod_control_url": runpod.settings["runpod_control_url"]} | settings
        return subprocess.run(
            [sys.executable, "-m", "cli", "deploy", "runpod", *arguments],
            cwd=tmp_path,
            env=os.environ
            | {"PYTHONPATH": str(HOUSE)}
            | {name.upper(): value for name, value in names.items()},
            input=typed,
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )

    return run


def findings(runpod, **changes):
    bucket = "s3://recordings"  # a folder would be a finding of its own
    settings = {**runpod.settings, "runpod_image": IMAGE, "storage_url": bucket} | changes
    return list(look(load_settings(**settings)))


def told(found, state):
    return " ".join(f"{one.found} {one.advice}" for one in found if one.state == state)


def wanted(**changes):
    settings = load_settings(runpod_image=IMAGE, **changes)
    return wanted_endpoint(settings, settings.runpod_gpu, CATALOG)


def deployed_as(runpod, endpoint):
    """An existing endpoint, with the id in the fake's settings."""
    kept = runpod.control._create(dict(endpoint)) | {"id": "endpoint"}
    runpod.control.endpoints = {"endpoint": kept}
    return kept


def test_every_gpu_of_the_price_book_can_be_deployed():
    book = read_price_book(load_settings().price_book)

    assert {price.sku for price in book.prices if price.backend == "runpod"} == set(GPU_TYPES)
    for gpu in GPU_TYPES:
        made = wanted(runpod_gpu=gpu)["gpu"]
        held = {id_ for id_, pool in GPUS.items() if pool in made["pools"]}
        assert held - set(made["excludedTypes"]) <= set(GPU_TYPES[gpu])
        assert held - set(made["excludedTypes"])


def test_all_settings_are_said_and_none_is_a_secret():
    made = wanted(runpod_regions="EU-RO-1, EU-CZ-1", runpod_api_key=KEY, huggingface_token="hf_x")

    assert made["workers"] == {"min": 0, "max": 3, "idleTimeout": 5}
    assert made["scaling"] == {"type": "QUEUE_DELAY", "queueDelay": 4}
    assert (made["timeout"], made["flashboot"], made["disk"]) == (7_200_000, "FLASHBOOT", 30)
    assert made["dataCenterIds"] == ["EU-CZ-1", "EU-RO-1"]
    assert made["env"] == {"RUNPOD_INIT_TIMEOUT": "1200"}
    assert made["gpu"]["excludedTypes"] == L4_POOL
    assert (made["type"], made["networkVolumes"]) == ("QUEUE", [])
    assert KEY not in json.dumps(made)
    assert "hf_x" not in json.dumps(made)


@pytest.mark.parametrize(
    ("wrong", "names"),
    [
        ({"runpod_gpu": "t4"}, "RUNPOD_GPU: 't4' is not one of l4"),
        ({"runpod_workers_min": 4, "runpod_workers_max": 3}, "RUNPOD_WORKERS_MIN=4"),
    ],
)
def test_a_setting_that_cannot_be_deployed_is_named(wrong, names):
    with pytest.raises(SettingsError, match=names):
        wanted(**wrong)


def test_a_gpu_that_runpod_has_no_more_is_named():
    with pytest.raises(SettingsError, match="RunPod has no NVIDIA L4"):
        wanted_endpoint(load_settings(), "l4", [{"id": "NVIDIA L4", "pool": None}])


def test_what_differs_is_changed_in_whole_groups_and_foreign_variables_stay():
    made = wanted()
    there = made | {
        "gpu": made["gpu"] | {"excludedTypes": []},
        "workers": {"min": 0, "max": 0, "idleTimeout": 5},
        "env": {"HF_TOKEN": "{{ RUNPOD_SECRET_hf }}"},
    }

    found = {one.setting: (one.deployed, one.wanted) for one in differences(made, there)}

    assert found == {
        "gpu.excludedTypes": ("none", ", ".join(L4_POOL)),
        "workers.max": ("0", "3"),
        "env.RUNPOD_INIT_TIMEOUT": ("not set", "1200"),
    }
    body = change(made, there)
    assert body.keys() == {"gpu", "workers", "env"}
    assert body["env"] == {"HF_TOKEN": "{{ RUNPOD_SECRET_hf }}", "RUNPOD_INIT_TIMEOUT": "1200"}
    assert differences(made, there | body) == []
    assert change(made, there | body) == {}


def test_an_endpoint_is_made_once_and_then_changed_by_its_settings(runpod, deploy):
    made = json.loads(deploy("--yes", "--json").stdout)
    again = json.loads(deploy("--yes", "--json").stdout)
    changed = json.loads(
        deploy("--yes", "--json", runpod_endpoint_id="ep1", runpod_workers_max="5").stdout
    )

    assert (made["action"], made["set"]) == ("created", "RUNPOD_ENDPOINT_ID=ep1")
    assert (again["action"], again["endpoint"]) == ("unchanged", "ep1")
    assert changed["changes"] == [{"setting": "workers.max", "deployed": "3", "wanted": "5"}]
    assert changed["set"] == ""
    assert list(runpod.control.endpoints) == ["ep1"]
    assert runpod.control.endpoints["ep1"]["workers"]["max"] == 5


def test_another_gpu_has_an_endpoint_of_its_own(runpod, deploy):
    first = json.loads(deploy("--yes", "--json").stdout)
    known = {"runpod_endpoint_id": first["endpoint"], "runpod_endpoints": "h100=ep9"}

    second = json.loads(deploy("--gpu", "a6000", "--yes", "--json", **known).stdout)

    assert second["set"] == "RUNPOD_ENDPOINTS=h100=ep9,a6000=ep2"
    assert runpod.control.endpoints["ep2"]["gpu"]["excludedTypes"] == ["NVIDIA A40"]


def test_nothing_is_done_before_somebody_said_yes(runpod, deploy):
    planned = json.loads(deploy("--json").stdout)
    refused = deploy(typed="n\n")

    assert planned["action"] == "planned"
    assert runpod.control.endpoints == {}
    assert "New endpoint with l4" in refused.stdout
    assert "NVIDIA GeForce RTX 3090" in refused.stdout
    assert "RUNPOD_ENDPOINT_ID" not in refused.stdout

    agreed = deploy(typed="y\n")
    assert "RUNPOD_ENDPOINT_ID=ep1" in agreed.stdout
    assert "ep1 with l4 matches the settings" in deploy().stdout


@pytest.mark.parametrize(
    ("settings", "names"),
    [
        ({"runpod_image": ""}, "Set RUNPOD_IMAGE: "),
        ({"runpod_api_key": "", "runpod_image": ""}, "Set RUNPOD_API_KEY and RUNPOD_IMAGE: "),
        ({"runpod_api_key": "another"}, "refuses the key"),
        ({"runpod_endpoint_id": "gone"}, "RUNPOD_ENDPOINT_ID: RunPod has no endpoint 'gone'"),
        ({"runpod_gpu": "t4"}, "RUNPOD_GPU"),
    ],
)
def test_what_hinders_it_is_a_sentence(runpod, deploy, settings, names):
    done = deploy("--yes", **settings)

    assert done.returncode == 2
    assert names in done.stderr
    assert "Traceback" not in done.stderr
    assert KEY not in done.stdout + done.stderr
    assert runpod.control.endpoints == {}


def test_what_runpod_did_not_take_is_told_of(runpod, deploy):
    kept = deployed_as(runpod, wanted(runpod_workers_max=9))
    runpod.control._change = lambda endpoint, body: None

    done = deploy("--yes", runpod_endpoint_id=kept["id"])

    assert done.returncode == 1
    assert "workers.max still differ" in done.stdout


def test_where_any_data_centre_will_do_all_that_are_listed_are_right():
    made = wanted()

    assert differences(made, made | {"dataCenterIds": ["EU-RO-1", "US-KS-2"]}) == []
    assert differences(wanted(runpod_regions="EU-RO-1"), made) != []


def test_a_lost_answer_makes_no_second_endpoint(runpod, deploy):
    runpod.faults["serverless"].extend([busy(502), Fault(status=502)])  # listing, twice
    made = json.loads(deploy("--yes", "--json").stdout)
    assert made["action"] == "created"

    runpod.control.endpoints.clear()
    runpod.faults["serverless"].append(LOST_ANSWER)  # listing again
    assert json.loads(deploy("--yes", "--json").stdout)["action"] == "created"
    assert len(runpod.control.endpoints) == 1


def test_a_doctor_asks_nobody_where_runpod_is_not_set_up(runpod):
    addresses = {name: url for name, url in runpod.settings.items() if name.endswith("_url")}

    assert list(look(load_settings(**addresses))) == []
    assert runpod.requests == []


def test_a_doctor_finds_an_endpoint_well(runpod):
    deployed_as(runpod, wanted())

    found = findings(runpod)

    assert {one.state for one in found} == {"well"}
    assert "accepts jobs" in told(found, "well")


@pytest.mark.parametrize(
    ("workers", "state", "says"),
    [
        (
            {"min": 0, "max": 0, "idleTimeout": 5},
            "broken",
            "so no job runs (RunPod does this after 7 idle days)",
        ),
        ({"min": 0, "max": 2, "idleTimeout": 5}, "odd", "(RunPod does this after 3 idle days)"),
        ({"min": 0, "max": 9, "idleTimeout": 5}, "odd", "allows at most 9 workers, not 3"),
        ({"min": 0, "max": 3, "idleTimeout": 60}, "odd", "workers.idleTimeout is 60, not 5"),
    ],
)
def test_a_doctor_names_what_drifted(runpod, workers, state, says):
    deployed_as(runpod, wanted() | {"workers": workers})

    found = findings(runpod)

    assert says in told(found, state)
    assert "escriba deploy runpod" in told(found, state)


DRIFTED = {  # by setting, another value, such as RunPod's own default
    "type": "LOAD_BALANCER",
    "image": "registry.example/escriba-worker:0",
    "args": "--verbose",
    "disk": 20,
    "ports": ["8000/http"],
    "env.RUNPOD_INIT_TIMEOUT": "420",
    "gpu.pools": ["AMPERE_48"],
    "gpu.excludedTypes": [],
    "gpu.count": 2,
    "gpu.allowedCudaVersions": ["12.8"],
    "gpu.minCudaVersion": None,
    "workers.min": 1,
    "workers.max": 2,
    "workers.idleTimeout": 10,
    "scaling.type": "REQUEST_COUNT",
    "scaling.queueDelay": 30,
    "dataCenterIds": ["US-KS-2"],
    "networkVolumes": ["2q9m7x4c"],
    "timeout": 300_000,
    "flashboot": "OFF",
}


def test_each_setting_has_a_drift_of_its_own_below():
    flat = set()
    for name, value in wanted().items():
        flat |= {f"{name}.{part}" for part in value} if isinstance(value, dict) else {name}

    assert flat - {"name"} == DRIFTED.keys()


@pytest.mark.parametrize("setting", DRIFTED)
def test_a_doctor_names_each_setting_that_drifted(runpod, setting):
    regions = "EU-RO-1"
    there = deployed_as(runpod, json.loads(json.dumps(wanted(runpod_regions=regions))))
    name, _, part = setting.partition(".")
    if part:
        there[name][part] = DRIFTED[setting]
    else:
        there[name] = DRIFTED[setting]

    found = findings(runpod, runpod_regions=regions)

    named = "allows at most 2 workers" if setting == "workers.max" else f" {setting} is "
    assert named in told(found, "odd")
    assert "escriba deploy runpod" in told(found, "odd")


def test_a_doctor_tells_of_a_gpu_of_which_none_is_free(runpod):
    deployed_as(runpod, wanted())
    runpod.control.stock["NVIDIA L4"] = {"EU-RO-1": "NONE", "US-KS-2": "NONE"}

    found = findings(runpod)

    assert "RunPod has no l4 for serverless in any data center now" in told(found, "odd")
    assert "RUNPOD_REGIONS" in told(found, "odd")


def test_the_stock_that_counts_is_that_of_ones_own_data_centers(runpod):
    deployed_as(runpod, wanted(runpod_regions="EU-RO-1"))
    runpod.control.stock["NVIDIA L4"] = {"EU-RO-1": "LOW", "US-KS-2": "HIGH"}

    assert "l4 in EU-RO-1 is low" in told(findings(runpod, runpod_regions="EU-RO-1"), "well")
    assert "l4 in any data center is high" in told(findings(runpod), "well")


def test_of_a_stock_that_the_catalog_does_not_tell_a_doctor_says_nothing():
    assert stock_of("l4", [], CATALOG) is None
    odd = [{"id": "NVIDIA L4", "availability": "PLENTY", "dataCenters": ["EU-RO-1", None]}]
    assert stock_of("l4", [], odd) is None


def test_a_doctor_names_what_is_missing_or_refused(runpod):
    deployed_as(runpod, wanted())
    no_endpoint = findings(runpod, runpod_endpoint_id="")
    unknown = findings(runpod, runpod_endpoint_id="gone")
    no_image = findings(runpod, runpod_image="")
    no_price = findings(runpod, runpod_gpu="t4")
    no_key = findings(runpod, runpod_api_key="")
    refused = findings(runpod, runpod_api_key="another")

    assert "so RunPod gets no jobs" in told(no_endpoint, "odd")
    assert "no endpoint gone" in told(unknown, "broken")
    assert "RUNPOD_IMAGE is not set" in told(no_image, "odd")
    assert "no price for runpod/t4" in told(no_price, "broken")
    assert "RUNPOD_API_KEY" in told(no_key, "broken")
    assert "refuses the key" in told(refused, "broken")


def test_a_doctor_tells_of_workers_that_do_not_come_up(runpod):
    deployed_as(runpod, wanted())
    runpod.workers = {"idle": 0, "running": 0, "unhealthy": 2}

    assert "all 2 workers are unhealthy" in told(findings(runpod), "broken")
