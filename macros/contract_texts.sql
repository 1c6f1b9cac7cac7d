{#- The texts that a model is to read: those that changed since it read them, or all of them when its
    way of reading did: the model itself, the functions (their source as `reading`), the seeds whose
    digest is `vocabulary`, an SQL expression, or what other models read in them before (`parts`). -#}
{% macro texts_to_read(reading="", vocabulary="''", parts=[]) -%}
    with hashed as (
        select
            texts.market_id,
            md5(concat(
                texts.text_hash, '{{ local_md5(model.raw_code ~ reading) }}', {{ vocabulary }}
                {%- for part in parts %}, {{ part }}.text_hash{% endfor %}
            )) as read_hash,
        from {{ ref("contract_texts") }} as texts
        {%- for part in parts %}
        inner join {{ ref(part) }} as {{ part }} on texts.market_id = {{ part }}.market_id
        {%- endfor %}
    ),

    to_read as (
        select hashed.* from hashed
        {% if is_incremental() -%}
        left join {{ this }} as held on hashed.market_id = held.market_id
        where held.text_hash is distinct from hashed.read_hash
        {%- endif %}
    )

    select texts.* exclude (text_hash), to_read.read_hash as text_hash,
    from to_read
    inner join ({{ rows_of("contract_texts", "to_read") }}) as texts on to_read.market_id = texts.market_id
{%- endmacro %}


{#- A digest of some columns of a seed. -#}
{% macro seed_digest(seed, columns) -%}
    (select md5(string_agg(concat_ws(chr(31), {{ columns | join(", ") }}), chr(30) order by {{ columns | join(", ") }})) from {{ ref(seed) }})
{%- endmacro %}
