"""Model cards: the table of metrics in each is written by the evaluation, the rest by hand."""

from pathlib import Path

CARDS = Path("model-store/cards")
BEGIN, END = "<!-- metrics -->", "<!-- /metrics -->"


def write_metrics(card: Path, rows: list[list[str]], notes: str) -> None:
    """Replace the metrics of a card by a table (header row first) and a line of notes."""
    lines = [" | ".join(["", *row, ""]).strip() for row in rows]
    lines.insert(1, "|" + "---|" * len(rows[0]))
    before, _, rest = card.read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    table = "\n".join(lines)
    card.write_text(f"{before}{BEGIN}\n{table}\n\n{notes}\n{END}{after}")
