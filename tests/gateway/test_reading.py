"""Bad input at the gateway: a status and code for each, no work done, the next photo served."""

import asyncio
import gzip
import io
import random
from collections import Counter

import aiohttp
import pytest

from tests.gateway.photos import a_form, a_photo, an_animation
from tests.imaging.forge import declare_size, forge_png

LIMIT = 20_000  # bytes, of the gateways here
HANG_S = 30.0


async def refused(client, status, code, path="/enhance_image", **sent):
    """The problem document is as designed, and a good photo is served right after it."""
    async with asyncio.timeout(HANG_S), client.post(path, **sent) as reply:
        problem = await reply.json()
    assert (reply.status, problem["status"], problem["code"]) == (status, status, code)
    assert reply.content_type == "application/problem+json"
    assert problem["request_id"] == reply.headers["X-Request-ID"]
    assert "Traceback" not in problem["detail"]
    async with client.post("/enhance_image", data=a_photo()) as reply:
        assert reply.status == 200


@pytest.mark.parametrize(
    "payload",
    [
        b"not a picture",
        b"",
        b"GIF89a" + bytes(100),
        b"%PDF-1.7\n" + bytes(100),
        b'<svg xmlns="http://www.w3.org/2000/svg"/>',
        b"PK\x03\x04" + bytes(100),
        b"MZ" + bytes(100),
    ],
    ids=["text", "nothing", "gif", "pdf", "svg", "zip", "exe"],
)
@pytest.mark.parametrize("as_form", [True, False], ids=["form", "body"])
async def test_content_that_is_no_photo(client, payload, as_form):
    """The content decides, whatever the media type says."""
    sent = {"data": a_form(image=payload)} if as_form else {"data": payload}
    if not as_form:
        sent["headers"] = {"Content-Type": "image/jpeg"}
    await refused(client, 415, "unsupported_photo", **sent)


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("length", [16, 20, 24])
async def test_header_cut_off(client, file_format, length):
    """The type shows, the size does not."""
    await refused(client, 422, "unreadable_photo", data=a_photo(file_format)[:length])


@pytest.mark.parametrize(
    "payload",
    [
        forge_png(30_000, 30_000),
        declare_size(a_photo(), 65_500, 65_500),
        forge_png(50_000_001, 1),
    ],
    ids=["png", "jpeg", "thin"],
)
async def test_more_pixels_than_allowed(client, payload):
    """Seen in the header; nothing is decoded."""
    await refused(client, 422, "too_many_pixels", data=payload)


async def test_animation(client):
    """One frame of it would be less than what was sent."""
    await refused(client, 422, "unreadable_photo", data=an_animation())


@pytest.mark.parametrize("size", [(1, 1), (1, 20_000)], ids=["1x1", "1x20000"])
async def test_extreme_shape_is_a_photo_all_the_same(client, size):
    """Small or thin, but nothing is wrong with it."""
    async with client.post("/enhance_image", data=a_photo("PNG", size=size)) as reply:
        assert reply.status == 200


@pytest.mark.parametrize(
    "form",
    [{"photo": a_photo()}, {"strength": "0.5"}],
    ids=["wrong field", "no photo"],
)
async def test_form_without_its_photo(client, form):
    """The photo belongs in the field `image`."""
    await refused(client, 400, "malformed_request", data=a_form(**form))


async def test_two_photos(client):
    """Nobody could say which one was meant."""
    form = a_form(image=a_photo())
    form.add_field("image", io.BytesIO(a_photo(seed=2)), filename="b.jpg")
    await refused(client, 400, "malformed_request", data=form)


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/enhance_image?colour=blue", "unknown_option"),
        ("/enhance_image?strength=2", "unknown_option"),
        ("/enhance_image?strength=nan", "unknown_option"),
        ("/enhance_image?steps=polish", "unknown_option"),
        ("/enhance_image?budget_ms=1", "unknown_option"),
        ("/enhance_image?strength=1&strength=0", "malformed_request"),
        ("/fix_defect", "unknown_option"),
        ("/fix_defect?defect_to_fix=ugly", "unknown_defect"),
        ("/fix_defect?defect_to_fix=", "unknown_defect"),
        ("/diagnose?strength=1", "unknown_option"),
    ],
)
async def test_unknown_option_or_defect(client, path, code):
    """In the query."""
    await refused(client, 400, code, path=path, data=a_photo())


