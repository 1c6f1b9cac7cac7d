{#- The records of one landing table that this bronze model has not taken yet.

    Only complete loads count: a killed load may still grow when it is resumed. A load job that ran
    twice left the same record_id twice; one is taken. The numbers go on from those the model
    holds, in the order of landing, so that later models can ask for "what is new" without a clock. -#}
{% macro new_landed_records(table) %}
    select
        arrivals.record_number,
        landed.record_id,
        landed.external_id,
        landed.parent_id,
        landed.fetched_at,
        landed.source,
        landed._dlt_load_id as load_id,
        landed.payload is null as is_gone,
        landed.payload,
    from {{ source("raw", table) }} as landed
    inner join (
        select
            landed_row,
            {% if is_incremental() -%}
            (select coalesce(max(record_number), 0) from {{ this }})
            + {% endif -%}
            row_number() over (order by load_id, fetched_at, record_id) as record_number,
        from (
            select
                record_id,
                min(rowid) as landed_row,
                min(_dlt_load_id) as load_id,
                min(fetched_at) as fetched_at,
            from {{ source("raw", table) }}
            where _dlt_load_id in (select load_id from {{ source("raw", "_dlt_loads") }} where status = 0)
            {% if is_incremental() -%}
            and _dlt_load_id not in (select distinct load_id from {{ this }})
            {% endif -%}
            group by record_id
        )
    ) as arrivals
        on landed.rowid = arrivals.landed_row
{% endmacro %}
