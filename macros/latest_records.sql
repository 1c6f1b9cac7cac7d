{#- For models that keep the latest record of each key. What is new is told by the record number,
    not by a clock; what is latest, by when the venue sent it: an old archive loaded today does not
    replace what is known. -#}

{#- Of a venue's records: those that landed after all that this model holds of the same venue. A bound before
    anything is read of them, so that earlier ones are passed over. -#}
{% macro is_new_record(platform) -%}
    {%- if is_incremental() -%}
    record_number > coalesce(
            (
                select held.record_number
                from {{ this }} as held
                where held.platform = '{{ platform }}'
                order by held.record_number desc
                limit 1
            ), 0
        )
    {%- else -%}
    true
    {%- endif -%}
{%- endmacro %}


{% macro unless_newer_is_held(key) -%}
    {%- if is_incremental() -%}
    where
        not exists (
            select 1
            from {{ this }} as held
            where held.{{ key }} = latest.{{ key }} and held.fetched_at > latest.fetched_at
        )
    {%- endif -%}
{%- endmacro %}


{#- A held table of the latest record of each id, among those of both venues for which `condition` holds. `venues` has
    platform, bronze table and its column of the id. -#}
{% macro latest_records_of(key, id, venues, condition) -%}
with records as (
    {%- for platform, model, column in venues %}
    select
        '{{ platform }}:' || {{ column }} as {{ key }},
        '{{ platform }}' as platform,
        {{ column }} as {{ id }},
        record_number,
        fetched_at,
    from {{ ref(model) }}
    where
        {{ column }} is not null
        and {{ condition }}
        and {{ is_new_record(platform) }}
    {{ "union all" if not loop.last }}
    {%- endfor %}
),

latest as (
    select * from records
    qualify row_number() over (partition by {{ key }} order by fetched_at desc, record_number desc) = 1
)

select * from latest
{{ unless_newer_is_held(key) }}
{%- endmacro %}


{#- Whether a row of a bronze table is the latest of one of some keys, as `held` has them: found by its place, so that
    of history only the numbers are read; the first condition of its query, which is the first that is looked at.
    True of all for a moment in the past, whose latest is not held, and of the nothing of `--empty`, which has no
    places. -#}
{% macro is_latest(model, held, of_keys, platform) -%}
    {%- if var("as_of") or flags.EMPTY -%}
    true
    {%- else -%}
    rowid in (
            select numbered.rowid
            from {{ ref(model) }} as numbered
            where
                numbered.record_number in (
                    select record_number from {{ ref(held) }} where platform = '{{ platform }}' and {{ of_keys }}
                )
        )
    {%- endif -%}
{%- endmacro %}
