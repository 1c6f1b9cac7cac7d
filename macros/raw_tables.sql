{#- The landing tables of the venues. Ingestion fills them; a build creates those that are missing,
    so that `dbt build` works before anything was loaded. -#}
{% macro landing_tables() %}
    {{ return([
        "kalshi_series",
        "kalshi_events",
        "kalshi_markets",
        "kalshi_series_fee_changes",
        "kalshi_event_fee_changes",
        "polymarket_events",
        "polymarket_markets",
        "kalshi_order_books",
        "polymarket_order_books",
    ]) }}
{% endmacro %}


{#- The tables of recorded order-book feeds, and their columns. -#}
{% macro segment_tables() %}
    {% set place = "frame_number bigint, segment_number bigint, line bigint" %}
    {% set ccxt = place ~ ", exchange varchar, symbol varchar, captured_at timestamp, payload varchar" %}
    {{ return({
        "coinbase_frames":
            place ~ ", channel varchar, sequence_num bigint, sent_at timestamp, payload varchar",
        "ccxt_order_books": ccxt,
        "ccxt_trades": ccxt,
        "ccxt_tickers": ccxt,
        "segments":
            "segment_number bigint, content_hash varchar, feed varchar, stream varchar, name varchar, "
            ~ "file_bytes bigint, file_modified_at timestamp, rows bigint, rejected_lines bigint, "
            ~ "first_at timestamp, last_at timestamp, run_id varchar, loaded_at timestamp, error varchar",
    }) }}
{% endmacro %}


{% macro create_raw_tables() %}
    create schema if not exists raw;
    create schema if not exists bronze;
    create table if not exists bronze.kept_vars (model varchar, about varchar, chosen varchar);
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
    create table if not exists raw.run_steps (
        run_id varchar,
        step varchar,
        process varchar,
        started_at timestamp,
        finished_at timestamp,
        seconds double,
        outcome varchar,
        problem varchar
    );
    create table if not exists raw.api_requests (
        run_id varchar,
        venue varchar,
        endpoint varchar,
        outcome varchar,
        requests bigint,
        seconds double,
        longest_seconds double,
        finished_at timestamp
    );
    create table if not exists raw.simulations (run_id varchar, noted_at timestamp);
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
    {% for table, columns in segment_tables().items() %}
    create table if not exists raw.{{ table }} ({{ columns }}, _dlt_load_id varchar);
    {% endfor %}
    create table if not exists raw.unfinished_builds (build_id varchar, model varchar, started_at timestamp);
    {#- In a warehouse of before a build was noted with its models, it may be one of matching. #}
    alter table raw.unfinished_builds add column if not exists model varchar default 'clock';
    create table if not exists raw._dlt_loads (
        load_id varchar,
        schema_name varchar,
        status bigint,
        inserted_at timestamptz,
        schema_version_hash varchar
    );
{% endmacro %}