async def test_unknown_option_in_a_form(client):
    """As in the query."""
    form = a_form(image=a_photo(), colour="blue")
    await refused(client, 400, "unknown_option", data=form)


async def test_option_in_query_and_form_is_ambiguous(client):
    """Neither wins."""
    form = a_form(image=a_photo(), strength="1")
    await refused(client, 400, "malformed_request", path="/enhance_image?strength=0", data=form)


async def test_photo_of_exactly_the_limit_is_taken(gateway):
    """What follows the end of a JPEG is not looked at here."""
    client = await gateway(max_bytes=LIMIT)
    photo = a_photo()

    async with client.post("/detect_problems", data=photo + bytes(LIMIT - len(photo))) as reply:
        assert reply.status == 200


@pytest.mark.parametrize("as_form", [True, False], ids=["form", "body"])
async def test_one_byte_over_the_limit(gateway, as_form):
    """Declared by its length."""
    photo = a_photo() + bytes(LIMIT + 1 - len(a_photo()))
    data = a_form(image=photo) if as_form else photo
    await refused(await gateway(max_bytes=LIMIT), 413, "payload_too_large", data=data)


async def test_endless_upload_is_ended_early(gateway):
    """Chunks without a length: past the limit the connection is closed, long before 100 MB."""
    client = await gateway(max_bytes=LIMIT)
    reader, writer = await raw_connection(client)
    writer.write(b"POST /diagnose HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")

    answer = asyncio.create_task(reader.readline())
    async with asyncio.timeout(10):
        with pytest.raises(ConnectionError):
            await _send(writer, 100_000_000)

    assert b" 413 " in await answer


