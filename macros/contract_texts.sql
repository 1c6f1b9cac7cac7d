{#- The texts that a model is to read: those that changed since it read them, or all of them when its
    way of reading did: the model itself, the functions (their source as `reading`), or the seeds whose
    digest is `vocabulary`, an SQL expression. -#}
{% macro texts_to_read(reading="", vocabulary="''") -%}
    select texts.* exclude (text_hash), texts.read_hash as text_hash,
    from (
        select
            *,
            md5(text_hash || '{{ local_md5(model.raw_code ~ reading) }}' || {{ vocabulary }}) as read_hash,
        from {{ ref("contract_texts") }}
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
