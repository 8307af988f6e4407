"""What an operator may turn: one environment variable for each field, read once in `main`."""

from typing import Annotated

from pydantic import BeforeValidator, Field, HttpUrl, PositiveFloat, PositiveInt
from pydantic_settings import BaseSettings, SettingsConfigDict

from darkroom.contracts.defects import Enhancer
from darkroom.contracts.options import BudgetMs

# An empty variable means "there is none", so that Compose files may pass variables through.
OptionalUrl = Annotated[HttpUrl | None, BeforeValidator(lambda value: value or None)]


class Settings(BaseSettings):
    """What an operator may turn; field `budget_ms` is the variable DARKROOM_BUDGET_MS."""

    model_config = SettingsConfigDict(env_prefix="DARKROOM_", frozen=True)

    host: str = Field(default="127.0.0.1", description="address the gateway listens on")
    port: int = Field(
        default=9000, ge=0, le=65_535, description="port it listens on; 0 takes a free one"
    )

    defects_url: HttpUrl = Field(
        default=HttpUrl("http://defects:8080"), description="base URL of the model server `defects`"
    )
    tone_url: OptionalUrl = Field(
        default=HttpUrl("http://tone:8080"),
        description="base URL of `tone`; empty where there is none",
    )
    restore_url: OptionalUrl = Field(
        default=None, description="base URL of `restore`, if there is one"
    )
    straighten_url: OptionalUrl = Field(
        default=None, description="base URL of `straighten`, if there is one"
    )

    budget_ms: BudgetMs = Field(
        default=1000,
        description="time for an answer, from the last byte received to the first byte sent",
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
    max_reply_bytes: PositiveInt = Field(
        default=64 << 20, description="largest reply taken from a model server, in bytes"
    )
    max_in_flight: PositiveInt = Field(
        default=64, description="photos worked on at the same time; over it 429"
    )
    max_held_bytes: PositiveInt = Field(
        default=256 << 20, description="bytes of all requests held at the same time; over it 429"
    )

    @property
    def enhancer_urls(self) -> dict[Enhancer, str]:
        """Base URL of each enhancer that is part of this cluster."""
        urls = {enhancer: getattr(self, f"{enhancer}_url") for enhancer in Enhancer}
        return {enhancer: str(url) for enhancer, url in urls.items() if url is not None}
