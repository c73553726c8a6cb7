import os
import re
import subprocess
import sys
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any
from wsgiref.util import setup_testing_defaults

import pytest
import yaml
from django.conf import settings as active_settings
from django.db import connection
from django.http import HttpResponse
from pytest_django import Settings

from skypemgr.embedded.processes import wait_until
from skypemgr.environment import setting_names
from skypemgr.wsgi import application
from tests.skypemgr.processes import ROOT, Service, serving
from tests.skypemgr.test_up import status_of

COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
OURS = ["web", "worker", "mail", "beat", "migrate"]
REQUIRED = ["SECRET_KEY", "BASE_URL", "ALLOWED_HOSTS", "DATABASE_URL", "REDIS_URL", "SMTP_URL"]


def documented_names() -> set[str]:
    return set(re.findall(r"^\| `([A-Z_]+)` \|", (ROOT / "docs" / "settings.md").read_text(), re.MULTILINE))


def compose_names() -> set[str]:
    return set(re.findall(r"\$\{([A-Z_]+)", (ROOT / "docker-compose.yml").read_text()))


def web_names() -> set[str]:
    return set(re.findall(r'os\.environ(?:\.\w+\(|\[)\s*"([A-Z_]+)"', (ROOT / "gunicorn.conf.py").read_text()))


def test_every_setting_is_documented_and_every_documented_one_exists() -> None:
    assert documented_names() == (setting_names() | web_names() | compose_names()) - {"DJANGO_SETTINGS_MODULE"}


def test_the_example_names_what_compose_asks_for() -> None:
    example = re.findall(r"^([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE)

    assert set(example) == compose_names()


def test_production_has_every_part_and_only_the_proxy_faces_clients() -> None:
    services = COMPOSE["services"]

    assert set(services) == {"proxy", "web", "worker", "mail", "beat", "migrate", "database", "broker"}
    assert [name for name, service in services.items() if "ports" in service] == ["proxy"]
    assert COMPOSE["networks"]["inside"]["internal"] is True
    assert {name for name in services if "outside" in services[name]["networks"]} == {"proxy", "mail"}


@pytest.mark.parametrize("name", OURS)
def test_our_services_run_one_image_in_production_with_all_it_requires(name: str) -> None:
    service = COMPOSE["services"][name]

    assert service["image"] == "skypemgr"
    assert service["environment"]["SKYPEMGR_ENV"] == "production"
    assert set(REQUIRED) <= set(service["environment"])
    assert set(service["environment"]) <= documented_names()
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]


@pytest.mark.parametrize("name", ["web", "worker", "mail", "beat"])
def test_nothing_of_ours_starts_before_the_migrations_are_applied(name: str) -> None:
    assert COMPOSE["services"][name]["depends_on"]["migrate"] == {"condition": "service_completed_successfully"}
    assert COMPOSE["services"]["migrate"]["depends_on"]["database"] == {"condition": "service_healthy"}


@pytest.mark.parametrize("name", ["database", "broker"])
def test_servers_keep_their_data_in_a_volume_and_say_when_they_are_ready(name: str) -> None:
    service = COMPOSE["services"][name]

    assert any(volume.startswith(f"{name}:/") for volume in service["volumes"])
    assert name in COMPOSE["volumes"]
    assert service["healthcheck"]["test"][0] == "CMD"


