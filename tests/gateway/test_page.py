"""`gateway/page.py`: the files of the built page."""

import pytest


@pytest.fixture
def built(tmp_path):
    """A folder as Vite leaves it."""
    (tmp_path / "assets").mkdir()
    (tmp_path / "index.html").write_text("<!doctype html><title>Darkroom</title>" + " " * 500)
    (tmp_path / "assets" / "index-AbC123.js").write_text("'a script';" * 100)
    (tmp_path / "assets" / "onest-XyZ.woff2").write_bytes(b"wOF2" + bytes(100))
    return tmp_path


@pytest.fixture
async def page(gateway, built):
    return await gateway(page_dir=built)


async def test_page_is_what_the_address_shows(page):
    """`/` is the page, strict about where anything in it may come from."""
    async with page.get("/") as reply:
        text = await reply.text()

    assert "<title>Darkroom</title>" in text
    assert reply.content_type == "text/html"
    policy = reply.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert "unsafe" not in policy
    assert reply.headers["X-Content-Type-Options"] == "nosniff"


async def test_vote_has_an_address_of_its_own(page):
    """`/compare` is the same document; what is shown there its script decides."""
    async with page.get("/") as index, page.get("/compare?vote=tone") as compare:
        assert await compare.read() == await index.read()
        assert compare.headers["Content-Security-Policy"]


async def test_files_with_a_digest_in_their_name_are_kept(page):
    """The browser asks once for them, and each time whether the page itself has changed."""
    async with page.get("/assets/index-AbC123.js") as script, page.get("/") as index:
        assert script.content_type == "text/javascript"
        assert "immutable" in script.headers["Cache-Control"]
        assert index.headers["Cache-Control"] == "no-cache"


async def test_unchanged_page_is_not_sent_again(page):
    """A browser that has it gets 304."""
    async with page.get("/") as first:
        known = {"If-None-Match": first.headers["ETag"]}
    async with page.get("/", headers=known) as again:
        assert (again.status, await again.read()) == (304, b"")


@pytest.mark.parametrize(
    ("path", "encoding"), [("/assets/index-AbC123.js", "gzip"), ("/assets/onest-XyZ.woff2", None)]
)
async def test_text_travels_compressed(page, path, encoding):
    """Scripts do; fonts are compressed already."""
    async with page.get(path, headers={"Accept-Encoding": "gzip"}) as reply:
        assert reply.headers.get("Content-Encoding") == encoding


async def test_client_without_gzip_gets_the_text_itself(page, built):
    """Compression is an offer."""
    async with page.get("/assets/index-AbC123.js", headers={"Accept-Encoding": ""}) as reply:
        text = await reply.text()

    assert text == (built / "assets" / "index-AbC123.js").read_text()


async def test_nothing_else_of_the_disk_is_served(page, built):
    """Not what lies beside the folder, nor what was not there at the start."""
    (built / "later.txt").write_text("secret")
    for path in ("/later.txt", "/assets/../../etc/passwd", "/assets/%2e%2e/later.txt"):
        async with page.get(path) as reply:
            assert reply.status == 404


async def test_address_without_a_page_leads_to_the_documentation(client):
    """Where the page has not been built."""
    async with client.get("/") as reply:
        assert reply.url.path == "/docs"
