"""`gateway/multipart.py`: forms taken apart in memory."""

import random

import pytest

from darkroom.contracts.errors import MalformedRequest, ServiceError, UnsupportedEncoding
from gateway.multipart import MAX_FIELDS, boundary_of, form_fields

FIELD = b'--b\r\nContent-Disposition: form-data; name="image"; filename="a.jpg"\r\n\r\n'
FORM = FIELD + b"photo\r\n--b--\r\n"


def fields(body):
    return [(field.name, bytes(field.value)) for field in form_fields(body, b"--b")]


def test_fields_come_in_order_with_their_bytes():
    """A value may hold line ends and dashes of its own; an empty one stays empty."""
    body = (
        FIELD
        + b"\r\n--\r\n\x00\r\n--b\r\nContent-Disposition: form-data; name=strength\r\n\r\n\r\n--b--"
    )

    assert fields(body) == [("image", b"\r\n--\r\n\x00"), ("strength", b"")]


def test_file_name_beyond_ascii_is_no_obstacle():
    """Browsers send file names as UTF-8."""
    assert fields(FORM.replace(b"a.jpg", "Küche.jpg".encode())) == [("image", b"photo")]


@pytest.mark.parametrize("length", range(len(FORM) - len(b"--\r\n")))
def test_form_cut_off_anywhere_is_malformed(length):
    """Only the closing boundary ends a form."""
    with pytest.raises(MalformedRequest):
        fields(FORM[:length])


def test_transfer_encoded_field_is_refused():
    """Base64 would slip past the byte limit."""
    encoded = FORM.replace(b"\r\n\r\n", b"\r\nContent-Transfer-Encoding: base64\r\n\r\n", 1)

    with pytest.raises(UnsupportedEncoding):
        fields(encoded)


def test_ten_thousand_fields_are_refused():
    """The count is bounded, whatever their size."""
    with pytest.raises(MalformedRequest, match=str(MAX_FIELDS)):
        fields((FIELD + b"x\r\n") * 10_000 + b"--b--\r\n")


def test_huge_file_name_is_refused():
    """A field's headers are bounded."""
    with pytest.raises(MalformedRequest):
        fields(FORM.replace(b"a.jpg", b"a" * 5_000_000))


def test_mutated_forms_are_read_or_refused():
    """Nothing but our own errors comes out, whatever goes in."""
    chance = random.Random(7)
    refused = 0
    for _ in range(3000):
        body = bytearray(FORM)
        for _ in range(chance.randint(1, 4)):
            body[chance.randrange(len(body))] = chance.randrange(256)
        try:
            fields(bytes(body))
        except ServiceError:
            refused += 1
    assert 0 < refused < 3000


@pytest.mark.parametrize(
    "content_type",
    [
        "multipart/form-data",
        "multipart/mixed; boundary=b",
        'multipart/form-data; boundary=""',
        "multipart/form-data; boundary=" + "b" * 71,
        "multipart/form-data; boundary=b\u00e9",
    ],
)
def test_unusable_content_type_is_malformed(content_type):
    """A form needs form-data and a boundary that RFC 2046 allows."""
    with pytest.raises(MalformedRequest):
        boundary_of(content_type)


def test_boundary_may_be_quoted():
    """As aiohttp, curl and browsers send it."""
    assert boundary_of('multipart/form-data; boundary="a b"') == b"--a b"


@pytest.mark.parametrize(
    "head",
    [
        b'Content-Disposition: form-data; name="image"; filename="a; name=b.jpg"',
        b'content-disposition: form-data; filename="a.jpg"; name="image"',
        b'Content-Type: image/jpeg\r\nContent-Disposition: form-data; name="image"',
        b'Content-Disposition: form-data; name="image"\r\nContent-Type: image/jpeg',
        b'Content-Disposition: form-data; name="image"\r\nX-Other: 1\r\nContent-Type: image/jpeg',
        b'Content-Disposition:form-data;name=image;filename="\\"a\\".jpg"',
        b"Content-Disposition: form-data; name=image\r\nContent-Type: image/jpeg; charset=x",
    ],
)
def test_heads_are_read_in_whatever_way_they_are_written(head):
    """The usual spellings have a short way of their own; others mean the same."""
    body = b"--b\r\n" + head + b"\r\n\r\nphoto\r\n--b--\r\n"

    assert fields(body) == [("image", b"photo")]


@pytest.mark.parametrize(
    "content_type",
    [
        "multipart/form-data; boundary=b-_9",
        'Multipart/Form-Data; boundary="b-_9"',
        "multipart/form-data; charset=utf-8; boundary=b-_9",
    ],
)
def test_boundaries_are_read_in_whatever_way_they_are_written(content_type):
    """Quoted or not, alone or not."""
    assert boundary_of(content_type) == b"--b-_9"
