-- Every record of a complete load is in bronze once. A row here is a record that was lost or
-- doubled on the way. Only the newest 400 loads, a day of runs: a test of all would grow with history.
with newest as (
    select load_id from {{ newest_loads() }}
),

{% for table in landing_tables() -%}
landed_{{ table }} as (
    select distinct record_id
    from {{ source("raw", table) }}
    where _dlt_load_id in (select newest.load_id from newest)
),

typed_{{ table }} as (
    select record_id
    from {{ ref(table) }}
    where load_id in (select newest.load_id from newest)
),

{% endfor -%}
counted as (
    {% for table in landing_tables() -%}
    {{ "union all" if not loop.first }}
    select
        '{{ table }}' as landing_table,
        landed.record_id,
        count(typed.record_id) as times_in_bronze,
    from landed_{{ table }} as landed
    left join typed_{{ table }} as typed on landed.record_id = typed.record_id
    group by landed.record_id
    {% endfor %}
)

select * from counted where times_in_bronze != 1
