"""deploy/compose is whole without an engine: valid, and all that it names exists."""

import json
import re
import shutil
import stat
import subprocess
from importlib.resources import files
from ipaddress import ip_address, ip_network
from pathlib import Path

import jsonschema
import pytest
import yaml

from cli.commands.metrics import command as metrics
from cli.commands.serve import command as serve
from cli.processes.health_probe import parser
from escriba.settings import Settings, load_settings, setting_names

HOUSE = Path(__file__).resolve().parents[2]
FOLDER = HOUSE / "deploy" / "compose"
COMPOSE = yaml.safe_load((FOLDER / "compose.yaml").read_text("utf-8"))
SERVICES = COMPOSE["services"]
OURS = {name: one for name, one in SERVICES.items() if one["image"].startswith("${ESCRIBA_IMAGE")}
COMMANDS = {"serve": serve, "metrics": metrics}
WITHOUT_CHECK = {"oauth2-proxy", "minio-bucket"}  # has no program to check with; ends by itself


def names(entries):
    """The names of a list or a mapping; of a volume, what is before the colon."""
    return [re.split(r":(?!-)", str(one))[0] for one in entries or ()]


def mounts(service):
    return [one for one in names(service.get("volumes")) if one.startswith(".")]


def env_file(path):
    lines = (FOLDER / path).read_text("utf-8").splitlines()
    return dict(
        line.lstrip("#").split("=", 1) for line in lines if re.match(r"#?[A-Z0-9_]+=", line)
    )


@pytest.fixture
def prepared(tmp_path):
    for name in ("prepare.sh", "example.env", "example.escriba.env", "example.oidc.env"):
        shutil.copy(FOLDER / name, tmp_path)

    def run(*arguments):
        subprocess.run([tmp_path / "prepare.sh", *arguments], check=True, capture_output=True)
        return tmp_path

    return run


def test_it_is_valid_by_the_schema_of_compose():
    shipped = files("check_jsonschema") / "builtin_schemas" / "vendor" / "compose-spec.json"
    jsonschema.validate(COMPOSE, json.loads(shipped.read_text("utf-8")))


@pytest.mark.parametrize("kind", ["secrets", "networks", "volumes"])
def test_services_use_what_is_declared_and_nothing_is_declared_in_vain(kind):
    used = {name for one in SERVICES.values() for name in names(one.get(kind)) if name[0] != "."}

    assert used == set(COMPOSE[kind])


def test_a_service_waits_for_services_that_have_a_health_check():
    for name, service in SERVICES.items():
        for other, how in service.get("depends_on", {}).items():
            assert how["condition"] == "service_healthy", name
            assert "healthcheck" in SERVICES[other], f"{name} waits for {other}"


def test_every_service_that_can_has_a_health_check():
    assert {name for name, one in SERVICES.items() if "healthcheck" not in one} == WITHOUT_CHECK


