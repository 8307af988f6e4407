"""What strangers send to `/api/images`, and what they get for it."""

import asyncio
import io
import zipfile

import aiohttp
import pytest

from tests.gateway.photos import a_form, a_photo, an_animation


@pytest.mark.parametrize(("method", "path"), [("POST", ""), ("GET", ""), ("GET", "/events")])
async def test_no_session_is_401(jobs, method, path):
    """Without a session, or with one that is none, nothing is taken or told."""
    for session in (None, "", "x" * 129, "a b", "ключ", "a\tb", "a/b", "'--"):
        headers = {} if session is None else {"X-Session-ID": session}
        form = a_form(file=a_photo()) if method == "POST" else None
        url = f"{jobs.url}/api/images{path}"

        async with jobs.http.request(method, url, headers=headers, data=form) as reply:
            assert reply.status == 401, session
            assert (await reply.json())["code"] == "no_session"
    assert jobs.objects() == []


async def test_session_in_the_query_of_a_post_does_not_count(jobs):
    """Only what a browser cannot send a header with may name the session in the address."""
    url = f"{jobs.url}/api/images?session={jobs.session}"
    async with jobs.http.post(url, data=a_form(file=a_photo())) as reply:
        assert reply.status == 401


def a_zip() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for number in range(200):
            archive.writestr(f"{number}.jpg", b"")
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("photo", "status", "code"),
    [
        (b"%PDF-1.7 not a photo", 415, "unsupported_photo"),
        (a_zip(), 415, "unsupported_photo"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", 415, "unsupported_photo"),
        (b"", 415, "unsupported_photo"),
        (a_photo()[:20], 422, "unreadable_photo"),
        (an_animation(), 422, "unreadable_photo"),
        (a_photo("PNG", (101, 100)), 422, "too_many_pixels"),
        (a_photo() + bytes(60_000), 422, "photo_too_large"),
    ],
    ids=["pdf", "zip", "svg", "empty", "cut", "animation", "pixels", "bytes"],
)
async def test_what_is_no_photo_is_refused_whole(start_jobs, photo, status, code):
    """Whatever its name says: a problem with its reason, and not a byte of the order is kept."""
    jobs = await start_jobs(max_bytes=50_000, max_pixels=10_000)
    form = a_form(file=a_photo())
    form.add_field("file", photo, filename="photo.jpg", content_type="image/jpeg")

    got, problem = await jobs.call("POST", data=form)

    assert (got, problem["code"]) == (status, code)
    assert "File 2, photo.jpg" in problem["detail"] or code == "photo_too_large"
    assert jobs.objects() == []
    assert (await jobs.get(""))["images"] == []


async def test_order_of_too_many_photos_is_refused(start_jobs):
    """One photo more than an order may have, and none of them is taken."""
    jobs = await start_jobs(max_order_photos=2)
    form = aiohttp.FormData()
    for number in range(3):
        form.add_field("file", a_photo(), filename=f"{number}.jpg")

    assert (await jobs.call("POST", data=form))[0] == 422
    assert jobs.objects() == []


async def test_too_many_waiting_jobs_are_told_to_come_later(start_jobs):
    """Over the most that may wait: 429 with Retry-After, and nothing kept of the refused one."""
    jobs = await start_jobs(max_waiting_jobs=1)
    await jobs.submit()

    async with jobs.http.post(
        f"{jobs.url}/api/images", data=a_form(file=a_photo()), headers=jobs.headers
    ) as reply:
        assert reply.status == 429
        assert "Retry-After" in reply.headers
    assert len(jobs.objects()) == 1


async def test_half_an_upload_then_silence_is_408(start_jobs):
    """A sender that falls silent is answered, and what had arrived of its order is gone."""
    jobs = await start_jobs(read_timeout_s=0.3)

    async def half() -> bytes:
        part = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.jpg"\r\n\r\n'
        yield part + a_photo() + b"\r\n" + part + a_photo()[:50]
        await asyncio.sleep(30)

    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    async with asyncio.timeout(20):
        status, problem = await jobs.call("POST", data=half(), headers=headers)

    assert (status, problem["code"]) == (408, "slow_request")
    assert jobs.objects() == []


NAMES = {
    "../../etc/passwd": "passwd",
    "..\\..\\boot.ini": "boot.ini",
    "a\u202egpj.exe": "agpj.exe",
    "<img src=x onerror=alert(1)>.jpg": "<img src=x onerror=alert(1)>.jpg",
    "'); DROP TABLE jobs; --": "'); DROP TABLE jobs; --",
    "..": "..",
    "n" * 5000: "n" * 200,
    "": "photo",
}


@pytest.mark.filterwarnings("ignore::aiohttp.multipart.BadContentDispositionHeader")  # semicolons
async def test_names_are_text_and_never_paths(jobs):
    """Folders and unseen characters go, the rest is kept as text; storage knows our ids alone."""
    for name, shown in NAMES.items():
        form = aiohttp.FormData(quote_fields=False)
        form.add_field("file", a_photo(), filename=name)

        status, job = await jobs.call("POST", data=form)

        assert (status, job["name"]) == (201, shown)
        assert (await jobs.get(f"/{job['id']}"))["name"] == shown
    folder = jobs.settings.photos_folder / "originals"
    assert {path.parent for path in jobs.objects()} == {folder}
    assert len(jobs.objects()) == len(NAMES)


async def test_stored_photo_cannot_act_as_a_page(jobs):
    """A stranger's bytes come back with the type we found, no sniffing and no rights."""
    job = await jobs.submit()
    url = f"{jobs.url}{job['originalUrl']}"
    async with jobs.http.get(url, headers=jobs.headers) as reply:
        assert reply.content_type == "image/jpeg"
        assert reply.headers["X-Content-Type-Options"] == "nosniff"
        assert "sandbox" in reply.headers["Content-Security-Policy"]


WRONG_FIELDS = [
    ({"operation": "paint"}, 400, "unknown_option"),
    ({"colour": "red"}, 400, "unknown_option"),
    ({"strength": "2"}, 400, "unknown_option"),
    ({"operation": "fix_defect", "defect_to_fix": "ugly"}, 400, "unknown_defect"),
    ({"operation": "fix_defect"}, 400, "unknown_option"),
    ({"source": "not-an-id"}, 400, "malformed_request"),
    ({"webhook": "http://example.com/"}, 422, "forbidden_address"),
]


async def test_wrong_fields_are_named(jobs):
    """An option that does not exist or does not fit is refused before anything is queued."""
    for fields, status, code in WRONG_FIELDS:
        got, problem = await jobs.call("POST", data=a_form(file=a_photo(), **fields))

        assert (got, problem["code"]) == (status, code), fields
    assert jobs.objects() == []


async def test_made_up_addresses_are_refused(jobs):
    """An id that is none is not found; a number that is none is named."""
    for path in ("/..%2f..%2fetc", "/x/original", "/%00", "/1/result", "?limit=0", "?before=x"):
        assert (await jobs.call("GET", path))[0] in (400, 404), path


@pytest.mark.parametrize("header", ["Content-Transfer-Encoding", "Content-Encoding"])
async def test_encoded_fields_are_refused(jobs, header):
    """base64 or gzip inside a form would pass the limits by."""
    body = (
        b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.jpg"\r\n'
        + header.encode()
        + b": base64\r\n\r\n/9j/\r\n--b--\r\n"
    )
    headers = {"Content-Type": "multipart/form-data; boundary=b"}

    assert (await jobs.call("POST", data=body, headers=headers))[0] == 415
