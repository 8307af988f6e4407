"""`benchmark/open_loop.py` and `sweep.py`: what a run of requests amounts to."""

import asyncio

import pytest
from aiohttp import web

from benchmark.open_loop import Answer, offer, summarise
from benchmark.sweep import Target, highest_rate


@pytest.fixture
async def slow_service():
    """Answers every second request after 50 ms, and refuses the others."""
    seen = []

    async def answer(request: web.Request) -> web.Response:
        form = await request.post()
        photo = form["image"]
        assert isinstance(photo, web.FileField)
        seen.append((photo.file.read(), request.headers["Cache-Control"]))
        if len(seen) % 2:
            return web.Response(status=429)
        await asyncio.sleep(0.05)
        return web.Response()

    app = web.Application()
    app.router.add_post("/enhance_image", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}/enhance_image", seen
    await runner.cleanup()


async def test_photos_come_whether_or_not_others_have_been_answered(slow_service):
    """About a hundred in half a second, each past any cache; answers and refusals are counted."""
    url, seen = slow_service
    load = await offer(url, [b"one", b"other"], rate_per_s=200, seconds=0.5, budget_ms=20_000)

    assert 70 < len(seen) < 130
    assert set(seen) == {(b"one", "no-store"), (b"other", "no-store")}
    assert load.statuses == {"429": (len(seen) + 1) // 2, "200": len(seen) // 2}
    assert load.goodput_per_s == pytest.approx(2 * (len(seen) // 2))
    assert load.p50_ms >= 50


async def test_lost_answers_are_counted():
    """Nobody listens."""
    load = await offer("http://127.0.0.1:1/", [b""], rate_per_s=20, seconds=0.3)

    assert set(load.statuses) == {"0"}
    assert load.goodput_per_s == 0


def test_late_answers_are_no_goodput():
    """Two of three came in time; quantiles are of good answers alone."""
    answers = [Answer(200, 100, {}), Answer(204, 300, {}), Answer(200, 1001, {})]
    load = summarise([*answers, Answer(429, 2, {})], rate_per_s=2, seconds=2, budget_ms=1000)

    assert (load.goodput_per_s, load.p99_ms, load.refused_p95_ms) == (1, 1001, 2)


def test_highest_rate_is_the_last_in_time_with_every_answer_there():
    """40 a second is too slow, 60 refuses some."""

    def run(rate, p95, statuses):
        return {"offered_per_s": rate, "p95_ms": p95, "statuses": statuses}

    runs = [run(20.0, 300, {"200": 9}), run(40.0, 1100, {"200": 9}), run(60.0, 900, {"429": 1})]

    assert highest_rate(runs) == 20


def test_target_may_name_its_process():
    """Whose CPU time is counted."""
    assert Target.parse("ours=http://x:1/@12") == Target("ours", "http://x:1", 12)
    assert Target.parse("ours=http://x:1").cpu_s() == 0
