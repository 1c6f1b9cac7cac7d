{#- The records of one landing table that this bronze model has not taken yet.

    Only complete loads count: a killed load may still grow when it is resumed. A load job that ran
    twice left the same record_id twice; one is taken. The numbers go on from those the model
    holds, in the order of landing, so that later models can ask for "what is new" without a clock.
    What is new is of the loads that were complete after the last one taken: of both tables the ends
    are read, whatever came before. -#}
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
            coalesce((select held.record_number from {{ this }} as held order by held.record_number desc limit 1), 0)
            + {% endif -%}
            row_number() over (order by load_number, fetched_at, record_id) as record_number,
        from (
            select
                arrived.record_id,
                min(arrived.rowid) as landed_row,
                min(loads.load_number) as load_number,
                min(arrived.fetched_at) as fetched_at,
            from {{ source("raw", table) }} as arrived
            inner join {{ new_loads() }} as loads on arrived._dlt_load_id = loads.load_id
            group by arrived.record_id
        )
    ) as arrivals
        on landed.rowid = arrivals.landed_row
    where landed._dlt_load_id in (select loads.load_id from {{ new_loads() }} as loads)
{% endmacro %}


{#- The loads that were complete after the last one of which this model has a record, in their order. -#}
{% macro new_loads() -%}
    (
                select
                    rowid as load_number,
                    load_id,
                from {{ source("raw", "_dlt_loads") }}
                where
                    status = 0
                    {% if is_incremental() -%}
                    and rowid > coalesce(
                        (
                            select max(taken.rowid)
                            from {{ source("raw", "_dlt_loads") }} as taken
                            where
                                taken.status = 0
                                and taken.load_id = (
                                    select held.load_id from {{ this }} as held order by held.record_number desc limit 1
                                )
                        ), -1
                    )
                    {%- endif %}
            )
{%- endmacro %}


{#- The newest 400 loads, a day of runs: what a test of the accounts looks at. -#}
{% macro newest_loads() -%}
    (select load_id from {{ source("raw", "_dlt_loads") }} where status = 0 order by rowid desc limit 400)
{%- endmacro %}
