"""Everything that dbt's pages show has a description."""

import pytest
import yaml

from escriba.settings import HOUSE

PROJECT = HOUSE / "dbt_costs"
SCHEMAS = ("intermediate", "marts", "seeds", "staging")
READERS = {"cost_report", "focus_file", "postgres_mirror", "tenant_statement"}


def documents():
    """All .yml files of models and seeds."""
    paths = [*(PROJECT / "models").rglob("*.yml"), *(PROJECT / "seeds").rglob("*.yml")]
    return [yaml.safe_load(path.read_text(encoding="utf-8")) for path in sorted(paths)]


def entries(kind):
    return [entry for document in documents() for entry in document.get(kind, ())]


def tables_of_sources():
    return [table for source in entries("sources") for table in source["tables"]]


def undescribed(names, entry):
    """Those columns of a table that have no description."""
    written = {one["name"] for one in entry.get("columns", ()) if one.get("description")}
    return sorted(set(names) - written)


@pytest.fixture(scope="session")
def columns_of(built):
    """The columns of the tables in a schema, as the database has them."""

    def read(*schemas):
        rows = built.ask(
            "SELECT schema_name, table_name, list(column_name) FROM duckdb_columns() "
            "WHERE NOT internal GROUP BY ALL"
        )
        return {table: names for schema, table, names in rows if schema in schemas}

    return read


def test_every_column_of_a_model_and_a_seed_is_described(columns_of):
    found = columns_of(*SCHEMAS)
    written = {entry["name"]: entry for entry in (*entries("models"), *entries("seeds"))}

    assert set(found) == set(written)
    missing = {table: undescribed(names, written[table]) for table, names in found.items()}
    assert not {table: names for table, names in missing.items() if names}


def test_every_column_of_a_source_is_described(columns_of):
    found = columns_of("ledger")
    missing = {
        table["name"]: undescribed(found[table["name"]], table) for table in tables_of_sources()
    }

    assert not {table: names for table, names in missing.items() if names}


@pytest.mark.parametrize("kind", ["exposures", "models", "seeds", "sources"])
def test_everything_is_described(kind):
    assert entries(kind)
    assert not [entry["name"] for entry in entries(kind) if not entry.get("description")]
    assert not [table["name"] for table in tables_of_sources() if not table.get("description")]


def test_whoever_reads_the_tables_is_named():
    assert {exposure["name"] for exposure in entries("exposures")} >= READERS
    assert all(exposure["depends_on"] for exposure in entries("exposures"))


def test_the_mirror_reads_every_mart():
    [mirror] = [one for one in entries("exposures") if one["name"] == "postgres_mirror"]
    marts = {path.stem for path in (PROJECT / "models" / "marts").glob("*.sql")}

    assert {f"ref('{name}')" for name in marts} <= set(mirror["depends_on"])
