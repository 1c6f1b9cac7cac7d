"""Files of labelled pairs: what each pair of listings is to the other."""

import csv
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from ingestion.errors import FileError

COLUMNS = (
    "kalshi_market_id",
    "polymarket_market_id",
    "event_group",
    "contract_class",
    "trap",
    "relation",
    "orientation",
    "fungibility",
    "split",
    "note",
)
_NEEDED = ("kalshi_market_id", "polymarket_market_id", "relation")
_VALUES = {
    "relation": {
        "equal",
        "k_implies_p",
        "p_implies_k",
        "mutually_exclusive",
        "complementary_partition",
        "overlap",
        "unrelated",
        "unclear",
        "not_equal",
    },
    "orientation": {"", "same", "inverted"},
    "fungibility": {"", "clean", "caveat", "correlated"},
}
_DEFAULTS = {"contract_class": "not given", "split": "given"}
_LINE_SUFFIXES = {".jsonl", ".ndjson"}
_JSON_NAMES = {
    "kalshi_id": "kalshi_market_id",
    "pm_id": "polymarket_market_id",
    "label": "relation",
    "why": "note",
}
_EQUAL, _UNSURE = "equivalent", "unsure"

Label = dict[str, str]


@dataclass
class Labels:
    """The labels of a file, each pair once, and how many of its lines are unsure."""

    rows: list[Label] = field(default_factory=list)
    unsure: int = 0

    def write(self, path: Path) -> None:
        """Writes them as the CSV file that the var labels_file names."""
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, COLUMNS)
            writer.writeheader()
            writer.writerows(self.rows)


def read_labels(path: Path) -> Labels:
    """The labels of a file.

    CSV in the shape of seeds/labelled_pairs.csv, of which the two ids and the relation are enough;
    or one JSON object a line with kalshi_id, pm_id and label, where "equivalent" is equal, "unsure"
    is passed over and counted, and all else is not equal.

    Raises FileError, with the line, when the file cannot be read or a pair has two relations.
    """
    labels = Labels()
    relations: dict[tuple[str, str], str] = {}
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            is_json = path.suffix in _LINE_SUFFIXES
            for number, row in _json_rows(path, file) if is_json else _csv_rows(path, file):
                label = _label(path, number, row)
                if label["relation"] == _UNSURE:
                    labels.unsure += 1
                    continue
                pair = label["kalshi_market_id"], label["polymarket_market_id"]
                known = relations.setdefault(pair, label["relation"])
                if known != label["relation"]:
                    raise FileError(
                        f"{path}, line {number}: {' and '.join(pair)} are"
                        f" {label['relation']!r} here and {known!r} further up. Keep one of them."
                    )
                if len(relations) > len(labels.rows):
                    labels.rows.append(label)
    except UnicodeDecodeError:
        raise FileError(f"{path} is not a UTF-8 text file.") from None
    except OSError as error:
        raise FileError(f"{path} cannot be read: {error.strerror or error}.") from None
    if not labels.rows:
        raise FileError(f"{path} holds no label.")
    return labels


def _csv_rows(path: Path, lines: Iterator[str]) -> Iterator[tuple[int, Label]]:
    reader = csv.DictReader(lines)
    missing = [name for name in _NEEDED if name not in (reader.fieldnames or [])]
    if missing:
        raise FileError(
            f"{path} has no column {missing[0]}. Its first line must name the columns:"
            f" {', '.join(_NEEDED)}."
        )
    for row in reader:
        yield reader.line_num, {name: row.get(name) or "" for name in COLUMNS}


def _json_rows(path: Path, lines: Iterator[str]) -> Iterator[tuple[int, Label]]:
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
        except json.JSONDecodeError as error:
            raise FileError(f"{path}, line {number}: not JSON: {error.msg}.") from None
        if not isinstance(record, dict) or not {"kalshi_id", "pm_id", "label"} <= record.keys():
            raise FileError(f"{path}, line {number}: needs kalshi_id, pm_id and label.")
        row = dict.fromkeys(COLUMNS, "")
        row |= {ours: str(record.get(theirs) or "") for theirs, ours in _JSON_NAMES.items()}
        if row["relation"] != _UNSURE:
            row["relation"] = "equal" if row["relation"] == _EQUAL else "not_equal"
        yield number, row


def _label(path: Path, number: int, row: Label) -> Label:
    label = {name: value or _DEFAULTS.get(name, "") for name, value in row.items()}
    for venue in ("kalshi", "polymarket"):
        name = f"{venue}_market_id"
        if not label[name]:
            raise FileError(f"{path}, line {number}: {name} is empty.")
        label[name] = f"{venue}:{label[name].removeprefix(f'{venue}:')}"
    for name, values in _VALUES.items():
        if label[name] not in values and label[name] != _UNSURE:
            known = ", ".join(sorted(values - {""}))
            raise FileError(f"{path}, line {number}: {name} {label[name]!r} is none of {known}.")
    return label
