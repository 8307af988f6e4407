"""The nine defects and the enhancers that mend them: the closed lists everything else refers to."""

from enum import StrEnum


class Defect(StrEnum):
    """A named flaw of a photo, by the name that clients use."""

    BLUR = "blur"
    LOW_LIGHT = "low_light"
    LOW_CONTRAST = "low_contrast"
    POOR_WHITE_BALANCE = "poor_white_balance"
    NOISY = "noisy"
    HAZY = "hazy"
    JPEG_ARTIFACTS = "jpeg_artifacts"
    GLARING = "glaring"
    ROTATION = "rotation"


class Enhancer(StrEnum):
    """What removes defects; the order of the members is the order of a plan."""

    RESTORE = "restore"
    STRAIGHTEN = "straighten"
    TONE = "tone"


MENDS: dict[Enhancer, tuple[Defect, ...]] = {
    Enhancer.RESTORE: (Defect.NOISY, Defect.BLUR, Defect.JPEG_ARTIFACTS),
    Enhancer.STRAIGHTEN: (Defect.ROTATION,),
    Enhancer.TONE: (
        Defect.LOW_LIGHT,
        Defect.GLARING,
        Defect.LOW_CONTRAST,
        Defect.POOR_WHITE_BALANCE,
        Defect.HAZY,
    ),
}

ENHANCER_OF: dict[Defect, Enhancer] = {
    defect: enhancer for enhancer, defects in MENDS.items() for defect in defects
}
