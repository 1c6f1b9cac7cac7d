"""The house style as checks on dbt's manifest, in place of packages that cannot be installed."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from pipelines import ask

from ingestion.build import PROJECT, artefacts

Manifest = dict[str, Any]


@pytest.fixture(scope="session")
def manifest() -> Manifest:
    """The parsed project."""
    target = artefacts("lint")
    arguments = ["parse", "--target", "lint", "--target-path", str(target), "--quiet"]
    subprocess.run([sys.executable, "-m", "dbt.cli.main", *arguments], cwd=PROJECT, check=True)
    found: Manifest = json.loads((target / "manifest.json").read_text())
    return found


def nodes(manifest: Manifest, *kinds: str) -> dict[str, Any]:
    """Nodes of some resource types, by their unique id."""
    return {
        name: node for name, node in manifest["nodes"].items() if node["resource_type"] in kinds
    }


def columns_with(manifest: Manifest, name: str, test: str) -> set[str]:
    """The columns of node `name` that have a generic test `test`."""
    return {
        node["column_name"]
        for node in nodes(manifest, "test").values()
        if node.get("attached_node") == name
        and node["test_metadata"]["name"] == test
        and node["config"]["enabled"]
    }


def lists_with(manifest: Manifest, name: str, test: str) -> list[list[str]]:
    """The columns that each generic test `test` of node `name` as a whole is given."""
    return [
        node["test_metadata"]["kwargs"]["columns"]
        for node in nodes(manifest, "test").values()
        if node.get("attached_node") == name
        and node["test_metadata"]["name"] == test
        and node["config"]["enabled"]
    ]


def has_tested_key(manifest: Manifest, name: str, key: str) -> bool:
    """Whether a column is tested to be unique, or several ("symbol, trade_number") together, and
    none to be null."""
    columns = [column.strip() for column in key.split(",")]
    is_unique = columns in lists_with(manifest, name, "unique_together") or (
        key in columns_with(manifest, name, "unique")
    )
    never_null = columns_with(manifest, name, "not_null").union(
        *lists_with(manifest, name, "never_null")
    )
    return is_unique and never_null.issuperset(columns)


def undescribed(manifest: Manifest) -> list[str]:
    """Models and seeds without a description, a grain, an owner, or a key that is tested."""
    problems = []
    for name, node in nodes(manifest, "model", "seed").items():
        meta = node["config"]["meta"]
        problems += [
            f"{name}: no {field}" for field in ("grain", "owner", "key") if not meta.get(field)
        ]
        if not node["description"].strip():
            problems.append(f"{name}: no description")
        if not has_tested_key(manifest, name, str(meta.get("key"))):
            problems.append(f"{name}: its key {meta.get('key')} is not tested")
    return problems


def without_contract(manifest: Manifest) -> list[str]:
    """Gold models without an enforced contract, or with a column that is not described."""
    problems = []
    for name, node in nodes(manifest, "model").items():
        if node["schema"] != "gold":
            continue
        if not node["config"]["contract"]["enforced"]:
            problems.append(f"{name}: no contract")
        for column in node["columns"].values():
            text = column["description"].lower()
            if "null" not in text:
                problems.append(
                    f"{name}.{column['name']}: the description does not say when it is null"
                )
    return problems


# Columns of bronze and silver that need no description: those of a file of which only half have one
# yet, and the rows behind order_flow_features, which has the same columns.
HALF_DESCRIBED = {"matching.yml"}
INTERNAL = {"silver.order_flow_rows"}


def without_comment(manifest: Manifest, warehouse: Path) -> list[str]:
    """The columns of bronze and silver, as they are in a warehouse, that say not what they are."""
    described = {
        f"{node['schema']}.{node['alias']}"
        for node in nodes(manifest, "model").values()
        if Path(node["patch_path"] or "").name not in HALF_DESCRIBED
    }
    columns = ask(
        warehouse,
        "select schema_name || '.' || table_name, column_name from duckdb_columns()"
        " where schema_name in ('bronze', 'silver') and comment is null order by all",
    )
    return [f"{table}.{name}" for table, name in columns if table in described - INTERNAL]


def out_of_layer(manifest: Manifest) -> list[str]:
    """Models that read what their layer must not read."""
    may_read = {
        "bronze": {"raw"},
        "silver": {"bronze", "silver"},
        "gold": {"silver", "gold"},
    }
    schemas = {
        name: node["schema"] for name, node in {**manifest["nodes"], **manifest["sources"]}.items()
    }
    return [
        f"{name} reads {parent}"
        for name, node in nodes(manifest, "model").items()
        for parent in node["depends_on"]["nodes"]
        if schemas[parent] not in may_read[node["schema"]]
    ]


def without_a_contract_above(manifest: Manifest) -> list[str]:
    """Python models that no SQL model with an enforced contract reads."""
    covered = {
        parent
        for node in nodes(manifest, "model").values()
        if node["language"] == "sql" and node["config"]["contract"]["enforced"]
        for parent in node["depends_on"]["nodes"]
    }
    return [
        name
        for name, node in nodes(manifest, "model").items()
        if node["language"] == "python" and name not in covered
    ]


def unread_macros(manifest: Manifest) -> set[str]:
    """Macros by which pairs are compared, but whose change would leave the pairs as they were."""
    own = {
        name
        for name, macro in manifest["macros"].items()
        if macro["package_name"] == "marketfinder"
    }
    compared = {
        macro
        for name in ("pair_sides", "pair_vetoes", "related_pairs", "pair_doubts", "marker_groups")
        for macro in manifest["nodes"][f"model.marketfinder.{name}"]["depends_on"]["macros"]
    }
    keeping = {
        f"macro.marketfinder.{name}" for name in ("ref", "drop_gone", "is_not_held", "terms_of")
    }
    digest = "macro.marketfinder.comparing_digest"
    read = {digest, *manifest["macros"][digest]["depends_on"]["macros"]}
    return (compared & own) - read - keeping


def arrow_lambdas(query: str) -> list[str]:
    """Lambdas as `name -> …`, which DuckDB 2.0 refuses. The -> of JSON has a path behind it."""
    return re.findall(r"(?:[,(]\s*\w+|\(\w+(?:\s*,\s*\w+)+\))\s*->(?!>|\s*')", query)


@pytest.mark.parametrize("folder", ["dbt_project", "macros", "tests/dbt"])
def test_lambdas_are_written_as_both_lines_of_duckdb_read_them(folder: str) -> None:
    found = {
        path.name: arrow_lambdas(path.read_text(encoding="utf-8"))
        for path in (PROJECT / folder).rglob("*.sql")
    }
    assert {name: arrows for name, arrows in found.items() if arrows} == {}


def test_every_model_is_described_and_keyed(manifest: Manifest) -> None:
    assert nodes(manifest, "model")
    assert undescribed(manifest) == []


def test_a_changed_way_of_comparing_compares_anew(manifest: Manifest) -> None:
    assert unread_macros(manifest) == set()


def test_related_pairs_reads_the_vetoes_that_it_explains(manifest: Manifest) -> None:
    """A relation of a code that is not read would never be found."""
    query = manifest["nodes"]["model.marketfinder.related_pairs"]["raw_code"]
    read, explained = (
        set(re.findall("'([A-Z_]{3,})'", part)) for part in query.split("terms as (", 1)
    )
    assert read == explained != set()


def test_gold_has_contracts_and_described_columns(manifest: Manifest) -> None:
    assert without_contract(manifest) == []


def test_bronze_and_silver_have_described_columns(manifest: Manifest, demo_build: Path) -> None:
    assert without_comment(manifest, demo_build) == []


def test_a_sum_is_as_wide_with_every_duckdb(demo_build: Path) -> None:
    """1.5 makes 18 digits of 18 and 18, 2.0 makes 19, and a table that is kept takes no other type:
    the one could not go on with what the other has built."""
    query = """
    select schema_name, table_name, column_name
    from duckdb_columns()
    where contains(data_type, 'DECIMAL(19,')
    """
    assert ask(demo_build, query) == []


def test_data_flows_one_way(manifest: Manifest) -> None:
    assert out_of_layer(manifest) == []


def test_python_models_stand_under_a_contract(manifest: Manifest) -> None:
    assert without_a_contract_above(manifest) == []


def test_schemas_are_the_four_layers(manifest: Manifest) -> None:
    kinds = nodes(manifest, "model", "seed").values()
    assert {node["schema"] for node in kinds} == {"bronze", "silver", "gold"}
    assert {source["schema"] for source in manifest["sources"].values()} == {"raw"}


def test_the_overview_lists_every_gold_table(manifest: Manifest) -> None:
    overview = (PROJECT / "dbt_project/overview.md").read_text(encoding="utf-8")
    told = set(re.findall(r"^\| `gold\.(\w+)` \|", overview, re.MULTILINE))
    models = nodes(manifest, "model").values()
    built = {node["alias"] for node in models if node["schema"] == "gold"}
    assert told == built | {"publication"}  # which is made with the published copy


def test_no_test_or_model_is_misspelt_away(manifest: Manifest) -> None:
    """A YAML block for a model that does not exist is only a warning to dbt."""
    documented = {
        entry
        for path in (PROJECT / "dbt_project").rglob("*.yml")
        for line in path.read_text().splitlines()
        if line.startswith("  - name: ")
        for entry in [line.removeprefix("  - name: ").strip()]
    }
    known = {node["name"] for node in nodes(manifest, "model").values()}
    known |= {source["source_name"] for source in manifest["sources"].values()}
    known |= {exposure["name"] for exposure in manifest["exposures"].values()}
    known |= {test["name"] for test in manifest["unit_tests"].values()}
    assert documented <= known


def test_every_var_is_known_to_the_check_of_vars() -> None:
    """A new one would be refused as misspelt; one that is gone would be let through."""
    declared = yaml.safe_load((PROJECT / "dbt_project.yml").read_text(encoding="utf-8"))["vars"]
    checked = (PROJECT / "macros" / "vars.sql").read_text(encoding="utf-8")
    names = re.findall(r'"([a-z_]{5,})"(?=[:,\n])', checked)
    assert sorted(names) == sorted(declared)


# What the first version of this project stored, in snake case.
FIRST_SCHEMA = {
    "gold_markets": "platform external_id title description category event_type outcomes end_date"
    " volume liquidity is_active tags processed_at",
    "market_similarities": "market1_id market2_id platform1 platform2 confidence reasoning"
    " analyzed_at",
    "arbitrage_opportunities": "buy_market_id sell_market_id buy_platform sell_platform"
    " profit_margin confidence detected_at status",
    "sync_logs": "sync_id markets_processed opportunities_found errors duration timestamp",
}


@pytest.mark.parametrize("model", FIRST_SCHEMA)
def test_the_first_schema_is_still_there(manifest: Manifest, model: str) -> None:
    """Gold's contracts make the documented columns the real ones."""
    columns = manifest["nodes"][f"model.marketfinder.{model}"]["columns"]
    assert set(FIRST_SCHEMA[model].split()) <= columns.keys()


