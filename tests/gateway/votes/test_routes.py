"""`/api/votes`: made, judged side by side, told to who made it, deleted."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from gateway.jobs.database import Database
from gateway.jobs.retention import remove_old
from gateway.jobs.storage import Storage
from tests.gateway.photos import a_photo


async def test_vote_is_open_once_all_versions_are_there(new_voter):
    """Until the last upload it is not listed and hands out no pairs."""
    owner, photo = new_voter(), a_photo(size=(8, 6))
    asked = {"name": "tone", "variants": ["old", "new"], "photos": ["a.jpg"]}
    _, vote = await owner.call("POST", json=asked)
    assert (vote["pairs"], vote["missing"]) == (1, 2)

    await owner.upload("tone", "a.jpg", "old", photo)
    assert (await owner.get(""))["votes"] == []
    assert (await owner.call("GET", "/tone/pairs"))[0] == 404
    await owner.upload("tone", "a.jpg", "new", photo)

    assert [vote["name"] for vote in (await owner.get(""))["votes"]] == ["tone"]
    assert len((await owner.next("tone"))["pairs"]) == 1


async def test_voter_goes_from_the_first_pair_to_the_last(owner, new_voter):
    """Each ballot brings the next pair and the progress, until there is none."""
    voter = new_voter()
    round_ = await voter.next("tone", limit=1)
    seen = []
    while round_["pairs"]:
        seen.append(round_["pairs"][0]["photo"])
        status, round_ = await voter.judge("tone", round_["pairs"][0]["id"], "left")
        assert status == 200

    assert sorted(seen) == ["a.jpg", "b.jpg"]
    assert (round_["judged"], round_["total"]) == (2, 2)
    assert (await voter.get("/tone"))["judged"] == 2
    assert (await owner.get("/tone"))["judged"] == 0


async def test_sides_are_this_voters_own_and_recorded(owner, new_voter):
    """They differ between voters, stay when asked again, and are what the ballot says they were."""
    lefts = set()
    for _ in range(64):  # each time the other side with even chances
        if len(lefts) == 2:
            break
        voter = new_voter()
        pair = (await voter.next("tone"))["pairs"][0]
        again = (await voter.next("tone"))["pairs"][0]
        assert (pair["leftUrl"], pair["rightUrl"]) == (again["leftUrl"], again["rightUrl"])

        await voter.judge("tone", pair["id"], "left")
        cast = (await owner.ballots("tone"))[-1]

        shown = await voter.get(pair["leftUrl"].removeprefix("/api/votes"))
        number = ["a.jpg", "b.jpg"].index(pair["photo"])
        place = ["old", "new"].index(cast["left"])
        assert shown == a_photo(seed=100 * place + number, size=(8, 6))
        lefts.add(cast["left"])
    assert lefts == {"old", "new"}


@pytest.mark.usefixtures("owner")
async def test_nothing_that_a_voter_sees_names_a_variant(new_voter):
    """Judging stays blind."""
    text = repr(await new_voter().next("tone"))

    assert "old" not in text
    assert "new" not in text


@pytest.mark.usefixtures("owner")
async def test_pairs_with_the_fewest_ballots_come_first(new_voter):
    """Voters who stop after one pair still cover all of them."""
    seen = []
    for _ in range(4):
        voter = new_voter()
        pair = (await voter.next("tone", limit=1))["pairs"][0]
        await voter.judge("tone", pair["id"], "right")
        seen.append(pair["photo"])

    assert sorted(seen[:2]) == sorted(seen[2:]) == ["a.jpg", "b.jpg"]


@pytest.mark.usefixtures("owner")
async def test_pair_that_is_only_looked_at_blocks_nobody(new_voter):
    """Somebody who takes every pair and goes away takes none from others or from later."""
    gone = new_voter()
    taken = await gone.next("tone")

    other = await new_voter().next("tone")

    assert len(other["pairs"]) == len(taken["pairs"]) == 2
    assert await gone.next("tone") == taken


async def test_one_ballot_for_each_pair_and_voter(owner, new_voter):
    """Twenty equal ballots at once are one; another choice later takes its place."""
    voter = new_voter()
    pair = (await voter.next("tone"))["pairs"][0]["id"]

    answers = await asyncio.gather(*(voter.judge("tone", pair, "left") for _ in range(20)))
    assert {status for status, _ in answers} == {200}
    assert [cast["choice"] for cast in await owner.ballots("tone")] == ["left"]
    await voter.judge("tone", pair, "no_difference")

    assert [cast["choice"] for cast in await owner.ballots("tone")] == ["no_difference"]


async def test_voters_are_numbers_in_the_ballots(owner, new_voter):
    """Who they are is nowhere: sessions are kept as digests and told as numbers."""
    for _ in range(3):
        voter = new_voter()
        for pair in (await voter.next("tone"))["pairs"]:
            await voter.judge("tone", pair["id"], "left")

    cast = await owner.ballots("tone")

    assert sorted(ballot["voter"] for ballot in cast) == [1, 1, 2, 2, 3, 3]
    assert all({ballot["left"], ballot["right"]} == {"old", "new"} for ballot in cast)


async def test_three_variants_are_three_pairs_a_photo(new_voter):
    """Every two variants meet on every photo."""
    owner = new_voter()
    await owner.make("models", ["a", "b", "c"], ["1.jpg", "2.jpg"])

    assert len((await owner.next("models"))["pairs"]) == 6


async def test_making_the_same_vote_again_goes_on(owner):
    """After an interruption the same request and uploads are answered as before."""
    asked = {"name": "tone", "variants": ["old", "new"], "photos": ["a.jpg", "b.jpg"]}

    assert (await owner.call("POST", json=asked))[0] == 200
    same = a_photo(seed=0, size=(8, 6))
    assert await owner.upload("tone", "a.jpg", "old", same) == 204
    assert (await owner.get("/tone"))["missing"] == 0


async def test_deleted_vote_leaves_nothing(owner, new_voter, jobs):
    """Rows and bytes are gone, and the name is free."""
    voter = new_voter()
    await voter.judge("tone", (await voter.next("tone"))["pairs"][0]["id"], "left")
    assert len(jobs.objects()) == 4

    assert (await owner.call("DELETE", "/tone"))[0] == 204

    assert jobs.objects() == []
    for table in ("votes", "versions", "pairs", "ballots"):
        assert jobs.rows(f"SELECT count(*) FROM {table}") == [{"count": 0}]
    assert (await voter.call("GET", "/tone/pairs"))[0] == 404


@pytest.mark.usefixtures("owner")
async def test_retention_of_jobs_leaves_votes_alone(jobs):
    """Photos of a vote stay until it is deleted; those of a vote that is gone do not."""
    database = Database(jobs.settings.database_url, jobs.settings.database_folder)
    storage = Storage("", jobs.settings.photos_folder)
    await storage.put("votes/00000000-0000-0000-0000-000000000000/left-over", b"photo")
    later = datetime.now(UTC) + timedelta(days=365)

    removed = await remove_old(database, storage, timedelta(days=7), later)
    await database.close()

    assert removed == 1
    assert len(jobs.objects()) == 4


async def test_without_a_database_there_are_no_votes(start_jobs):
    """503 with the code that jobs have for it."""
    jobs = await start_jobs(database_url="postgresql://nobody@127.0.0.1:1/none")
    async with jobs.http.get(f"{jobs.url}/api/votes", headers=jobs.headers) as reply:
        assert reply.status == 503
        assert (await reply.json())["code"] == "jobs_unavailable"