async def _send(writer, count):
    for _ in range(count // 0x4000):
        writer.write(b"4000\r\n" + bytes(0x4000) + b"\r\n")
        await writer.drain()
        await asyncio.sleep(0.005)


async def test_upload_over_the_limit_is_told_so(gateway):
    """The answer comes before the upload ends."""
    client = await gateway(max_bytes=LIMIT)
    reader, writer = await raw_connection(client)
    writer.write(b"POST /diagnose HTTP/1.1\r\nHost: x\r\nContent-Length: 9000000\r\n\r\n")

    async with asyncio.timeout(HANG_S):
        assert b" 413 " in await reader.readline()
    writer.close()


async def test_body_that_never_ends_is_408(gateway):
    """Declared longer than sent, then silence."""
    client = await gateway(read_timeout_s=0.2)
    reader, writer = await raw_connection(client)
    writer.write(b"POST /diagnose HTTP/1.1\r\nHost: x\r\nContent-Length: 900\r\n\r\nabc")

    async with asyncio.timeout(HANG_S):
        assert b" 408 " in await reader.readline()
    writer.close()
    async with client.get("/metrics") as reply:
        assert "darkroom_held_bytes 0.0" in (await reply.text()).splitlines()


async def test_broken_chunks_are_malformed(client):
    """A chunk's size that is no number."""
    reader, writer = await raw_connection(client)
    writer.write(b"POST /diagnose HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n")

    async with asyncio.timeout(HANG_S):
        assert b" 400 " in await reader.readline()
    writer.close()


@pytest.mark.parametrize("encoding", ["gzip", "br", "identity"])
async def test_encoded_body(client, encoding):
    """Nothing is inflated, so nothing can burst."""
    sent = {"data": gzip.compress(bytes(1 << 20)), "headers": {"Content-Encoding": encoding}}
    await refused(client, 415, "unsupported_encoding", **sent)


async def test_ten_thousand_compressed_members(client):
    """Each would have to be inflated on its own."""
    members = gzip.compress(b"") * 10_000
    sent = {"data": members, "headers": {"Content-Encoding": "gzip"}}
    await refused(client, 415, "unsupported_encoding", **sent)


async def test_transfer_encoded_photo(client):
    """Base64 in a form would slip past limits."""
    form = aiohttp.MultipartWriter("form-data")
    part = form.append(b"AAAA")
    part.set_content_disposition("form-data", name="image")
    part.headers["Content-Transfer-Encoding"] = "base64"
    await refused(client, 415, "unsupported_encoding", data=form)


@pytest.mark.parametrize(
    "form",
    [
        b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n' * 10_000 + b"--b--\r\n",
        b'--b\r\nContent-Disposition: form-data; name="image"; filename="%s"\r\n\r\n'
        % (b"a" * 5_000_000)
        + a_photo()
        + b"\r\n--b--\r\n",
    ],
    ids=["10 000 fields", "file name of 5 MB"],
)
async def test_form_beyond_all_measure(client, form):
    """Neither so many options nor such a name is anything that a client needs."""
    kind = {"Content-Type": "multipart/form-data; boundary=b"}
    await refused(client, 400, "malformed_request", data=io.BytesIO(form), headers=kind)


async def test_head_of_a_megabyte_is_refused(client):
    """It is not read to its end."""
    reader, writer = await raw_connection(client)
    writer.write(b"POST /diagnose HTTP/1.1\r\nHost: x\r\nX-Padding: " + b"a" * (1 << 20))

    async with asyncio.timeout(HANG_S):
        assert b" 400 " in await reader.readline()
    writer.close()


async def test_too_many_bytes_for_all_requests_together(gateway):
    """429: another client's bytes may go in a moment."""
    client = await gateway(max_held_bytes=len(a_photo()))
    await refused(client, 429, "over_capacity", data=a_photo(size=(160, 120)))


TOLD = {"200", "400", "404", "408", "415", "422", "429"}


async def test_mutated_requests_are_answered_or_refused(gateway):
    """400 requests with one to three bytes changed: never a 5xx, and then a good photo."""
    client = await gateway(read_timeout_s=0.2)
    chance, statuses = random.Random(3), Counter()
    for _ in range(20):
        requests = [mutated(A_REQUEST, chance) for _ in range(20)]
        statuses.update(await asyncio.gather(*(status_of(client, each) for each in requests)))

    assert statuses.total() == 400
    assert {"200", "400", "415"} <= set(statuses) <= TOLD
    async with client.post("/enhance_image", data=a_photo()) as reply:
        assert reply.status == 200


A_FORM = (
    b'--b\r\nContent-Disposition: form-data; name="image"; filename="a"\r\n\r\n'
    + a_photo("PNG", size=(8, 6))
    + b'\r\n--b\r\nContent-Disposition: form-data; name="strength"\r\n\r\n0.5\r\n--b--\r\n'
)
A_REQUEST = (
    b"POST /fix_defect?defect_to_fix=hazy&budget_ms=5000 HTTP/1.1\r\nHost: x\r\n"
    b"Content-Type: multipart/form-data; boundary=b\r\nContent-Length: %d\r\n\r\n" % len(A_FORM)
) + A_FORM


def mutated(request, chance):
    changed = bytearray(request)
    for _ in range(chance.randint(1, 3)):
        # Half of the changes hit the head, which is an eighth of the bytes.
        end = chance.choice([request.index(A_FORM), len(request)])
        changed[chance.randrange(end)] = chance.choice([*b"\0\r\n%=:;", chance.randrange(256)])
    return bytes(changed)


async def status_of(client, request):
    reader, writer = await raw_connection(client)
    writer.write(request)
    async with asyncio.timeout(HANG_S):
        line = await reader.readline()
    writer.close()
    return line[9:12].decode()


async def raw_connection(client):
    base = client._base_url  # the session's own; there is no public name for it
    return await asyncio.open_connection(base.host, base.port)
