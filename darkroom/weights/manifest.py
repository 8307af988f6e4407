"""What can be fetched, and from where."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Official:
    """One official checkpoint.

    `size_bytes` and `sha256` are what its users report of it. They are not its authors' word, so a
    file with another digest can still be taken, by name; from then on that one is expected.
    """

    name: str
    urls: tuple[str, ...]  # tried in this order
    size_bytes: int
    sha256: str
    licence: str
    source: str

    @property
    def checkpoint(self) -> str:
        """Its name in our folder, until it is converted."""
        return f"{self.name}.pth"


_LICENCE = (
    "MIT (github.com/jantic/DeOldify). Trained on ImageNet, whose pictures are for non-commercial "
    "research and education: whether that binds you is for you to judge."
)

OFFICIAL = {
    official.name: official
    for official in (
        Official(
            "artistic",
            ("https://data.deepai.org/deoldify/ColorizeArtistic_gen.pth",),
            255_144_681,
            "3f750246fa220529323b85a8905f9b49c0e5d427099185334d048fb5b5e22477",
            _LICENCE,
            "DeOldify, Jason Antic: ColorizeArtistic_gen",
        ),
        Official(
            "stable",
            (
                "https://www.dropbox.com/s/axsd2g85uyixaho/ColorizeStable_gen.pth?dl=1",
                "https://huggingface.co/spensercai/DeOldify/resolve/main/ColorizeStable_gen.pth",
            ),
            874_066_230,
            "ca9cd7f43fb8b222c9a70f7b292e305a000694b0ff9d2ae4a6747b1a2e1ee5af",
            _LICENCE,
            "DeOldify, Jason Antic: ColorizeStable_gen",
        ),
    )
}
