{#- The texts that a model is to read: those that changed since it read them, or all of them when its
    way of reading did: the model itself, the functions (their source as `reading`), the seeds whose
    digest is `vocabulary`, an SQL expression, or what other models read in them before (`parts`). -#}
{% macro texts_to_read(reading="", vocabulary="''", parts=[]) -%}
    select texts.* exclude (text_hash), texts.read_hash as text_hash,
    from (
        select
            texts.*,
            md5(concat(
                texts.text_hash, '{{ local_md5(model.raw_code ~ reading) }}', {{ vocabulary }}
                {%- for part in parts %}, {{ part }}.text_hash{% endfor %}
            )) as read_hash,
        from {{ ref("contract_texts") }} as texts
        {%- for part in parts %}
        inner join {{ ref(part) }} as {{ part }} on texts.market_id = {{ part }}.market_id
        {%- endfor %}
    ) as texts
    {% if is_incremental() -%}
    left join {{ this }} as held on texts.market_id = held.market_id
    where held.text_hash is distinct from texts.read_hash
    {%- endif %}
{%- endmacro %}


{#- A digest of some columns of a seed. -#}
{% macro seed_digest(seed, columns) -%}
    (select md5(string_agg(concat_ws(chr(31), {{ columns | join(", ") }}), chr(30) order by {{ columns | join(", ") }})) from {{ ref(seed) }})
{%- endmacro %}
