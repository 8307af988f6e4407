r"""Users for locust, with a target rate and a mix of photos.

    locust -f benchmark/locustfile.py --headless --host http://127.0.0.1:9000 \
        --mix phones --rate 20 --users 40 --run-time 1m

`portal`: 1280×960, half of them dark. `phones`: a third of 12 megapixels. `archive`: 12 megapixels,
as jobs, which let everybody pass. A user waits for its answer, so beyond saturation the rate falls
short: `benchmark/sweep.py` shows what lies there.
"""

import random
from argparse import ArgumentParser

import gevent
from locust import HttpUser, constant_throughput, events, task
from locust.env import Environment

from benchmark.photos import DARK, LIGHT, PHOTOS, SIZES, make_photo
from darkroom.contracts.headers import PRIORITY

SMALL, LARGE = SIZES
MIXES = {  # size, light and weight
    "portal": ((SMALL, DARK, 1), (SMALL, LIGHT, 1)),
    "phones": ((SMALL, DARK, 1), (SMALL, LIGHT, 1), (LARGE, DARK, 1)),
    "archive": ((LARGE, DARK, 1),),
}
GOOD = {200, 204}


def _options(parser: ArgumentParser) -> None:
    parser.add_argument("--mix", choices=MIXES, default="portal", help="which photos")
    parser.add_argument("--rate", type=float, default=10.0, help="requests a second, of all users")


class Sender(HttpUser):
    """Sends a photo of the mix, at its share of the rate."""

    photos: dict[tuple[str, float], list[bytes]] = {}  # noqa: RUF012 - drawn once for all users

    def wait_time(self) -> float:
        options = self.environment.parsed_options
        assert options is not None
        pause = constant_throughput(options.rate / max(1, options.num_users or 1))
        return float(pause(self))

    @task
    def enhance(self) -> None:
        mix = MIXES[_mix(self.environment)]
        size, light, _ = random.choices(mix, [weight for *_, weight in mix])[0]
        photo = random.choice(self.photos[size, light])
        sent = {"Cache-Control": "no-store"}
        if _mix(self.environment) == "archive":
            sent[PRIORITY] = "job"
        with self.client.post(
            "/enhance_image",
            files={"image": ("photo.jpg", photo, "image/jpeg")},
            headers=sent,
            name=f"{size} {'dark' if light == DARK else 'light'}",
            catch_response=True,
        ) as reply:
            if reply.status_code in GOOD:
                reply.success()
            else:
                reply.failure(f"{reply.status_code}")


def _draw(environment: Environment, **_: object) -> None:
    for size, light, _weight in MIXES[_mix(environment)]:
        Sender.photos[size, light] = [make_photo(name, *SIZES[size], light) for name in PHOTOS]
    gevent.get_hub().loop.update_now()  # or the seconds of drawing count as the run's


def _mix(environment: Environment) -> str:
    assert environment.parsed_options is not None
    return str(environment.parsed_options.mix)


events.init_command_line_parser.add_listener(_options)  # type: ignore[no-untyped-call]
events.init.add_listener(_draw)  # type: ignore[no-untyped-call]
