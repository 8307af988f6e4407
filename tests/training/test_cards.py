from training.cards import write_metrics


def test_metrics_are_replaced_and_the_rest_stays(tmp_path):
    """Writing twice leaves one table; what people wrote around it is untouched."""
    card = tmp_path / "card.md"
    card.write_text("# a\n<!-- metrics -->\nold\n<!-- /metrics -->\n## b\n")

    write_metrics(card, [["defect", "F1"], ["blur", "0.9"]], "first")
    write_metrics(card, [["defect", "F1"], ["blur", "0.95"]], "second")

    text = card.read_text()
    assert text.startswith("# a\n")
    assert text.endswith("## b\n")
    assert "| blur | 0.95 |" in text
    assert "old" not in text
    assert "first" not in text
