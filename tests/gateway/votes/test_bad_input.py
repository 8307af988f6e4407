"""What strangers send to `/api/votes`, and what they get for it."""

import io
from urllib.parse import quote

import pytest

from darkroom.contracts.jobs import SESSION_HEADER
from tests.gateway.photos import a_photo

NOBODY = "00000000-0000-0000-0000-000000000000"
RUBBISH = [
    b"",
    b"{",
    b"[]",
    b"\xff\xfe",
    b'{"choice": "middle"}',
    b'{"choice": "left", "pair": "mine"}',
    b'{"choice": ["left"]}',
    b"null",
]
TWO = ["old", "new"]


async def test_no_session_is_401(owner):
    """Without a session nothing is told, taken or judged."""
    pair = (await owner.next("tone"))["pairs"][0]
    asked = (
        ("GET", ""),
        ("POST", ""),
        ("GET", "/tone"),
        ("DELETE", "/tone"),
        ("GET", "/tone/pairs"),
        ("PUT", f"/tone/pairs/{pair['id']}"),
        ("GET", "/tone/ballots"),
        ("GET", pair["leftUrl"].removeprefix("/api/votes")),
    )
    for method, path in asked:
        for headers in ({}, {SESSION_HEADER: "'--"}):
            url = f"{owner.url}/api/votes{path}"
            async with owner.http.request(method, url, headers=headers) as reply:
                assert reply.status == 401, (method, path)
                assert (await reply.json())["code"] == "no_session"


async def test_what_belongs_to_the_owner_is_nobody_elses(owner, new_voter):
    """Others can neither read the ballots nor delete the vote nor change its photos."""
    stranger = new_voter()

    assert (await stranger.call("GET", "/tone/ballots"))[0] == 404
    assert (await stranger.call("DELETE", "/tone"))[0] == 404
    assert await stranger.upload("tone", "a.jpg", "old", a_photo()) == 404
    assert (await owner.get("/tone"))["missing"] == 0


async def test_name_of_somebody_elses_vote_is_taken(owner, new_voter):
    """409, for other wishes under one's own name too; what is there stays."""
    same = {"name": "tone", "variants": TWO, "photos": ["a.jpg", "b.jpg"]}
    other = {"name": "tone", "variants": TWO, "photos": ["a.jpg"]}
    for voter, asked in ((new_voter(), same), (owner, other)):
        status, problem = await voter.call("POST", json=asked)
        assert (status, problem["code"]) == (409, "name_taken")
    assert (await owner.get("/tone"))["pairs"] == 2


async def test_version_is_never_replaced(owner):
    """What has been judged stays what it was."""
    assert await owner.upload("tone", "a.jpg", "old", a_photo(seed=9)) == 409


async def test_pair_of_another_vote_is_not_found(owner, new_voter):
    """A ballot counts in the vote that its pair is of, or nowhere."""
    await owner.make("other", TWO, ["c.jpg"])
    foreign = (await owner.next("other"))["pairs"][0]["id"]
    for pair in (foreign, NOBODY, "x", "..%2f..", "%00"):
        assert (await new_voter().judge("tone", pair, "left"))[0] == 404, pair
    assert await owner.ballots("other") == []


async def test_rubbish_in_a_ballot_is_400(owner):
    """A side that does not exist among it; nothing is kept."""
    pair = (await owner.next("tone"))["pairs"][0]["id"]
    for body in RUBBISH:
        status, problem = await owner.call("PUT", f"/tone/pairs/{pair}", data=body)
        assert (status, problem["code"]) == (400, "malformed_request"), body
    assert await owner.ballots("tone") == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"variants": ["only"]},
        {"variants": ["same", "same"]},
        {"photos": []},
        {"photos": ["a.jpg", "a.jpg"]},
        {"photos": [f"{n}.jpg" for n in range(10_001)]},
        {"name": ""},
        {"name": "n" * 81},
        {"name": "a/b"},
        {"name": ".."},
        {"name": "line\nbreak"},
        {"name": "turned\u202egpj"},
        {"name": "zero\x00"},
        {"colour": "red"},
    ],
    ids=lambda wrong: repr(wrong)[:30],
)
async def test_wrong_votes_are_refused(new_voter, wrong):
    """Before anything is written down."""
    asked = {"name": "tone", "variants": TWO, "photos": ["a.jpg"]} | wrong

    status, problem = await new_voter().call("POST", json=asked)

    assert (status, problem["code"]) == (400, "malformed_request")


async def test_documents_over_the_limit_are_413(new_voter):
    """A vote is names, not megabytes."""
    assert (await new_voter().call("POST", data=io.BytesIO(b" " * (5 << 20))))[0] == 413


async def test_what_is_no_photo_is_no_version(owner):
    """By content, whatever its name says."""
    await owner.call("POST", json={"name": "empty", "variants": TWO, "photos": ["a.jpg"]})

    assert await owner.upload("empty", "a.jpg", "old", b"%PDF-1.7 not a photo") == 415
    assert await owner.upload("empty", "b.jpg", "old", a_photo()) == 404
    assert (await owner.get("/empty"))["missing"] == 2


@pytest.mark.parametrize(
    "name", ["'); DROP TABLE votes; --", "<img src=x onerror=alert(1)>", "голоса 100 %", "a?b#c&d"]
)
async def test_names_are_text(new_voter, name):
    """SQL, HTML and whatever addresses are made of come back as they were given."""
    owner = new_voter()
    await owner.make(name, [name, "other"], [f"{name}.jpg"])

    pair = (await owner.next(name))["pairs"][0]
    assert (await owner.judge(name, pair["id"], "left"))[0] == 200

    assert pair["photo"] == f"{name}.jpg"
    assert await owner.get(pair["leftUrl"].removeprefix("/api/votes"))
    cast = (await owner.ballots(name))[0]
    assert {cast["left"], cast["right"]} == {name, "other"}
    assert (await owner.get(f"/{quote(name, safe='')}"))["name"] == name


async def test_made_up_addresses_are_refused(owner):
    """Whatever is asked: not found or named as wrong, never an error of ours."""
    paths = ("/%00", "/tone/versions/x", f"/tone/versions/{NOBODY}", "/tone/pairs?limit=0",
             "/tone/pairs?limit=x", "/tone/pairs?limit=99", "/none/pairs", "/%ff")  # fmt: skip
    for path in paths:
        assert (await owner.call("GET", path))[0] in (400, 404), path


async def test_photo_of_a_vote_cannot_act_as_a_page(owner):
    """A stranger's bytes come back with the type we found and no rights."""
    pair = (await owner.next("tone"))["pairs"][0]
    headers = {SESSION_HEADER: owner.session}
    async with owner.http.get(f"{owner.url}{pair['rightUrl']}", headers=headers) as reply:
        assert reply.content_type == "image/jpeg"
        assert "sandbox" in reply.headers["Content-Security-Policy"]
