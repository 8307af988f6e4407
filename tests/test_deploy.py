"""What the containers' files promise; `tests/containers` runs them."""

import re
from dataclasses import fields, replace
from pathlib import Path

import pytest
import yaml

from darkroom.cluster.environment import WORKER_ENVIRONMENT
from darkroom.cluster.servers import SHARED_CLASSES, shared_jvm_options, torchserve_command
from darkroom.trial.verdict import Limits
from gateway.settings import Settings
from handlers.archives import ARCHIVES
from handlers.overlapping import threads_of

PROJECT = Path(__file__).parents[1]
COMPOSE = PROJECT / "docker-compose.yml"
GPU = PROJECT / "deploy" / "gpu.yml"
STACK = PROJECT / "deploy" / "stack.yml"


def test_workers_get_the_measured_environment():
    """What `darkroom up` gives its model servers, the image gives its own."""
    text = (PROJECT / "deploy" / "model.Dockerfile").read_text()
    said = dict(re.findall(r"^\s*(?:ENV )?([A-Z_]+)=(\S+)", text, re.MULTILINE))

    assert said | WORKER_ENVIRONMENT == said


def test_containers_start_java_as_darkroom_up_does():
    """The same flags and class; places and the line `vmargs`, read from the settings, differ."""
    script = (PROJECT / "deploy" / "serve-model").read_text()
    command = torchserve_command(Path("/tmp"), Path("/archives"), *SHARED_CLASSES)
    shared = set(shared_jvm_options())
    names = {word.partition("=")[0] for word in command if word not in shared}
    names = {name for name in names if "/" not in name}

    assert {"org.pytorch.serve.ModelServer", "-XX:SharedArchiveFile", "-ncs"} <= names
    assert all(name in script for name in names)
    assert "s/^vmargs=//p" in script


def test_javas_classes_are_noted_where_a_model_answers():
    """Where there is no archive of one, those of its worker and its answers would be missing."""
    text = (PROJECT / "deploy" / "model.Dockerfile").read_text()
    stage = re.search(r"^FROM archives AS (\w+)\n(?:(?!FROM ).*\n)*", text, re.MULTILINE)

    assert stage
    assert "-m darkroom.cluster.classes" in stage[0]
    assert f"--from={stage[1]} /src/var/classes.jsa" in text


def test_only_the_gateway_is_published_and_on_loopback():
    """Model servers, Redis and PostgreSQL are reached by nobody from outside."""
    services = yaml.safe_load(COMPOSE.read_text())["services"]

    assert {name for name, service in services.items() if "ports" in service} == {"gateway"}
    assert services["gateway"]["ports"][0].startswith("${DARKROOM_BIND:-127.0.0.1}:")
    assert all("outside" not in services[name]["networks"] for name in ("tone", "redis"))


def test_gpus_get_batches_that_everybody_is_ready_for():
    """`gpu.yml` tells the image's build, handlers and gateway; two batches fit each queue."""
    services = yaml.safe_load(GPU.read_text())["services"]
    dockerfile = (PROJECT / "deploy" / "model.Dockerfile").read_text()
    gateway = services.pop("gateway")["environment"]
    depth = Settings(replica_depth=gateway["DARKROOM_REPLICA_DEPTH"]).replica_depth

    assert services.keys() == ARCHIVES.keys()
    assert re.search(r'^RUN .* --batch "\$BATCH_SIZE"', dockerfile, re.MULTILINE)
    for name, service in services.items():
        (argument,) = service["build"]["args"].items()
        assert re.search(rf"^ARG {argument[0]}=1$", dockerfile, re.MULTILINE)
        batch = int(argument[1])
        assert threads_of(service["environment"]) > 1
        assert depth == 2 * batch
        assert replace(ARCHIVES[name], batch_size=batch).config({}, "")["jobQueueSize"] >= depth


def test_what_is_passed_on_is_a_setting():
    """Both files pass the same variables to gateway and worker, and each is read there."""
    compose, stack = (
        yaml.safe_load(file.read_text())["services"]["gateway"]["environment"]
        for file in (COMPOSE, STACK)
    )
    settings = {f"DARKROOM_{name.upper()}" for name in Settings.model_fields}

    assert compose.keys() == stack.keys()
    assert {name for name in compose if not name.startswith("AWS_")} <= settings


def test_a_swarm_tries_new_versions_with_the_limits_of_whoever_deploys():
    """Each limit is passed on to each model server, and the trial is on."""
    services = yaml.safe_load(STACK.read_text())["services"].values()
    models = [s["environment"] for s in services if "MODEL" in s.get("environment", ())]
    limits = {f"DARKROOM_TRIAL_{field.name.upper()}" for field in fields(Limits)}

    assert len(models) == 5
    for environment in models:
        assert {name for name in environment if name.startswith("DARKROOM_TRIAL_")} == limits
        assert environment["DARKROOM_TRIAL"] == "${DARKROOM_TRIAL:-on}"


@pytest.mark.parametrize("file", [COMPOSE, STACK], ids=["compose", "stack"])
def test_model_servers_take_what_the_gateway_is_told_to_take(file):
    """It is passed on to both."""
    services = yaml.safe_load(file.read_text())["services"]

    for name in ("gateway", *ARCHIVES):
        assert "DARKROOM_MAX_PIXELS" in services[name]["environment"], name


@pytest.mark.parametrize("file", [COMPOSE, STACK], ids=["compose", "stack"])
def test_every_container_is_bounded(file):
    """Memory and processes have limits, the root is read-only, no capability is left."""
    for name, service in yaml.safe_load(file.read_text())["services"].items():
        limits = service.get("deploy", {}).get("resources", {}).get("limits", {})
        assert service.get("mem_limit") or limits.get("memory"), name
        assert service.get("pids_limit") or limits.get("pids"), name
        assert service["read_only"], name
        assert service["cap_drop"] == ["ALL"], name