@pytest.mark.parametrize("name", SERVICES)
def test_every_service_has_a_read_only_root_no_new_privileges_and_a_log_that_ends(name):
    service = SERVICES[name]

    assert service["read_only"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert set(service["logging"]["options"]) == {"max-size", "max-file"}


def test_only_the_proxy_is_published_beyond_this_machine():
    published = {name: one["ports"] for name, one in SERVICES.items() if "ports" in one}

    assert set(published) == {"proxy", "grafana"}
    assert published["grafana"] == ["127.0.0.1:3030:3000"]


@pytest.mark.parametrize("name", sorted(set(SERVICES) - set(OURS)))
def test_images_of_others_are_pinned_by_digest(name):
    assert re.search(r":[\w.-]+@sha256:[0-9a-f]{64}$", SERVICES[name]["image"])


@pytest.mark.parametrize("name", SERVICES)
def test_files_that_are_mounted_exist(name):
    for path in mounts(SERVICES[name]):
        for login in ("oidc", "password"):
            assert (FOLDER / path.replace("${ESCRIBA_LOGIN:-password}", login)).exists()


@pytest.mark.parametrize("name", OURS)
def test_every_variable_of_escriba_is_a_setting_and_every_file_a_secret_of_the_service(name):
    service = OURS[name]
    for variable, value in service["environment"].items():
        assert variable in setting_names(), variable
        if variable.endswith("_FILE"):
            assert Path(value).name in service["secrets"], variable
            assert Path(value).name in (variable.removesuffix("_FILE").lower(), "ui_password")


@pytest.mark.parametrize("path", ["example.escriba.env", "login-oidc.env", "login-password.env"])
def test_the_files_of_settings_name_settings(path):
    assert set(env_file(path)) <= setting_names()


@pytest.mark.parametrize("login", ["login-oidc.env", "login-password.env"])
def test_settings_with_minio_and_each_login_are_valid(login, monkeypatch):
    for name, value in (env_file("example.escriba.env") | env_file(login)).items():
        monkeypatch.setenv(name, value)

    settings = load_settings(ui_hosts="escriba.example.org")

    assert isinstance(settings, Settings)
    assert settings.ui_trusted_proxies == SERVICES["proxy"]["networks"]["edge"]["ipv4_address"]


def test_no_other_container_can_have_the_address_that_is_trusted():
    """The engine counts up from the start of a range; the pages start before the proxy."""
    [of_edge] = COMPOSE["networks"]["edge"]["ipam"]["config"]
    trusted = ip_address(SERVICES["proxy"]["networks"]["edge"]["ipv4_address"])

    assert trusted in ip_network(of_edge["subnet"])
    assert trusted not in ip_network(of_edge["ip_range"])
    assert ip_network(of_edge["ip_range"]).subnet_of(ip_network(of_edge["subnet"]))
    assert of_edge["gateway"] != str(trusted)


@pytest.mark.parametrize("name", OURS)
def test_every_command_and_health_check_can_be_called(name):
    service = OURS[name]
    _, *probe = service["healthcheck"]["test"][1:]
    assert probe[:2] == ["-m", "cli.processes.health_probe"]

    program, verb, *options = map(str, service["command"])
    context = COMMANDS[verb].make_context(verb, options)
    asked = parser().parse_args(probe[2:])

    assert program == "escriba"
    assert context.params.get("part", verb) == name
    if asked.part == "code":
        assert asked.socket == context.params["socket"]


def test_all_parts_speak_through_one_socket_on_a_shared_volume():
    sockets = {
        name: one["command"][-1] for name, one in OURS.items() if "--socket" in one["command"]
    }

    assert set(sockets) == {"code", "daemon", "ui"}
    assert set(sockets.values()) == {"/run/escriba/code.sock"}
    assert all("socket:/run/escriba" in OURS[name]["volumes"] for name in sockets)


def test_prepare_makes_every_file_that_compose_reads(prepared):
    folder = prepared("escriba.example.org")

    assert {f"secrets/{path.name}" for path in (folder / "secrets").iterdir()} == {
        one["file"] for one in COMPOSE["secrets"].values()
    }
    assert "ESCRIBA_HOST=escriba.example.org" in (folder / ".env").read_text()
    assert {"escriba.env", "oidc.env"} <= {path.name for path in folder.iterdir()}
    assert stat.S_IMODE((folder / "secrets").stat().st_mode) == 0o700
    password = (folder / "secrets" / "postgres_password").read_text()
    assert f":{password}@postgres/" in (folder / "secrets" / "dagster_postgres_url").read_text()
    assert len((folder / "secrets" / "oidc_cookie_secret").read_text()) == 32


def test_prepare_keeps_what_is_there(prepared):
    folder = prepared("escriba.example.org")
    (folder / "secrets" / "runpod_api_key").chmod(0o644)
    (folder / "secrets" / "runpod_api_key").write_text("mine")
    before = {path: path.read_text() for path in folder.rglob("*") if path.is_file()}

    prepared("another.example.org")

    assert {path: path.read_text() for path in folder.rglob("*") if path.is_file()} == before


def test_git_never_sees_what_prepare_makes():
    ignored = (FOLDER / ".gitignore").read_text("utf-8").split()

    assert ignored == [".env", "escriba.env", "oidc.env", "secrets/", "backups/"]


def test_a_name_from_a_browser_is_dropped_before_the_login_is_asked():
    text = (FOLDER / "login-oidc.caddy").read_text("utf-8")

    header = env_file("login-oidc.env")["UI_TRUSTED_USER_HEADER"]
    dropped = text.index(f"request_header -{header}")
    assert dropped < text.index("forward_auth") < text.index("reverse_proxy ui:3000")
    assert f">{header}" in text