def read_by(code: Path, relations: set[str]) -> set[str]:
    """The tables of silver and gold that a file of ours reads."""
    named = re.findall(
        r'(?:from |join |Table\(")((?:silver|gold)\.\w+)', code.read_text(encoding="utf-8")
    )
    return set(named) & relations


def test_exposures_name_what_their_code_reads(manifest: Manifest) -> None:
    names = {
        name: f"{node['schema']}.{node['alias']}" for name, node in nodes(manifest, "model").items()
    }
    exposures = manifest["exposures"].values()
    assert {exposure["name"] for exposure in exposures} >= {"watchlist", "report", "parquet"}
    for exposure in exposures:
        code = PROJECT / exposure["config"]["meta"]["code"]
        told = {names[parent] for parent in exposure["depends_on"]["nodes"]}
        assert told == read_by(code, set(names.values())), exposure["name"]


def test_the_checks_find_what_they_look_for() -> None:
    """Each check on a small manifest that breaks its rule."""

    def node(name: str, schema: str, **other: Any) -> dict[str, Any]:
        return {
            "resource_type": "model",
            "schema": schema,
            "name": name,
            "description": "",
            "language": "sql",
            "columns": {"price": {"name": "price", "description": "Price."}},
            "config": {"meta": {}, "contract": {"enforced": False}},
            "depends_on": {"nodes": []},
            **other,
        }

    broken: Manifest = {
        "nodes": {
            "model.bids": node("bids", "gold", depends_on={"nodes": ["source.raw.bids"]}),
            "model.books": node("books", "silver", language="python"),
        },
        "sources": {"source.raw.bids": {"schema": "raw"}},
    }
    assert len(undescribed(broken)) == 10
    assert without_contract(broken) == [
        "model.bids: no contract",
        "model.bids.price: the description does not say when it is null",
    ]
    assert out_of_layer(broken) == ["model.bids reads source.raw.bids"]
    assert without_a_contract_above(broken) == ["model.books"]
    assert arrow_lambdas("list_filter(names, name -> name != '')") == [", name ->"]
    assert arrow_lambdas("list_reduce(prices, (sum, price) -> sum + price)") == ["(sum, price) ->"]
    assert arrow_lambdas("coalesce(payload -> '$.bids', sent ->> 'bids')") == []
    assert arrow_lambdas("list_filter(names, lambda name: name != '')") == []
