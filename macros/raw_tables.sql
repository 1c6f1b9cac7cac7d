{#- The landing tables of the venues. Ingestion fills them; a build creates those that are missing,
    so that `dbt build` works before anything was loaded. -#}
{% macro landing_tables() %}
    {{ return([
        "kalshi_series",
        "kalshi_events",
        "kalshi_markets",
        "polymarket_events",
        "polymarket_markets",
    ]) }}
{% endmacro %}


{% macro create_raw_tables() %}
    create schema if not exists raw;
    {% for table in landing_tables() %}
    create table if not exists raw.{{ table }} (
        record_id varchar,
        venue varchar,
        entity varchar,
        external_id varchar,
        parent_id varchar,
        fetched_at timestamp,
        content_hash varchar,
        payload json,
        source varchar,
        _dlt_load_id varchar
    );
    {% endfor %}
    create table if not exists raw.sweeps (
        run_id varchar,
        venue varchar,
        entity varchar,
        source varchar,
        started_at timestamp,
        finished_at timestamp,
        pages bigint,
        records bigint,
        landed bigint,
        unchanged bigint,
        gone bigint,
        rejected_lines bigint,
        is_complete boolean,
        error varchar,
        _dlt_load_id varchar
    );
    create table if not exists raw.rejected_lines (
        run_id varchar,
        venue varchar,
        source varchar,
        line bigint,
        reason varchar,
        value varchar,
        rejected_at timestamp,
        _dlt_load_id varchar
    );
    create table if not exists raw._dlt_loads (
        load_id varchar,
        schema_name varchar,
        status bigint,
        inserted_at timestamptz,
        schema_version_hash varchar
    );
{% endmacro %}
