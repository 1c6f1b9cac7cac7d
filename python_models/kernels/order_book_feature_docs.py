"""dbt's YAML for ``silver.order_book_features``, written from the table of features.

``uv run python -m python_models.kernels.order_book_feature_docs`` writes the file again; a test
fails when it is not what the table says.
"""

import textwrap
from pathlib import Path

from python_models.kernels.order_book_feature_table import structural_features

PATH = Path(__file__).parents[1] / "silver" / "order_books" / "order_book_features.yml"
# DuckDB's type and the description of the columns that are not features.
IDENTITY_COLUMNS = {
    "exchange": ("VARCHAR", "The venue. Never null."),
    "symbol": ("VARCHAR", "What is traded there. Never null."),
    "source": ("VARCHAR", "replayed or captured. Null when order_books has none."),
    "stream": ("VARCHAR", "The capture that the book is from. Null when order_books has none."),
    "book_number": ("BIGINT", "Order of the books of an exchange and symbol. Never null."),
    "booked_at": ("TIMESTAMP", "Time of the book, UTC. Null when order_books has none."),
    "is_valid": (
        "BOOLEAN",
        "False when order_books says so, a side is empty, the book is crossed or locked, or a "
        "price or size cannot be one; the features of the row are then null. Never null.",
    ),
    "is_snapshot": (
        "BOOLEAN",
        "True when the book was sent whole: the one before it says nothing of what happened. Null "
        "when order_books has none.",
    ),
    "is_late": (
        "BOOLEAN",
        "True when the book was told again or too late: it was captured before a book of its "
        "exchange and symbol that came earlier, or it is of another stream than the last book and "
        "before the latest one in time. Order flow and bars leave it out, as if it were not there. "
        "Unit: true or false. Never null.",
    ),
}
DESCRIPTION = """\
What one snapshot of an order book says about itself: prices, depth, imbalance, distance
      bands, costs of market orders and the shape of each side. Level 0 is the best; p and q are
      price and size; bps are 10⁴ times a fraction of the mid."""


def table_header(module: str, name: str, description: str, config: str = "") -> str:
    """Return what stands before the columns of a table of features, a row a snapshot."""
    return f"""\
# Written by `uv run python -m {module}` from the tables of
# features in python_models/kernels: change it there.
version: 2

models:
  - name: {name}
    description: >
      {description}
    config:
{config}\
      meta:
        grain: one row a snapshot of one symbol on one exchange
        key: "exchange, symbol, book_number"
        owner: order-books
    data_tests:
      - never_null:
          arguments:
            columns: [exchange, symbol, book_number]
      - unique_together:
          arguments:
            columns: [exchange, symbol, book_number]
          config:
            # Only the newest 100 segments: a test of all would grow with history.
            where: >
              book_number > (select (max(segment_number) - 100) * 68719476736 from bronze.segments)
    columns:
"""


def features_yaml() -> str:
    """Return the text of the YAML file."""
    columns = [(name, *rest) for name, rest in IDENTITY_COLUMNS.items()]
    columns += [
        (feature.name, feature.value_type, feature.description())
        for feature in structural_features()
    ]
    module = "python_models.kernels.order_book_feature_docs"
    header = table_header(module, "order_book_features", DESCRIPTION)
    return header + "".join(column_lines(*column) for column in columns)


def column_lines(name: str, data_type: str, description: str) -> str:
    """Return the lines of one column."""
    margin = " " * 10
    text = textwrap.fill(
        description,
        width=99,
        initial_indent=margin,
        subsequent_indent=margin,
        break_long_words=False,
        break_on_hyphens=False,
    )
    lines = f"      - name: {name}\n        data_type: {data_type}\n"
    return f"{lines}        description: >\n{text}\n"


if __name__ == "__main__":
    PATH.write_text(features_yaml())
