"""What an operator may turn: one environment variable for each field, read once in `main`."""

import sys
from pathlib import Path
from typing import Annotated

from pydantic import (
    BeforeValidator,
    Field,
    HttpUrl,
    NonNegativeFloat,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    RedisDsn,
    SecretStr,
    TypeAdapter,
    ValidationError,
)
from pydantic_settings import BaseSettings, SettingsConfigDict

from darkroom.contracts.defects import Enhancer
from darkroom.contracts.options import BudgetMs

_url, _redis_dsn = TypeAdapter(HttpUrl), TypeAdapter(RedisDsn)


def _urls(value: object) -> str | None:
    """Each URL checked. An empty variable means "there is none", so that Compose may pass it on."""
    words = [word.strip() for word in str(value or "").split(",")]
    return ",".join(str(_url.validate_python(word)) for word in words if word) or None


def _redis_url(value: object) -> str | None:
    return str(_redis_dsn.validate_python(value)) if value else None


Urls = Annotated[str, BeforeValidator(_urls)]  # one or more, separated by commas
OptionalRedisUrl = Annotated[str | None, BeforeValidator(_redis_url)]
OptionalUrls = Annotated[str | None, BeforeValidator(_urls)]
OptionalPath = Annotated[Path | None, BeforeValidator(lambda path: path or None)]


