{#- For models that keep the latest record of each key. What is new is told by the record number,
    not by a clock; what is latest, by when the venue sent it: an old archive loaded today does not
    replace what is known. -#}

{#- Of `records`: those that landed after all that this model holds of the same venue. -#}
{% macro only_new_records() -%}
    {%- if is_incremental() -%}
    where
        records.record_number > coalesce(
            (
                select max(held.record_number)
                from {{ this }} as held
                where held.platform = records.platform
            ), 0
        )
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
