from darkroom.contracts.defects import ENHANCER_OF, MENDS, Defect, Enhancer


def test_every_defect_has_exactly_one_enhancer():
    """No defect is left unmended, none is mended twice."""
    mended = [defect for enhancer in Enhancer for defect in MENDS[enhancer]]

    assert sorted(mended) == sorted(Defect)
    assert set(ENHANCER_OF) == set(Defect)


def test_names_are_those_that_clients_use():
    """The nine names are a promise to clients."""
    assert {str(defect) for defect in Defect} == {
        "blur",
        "low_light",
        "low_contrast",
        "poor_white_balance",
        "noisy",
        "hazy",
        "jpeg_artifacts",
        "glaring",
        "rotation",
    }