class Settings(BaseSettings):
    """What an operator may turn; field `budget_ms` is the variable DARKROOM_BUDGET_MS."""

    model_config = SettingsConfigDict(env_prefix="DARKROOM_", frozen=True)

    host: str = Field(default="127.0.0.1", description="address the gateway listens on")
    port: int = Field(
        default=9000, ge=0, le=65_535, description="port it listens on; 0 takes a free one"
    )

    defects_url: Urls = Field(
        default="http://defects:8080/",
        description="base URL of the model server `defects`: each address of its host is a "
        "replica; several URLs, separated by commas, are taken together",
    )
    tone_url: OptionalUrls = Field(
        default="http://tone:8080/",
        description="the same of `tone`; empty where there is none",
    )
    restore_url: OptionalUrls = Field(
        default=None, description="the same of `restore`, if there is one"
    )
    straighten_url: OptionalUrls = Field(
        default=None, description="the same of `straighten`, if there is one"
    )
    colorize_url: OptionalUrls = Field(
        default=None, description="the same of `colorize`, if there is one"
    )
    replicas_file: Path | None = Field(
        default=None,
        description="file with the replicas of model servers, a JSON object of lists of URLs by "
        "name, read again every second; what it names needs no URL above",
    )
    shared_folder: OptionalPath = Field(
        default=None,
        description="folder in memory (tmpfs) in which model servers on this machine, given the "
        "same, find photos and each other's decoded pixels; none: all is sent",
    )
    shared_bytes: NonNegativeInt = Field(
        default=256 << 20,
        description="most bytes of photos and pixels that lie there; 0 shares none",
    )
    replica_depth: PositiveInt = Field(
        default=2,
        description="photos sent to one replica at a time, the rest wait in the gateway: one at "
        "work and one at the door",
    )

    page_dir: Path = Field(
        default=Path(__file__).parents[1] / "web" / "dist",
        description="folder of the built page; where there is none `/` leads to `/docs`",
    )

    budget_ms: BudgetMs = Field(
        default=1000,
        description="time for an answer, from the last byte received to the first byte sent",
    )
    colorize_budget_ms: BudgetMs = Field(
        default=30_000,
        description="the same for colours of `artistic` or `stable`, which take seconds where "
        "there is no GPU",
    )
    read_timeout_s: PositiveFloat = Field(
        default=10, description="time a request's body may take to arrive; after it 408"
    )
    max_bytes: PositiveInt = Field(
        default=32 << 20, description="largest photo in bytes; over it 413"
    )
    max_pixels: PositiveInt = Field(
        default=50_000_000, description="largest photo in pixels; over it 422"
    )
    max_reply_bytes: PositiveInt | None = Field(
        default=None,
        description="largest reply taken from a model server, in bytes; none: twice the largest "
        "photo's",
    )
    max_in_flight: PositiveInt = Field(
        default=64, description="photos worked on at the same time; over it 429"
    )
    max_held_bytes: PositiveInt = Field(
        default=256 << 20, description="bytes of all requests held at the same time; over it 429"
    )

    database_url: str = Field(
        default="",
        description="PostgreSQL for jobs; empty: the embedded one in the data folder, if it runs",
    )
    data_folder: Path = Field(
        default=Path("var/data"),
        description="where the embedded database and, without a storage URL, photos lie",
    )
    storage_url: str = Field(
        default="",
        description="where jobs keep photos (s3://…, gs://…, az://…, file:///…); empty: the folder",
    )
    retention_hours: PositiveFloat = Field(
        default=168, description="age at which jobs and their photos are deleted"
    )
    max_order_photos: PositiveInt = Field(
        default=1000, description="most photos of one upload; over it 422"
    )
    max_waiting_jobs: PositiveInt = Field(
        default=10_000, description="most unfinished jobs of all sessions; over it 429"
    )
    upload_timeout_s: PositiveFloat = Field(
        default=600, description="time all photos of one upload may take to arrive; after it 408"
    )
    gateway_url: HttpUrl = Field(
        default=HttpUrl("http://127.0.0.1:9000"), description="where a worker finds the gateway"
    )
    worker_concurrency: PositiveInt = Field(
        default=2, description="jobs one worker works on at the same time"
    )
    job_budget_ms: BudgetMs = Field(
        default=30_000, description="time for one try of a job, unless its options say otherwise"
    )
    job_attempts: PositiveInt = Field(default=5, description="tries of a job before it is given up")
    stalled_after_s: PositiveFloat = Field(
        default=30, description="silence after which a worker counts as dead"
    )
    webhook_secret: SecretStr = Field(
        default=SecretStr(""), description="key that webhooks are signed with; empty: no webhooks"
    )
    webhook_hosts: str = Field(
        default="",
        description="hosts, separated by commas, that webhooks may reach on private addresses",
    )

    redis_url: OptionalRedisUrl = Field(
        default=None, description="Redis that gateways share results in; none: each keeps its own"
    )
    cache_bytes: NonNegativeInt = Field(
        default=128 << 20,
        description="bytes of results kept where there is no Redis; 0 keeps none",
    )
    cache_ttl_s: NonNegativeFloat = Field(
        default=600, description="time a result is kept; 0 keeps none, in Redis neither"
    )

    drain_s: NonNegativeFloat = Field(
        default=0,
        description="time between SIGTERM and closing the port, in which `/readyz` says 503",
    )

    @property
    def reply_limit_bytes(self) -> int:
        """A mended photo may be larger than its original (PNG, better JPEG)."""
        return self.max_reply_bytes or 2 * self.max_bytes

    @property
    def photos_folder(self) -> Path:
        return self.data_folder.resolve() / "photos"

    @property
    def database_folder(self) -> Path:
        """Of the embedded server."""
        return self.data_folder.resolve() / "database"

    @property
    def model_server_urls(self) -> dict[str, str]:
        """Base URLs of each model server that is part of this cluster, by its name."""
        urls = {name: getattr(self, f"{name}_url") for name in ("defects", *Enhancer, "colorize")}
        return {name: url for name, url in urls.items() if url is not None}


def read_settings() -> Settings | None:
    """The settings of the environment; None where one is wrong, which has been said by then."""
    try:
        return Settings()
    except ValidationError as error:
        for fault in error.errors(include_url=False, include_input=False):
            name = "_".join(str(part) for part in fault["loc"]).upper()
            print(f"DARKROOM_{name}: {fault['msg']}", file=sys.stderr)
    return None
