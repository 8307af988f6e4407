import pytest
from pydantic import ValidationError

from darkroom.contracts.votes import VoteRequest


def a_request(**changed):
    return {"name": "tone-2", "variants": ("old", "new"), "photos": ("1.jpg", "2.jpg")} | changed


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"name": "two/parts"}, "slash"),
        ({"name": ".."}, "slash"),
        ({"name": "a\nb"}, "printable"),
        ({"photos": (" 1.jpg",)}, "printable"),
        ({"variants": ("old", "old")}, "twice"),
        ({"photos": ("1.jpg", "1.jpg")}, "twice"),
        ({"variants": tuple("abcdef"), "photos": tuple(map(str, range(1000)))}, "15,000 pairs"),
    ],
)
def test_what_makes_no_vote_is_refused_with_its_reason(changed, reason):
    """Names that break addresses or terminals, names given twice, pairs that nobody could judge."""
    assert VoteRequest.model_validate(a_request())

    with pytest.raises(ValidationError, match=reason):
        VoteRequest.model_validate(a_request(**changed))