def test_every_file_that_compose_mounts_and_the_image_copies_exists() -> None:
    mounted = [
        volume.split(":")[0] for service in COMPOSE["services"].values() for volume in service.get("volumes", [])
    ]
    copied = re.findall(r"^COPY (.+) \S+$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)

    paths = [path for path in mounted if path.startswith("./")] + [path for line in copied for path in line.split()]

    assert [path for path in paths if not (ROOT / path).exists()] == []


def test_the_image_runs_as_nobody_special_and_in_production() -> None:
    lines = (ROOT / "Dockerfile").read_text()

    assert re.search(r"^USER skypemgr$", lines, re.MULTILINE)
    assert "SKYPEMGR_ENV=production" in lines
    assert "--require-hashes" in lines
    assert lines.index("SKYPEMGR_ENV=production") > lines.index("collectstatic")


def test_scripts_of_deployment_are_valid() -> None:
    for script in (ROOT / "deploy" / "create-role.sh", ROOT / ".ci" / "run"):
        assert subprocess.run(["sh", "-n", script]).returncode == 0, script


@pytest.fixture(scope="module")
def static_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Static files as the image collects them."""
    folder = tmp_path_factory.mktemp("static")
    real = {"DJANGO_SETTINGS_MODULE": "skypemgr.settings", "STATIC_ROOT": str(folder / "files")}
    run("manage.py", "collectstatic", "--no-input", "--verbosity", "0", **real)
    return folder / "files"


def run(*words: str, **environment: str) -> str:
    """What a Python process of ours wrote. Fails if it does."""
    ended = subprocess.run(
        [sys.executable, *words], cwd=ROOT, env=os.environ | environment, capture_output=True, text=True, timeout=120
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


def production(static_root: Path) -> dict[str, str]:
    """An environment as in the compose file, on the servers of the tests."""
    name, host = connection.settings_dict["NAME"], connection.settings_dict["OPTIONS"]["host"]
    return {
        "SKYPEMGR_ENV": "production",
        "DJANGO_SETTINGS_MODULE": "skypemgr.settings",
        "SECRET_KEY": "not so secret, but long enough " * 3,
        "BASE_URL": "https://skypemgr.example",
        "ALLOWED_HOSTS": "skypemgr.example",
        "DATABASE_URL": f"postgresql://app@/{name}?host={host}",
        "REDIS_URL": active_settings.REDIS_URL,
        "SMTP_URL": "smtp://127.0.0.1:1",
        "STATIC_ROOT": str(static_root),
        "WEB_BIND": "127.0.0.1:0",
        "PYTHONUNBUFFERED": "1",
    }


def service_of(name: str, tmp_path: Path, environment: dict[str, str], *more: str) -> AbstractContextManager[Service]:
    """What the compose file starts as service ``name``, started here."""
    program, *words = [word.replace("/tmp/", f"{tmp_path}/") for word in COMPOSE["services"][name]["command"]]
    command = [str(Path(sys.executable).with_name(program)), *words, *more]
    return serving(command, environment=os.environ | environment)


@pytest.mark.django_db(transaction=True)
def test_web_of_production_answers_behind_a_proxy_and_is_healthy(tmp_path: Path, static_root: Path) -> None:
    environment = production(static_root)
    with service_of("web", tmp_path, environment, "--log-level", "info") as web:
        port = web.read_until(r"Listening at: http://127\.0\.0\.1:(\d+)")
        assert wait_until(lambda: status_of(f"http://127.0.0.1:{port}/healthz") is not None, seconds=30, step=0.1)

        run("deploy/healthcheck.py", **environment | {"WEB_BIND": f"127.0.0.1:{port}"})
        assert status_of(f"http://127.0.0.1:{port}/healthz") == 400  # a host that is not allowed

        assert web.end() == 0


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("name", "sign", "more"),
    [
        ("worker", r"work@\S+ (ready)", []),
        ("mail", r"mail@\S+ (ready)", []),
        ("beat", r"(Sending due task)", ["--loglevel", "INFO"]),
    ],
)
def test_worker_and_beat_of_production_start_and_stop(
    tmp_path: Path, static_root: Path, name: str, sign: str, more: list[str]
) -> None:
    with service_of(name, tmp_path, production(static_root), *more) as service:
        service.read_until(sign)

        assert service.end() == 0


@pytest.mark.parametrize("name", REQUIRED)
def test_production_does_not_start_without_a_required_value(static_root: Path, name: str) -> None:
    environment = production(static_root) | {name: ""}

    ended = subprocess.run(
        [sys.executable, "manage.py", "check"], cwd=ROOT, env=os.environ | environment, capture_output=True, text=True
    )

    assert ended.returncode == 1
    assert ended.stderr.strip() == f"{name} must be set when SKYPEMGR_ENV=production."


def test_local_mode_does_not_listen_to_the_network(tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "gunicorn", "skypemgr.wsgi", "--bind", "0.0.0.0:0"],
        cwd=ROOT,
        env=os.environ | {"DJANGO_SETTINGS_MODULE": "skypemgr.settings", "APP_VAR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert ended.returncode != 0
    assert "Local mode listens on 127.0.0.1 alone" in ended.stderr


def answer_to(client: str, **headers: str) -> tuple[str, dict[str, Any]]:
    """The status that web gives to a client, and the environment of the request afterwards."""
    environ: dict[str, Any] = {"REMOTE_ADDR": client, "PATH_INFO": "/healthz", **headers}
    setup_testing_defaults(environ)
    statuses = []
    answer = application(environ, lambda status, headers, problem=None: statuses.append(status))
    if isinstance(answer, HttpResponse):
        answer.close()
    return statuses[0], environ


@pytest.mark.django_db
def test_in_production_the_client_is_whom_the_proxy_names(settings: Settings) -> None:
    settings.LOCAL = False

    status, environ = answer_to("10.0.0.1", HTTP_X_REAL_IP="203.0.113.7")

    assert status == "200 OK"
    assert environ["REMOTE_ADDR"] == "203.0.113.7"


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("client", "status"), [("127.0.0.1", "200 OK"), ("::1", "200 OK"), ("192.0.2.9", "403 Forbidden")]
)
def test_local_mode_answers_this_machine_alone_whatever_a_header_says(client: str, status: str) -> None:
    found, environ = answer_to(client, HTTP_X_REAL_IP="127.0.0.1")

    assert found == status
    assert environ["REMOTE_ADDR"] == client


def nginx_server() -> str:
    """The server of deploy/nginx.conf that faces clients."""
    text = (ROOT / "deploy" / "nginx.conf").read_text()
    return text[text.index("listen 8443") :]


@pytest.mark.parametrize(
    "line",
    [
        "proxy_request_buffering on;",
        "proxy_buffering on;",
        "proxy_set_header Host $http_host;",
        "proxy_set_header X-Real-IP $remote_addr;",
        "proxy_set_header X-Forwarded-For $remote_addr;",
        "proxy_set_header X-Forwarded-Proto $scheme;",
        "proxy_set_header X-Request-ID $request_id;",
        'proxy_set_header X-Forwarded-Host "";',
        'proxy_set_header Forwarded "";',
        "location = /metrics {\n            return 404;",
        "ssl_protocols TLSv1.2 TLSv1.3;",
    ],
)
def test_the_proxy_takes_in_whole_requests_and_says_itself_who_asks(line: str) -> None:
    assert line in nginx_server()


def seconds_of(directive: str, text: str) -> int:
    found = re.search(rf"^\W*{directive}\W+(\d+)s?\b", text, re.MULTILINE)
    assert found, directive
    return int(found[1])


def test_the_proxy_waits_for_nobody_for_ever_and_longer_than_web() -> None:
    text = (ROOT / "deploy" / "nginx.conf").read_text()

    assert seconds_of("proxy_read_timeout", text) > seconds_of("timeout", (ROOT / "gunicorn.conf.py").read_text())
    assert seconds_of("client_header_timeout", text) <= 10
    assert seconds_of("client_body_timeout", text) <= 30


def test_the_log_of_the_proxy_holds_no_path() -> None:
    text = (ROOT / "deploy" / "nginx.conf").read_text()

    assert not re.search(r"log_format[^;]*\$(uri|request|request_uri|args|query_string|http_\w+)\b", text)


@pytest.mark.parametrize("name", ["web", "worker", "mail"])
def test_what_works_says_whether_it_can(name: str) -> None:
    service = COMPOSE["services"][name]

    assert service["healthcheck"]["test"] == ["CMD", "python", "deploy/healthcheck.py"]
    assert int(service["stop_grace_period"].removesuffix("s")) >= 35


def test_the_example_holds_no_secret() -> None:
    lines = (ROOT / ".env.example").read_text().splitlines()

    assert {"SECRET_KEY=", "DATABASE_PASSWORD=", "METRICS_TOKEN="} <= set(lines)
