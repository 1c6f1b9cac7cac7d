{#- For models that make rows anew only where what they read has changed. -#}

{#- A post-hook: rows whose `key` is no longer in the model `upstream` leave. -#}
{% macro drop_gone(key, upstream) -%}
    {%- if is_incremental() -%}
    delete from {{ this }} where {{ key }} not in (select {{ key }} from {{ ref(upstream) }})
    {%- endif -%}
{%- endmacro %}


{#- The post-hook of contract_texts: what may no longer be compared, and labels that were taken out. -#}
{% macro drop_unread_listings() -%}
    {%- if is_incremental() -%}
    delete from {{ this }}
    where
        market_id not in (
            select market_id from {{ ref("markets") }} where has_two_outcomes and not is_parlay
            union all
            select 'labelled:' || market_id from {{ ref("labelled_listings") }}
        )
    {%- endif -%}
{%- endmacro %}


{#- Whether this model holds no row yet that was made from what has this digest. -#}
{% macro is_not_held(digest, expression) -%}
    {%- if is_incremental() -%}
    not exists (select 1 from {{ this }} as held where held.{{ digest }} = {{ expression }})
    {%- else -%}
    true
    {%- endif -%}
{%- endmacro %}


{#- The rows of a table about some listings. What changed was written last: found by its place, the rest is not read. -#}
{% macro rows_of(model, listings) -%}
    select * from {{ ref(model) }}
    {%- if is_incremental() %}
    where rowid in (select rowid from {{ ref(model) }} where market_id in (select market_id from {{ listings }}))
    {%- endif %}
{%- endmacro %}


{#- The fingerprints of the listings of some pairs: few, where few pairs changed. -#}
{% macro terms_of(pairs) -%}
    select * from {{ ref("contract_terms") }}
    where
        market_id in (
            select kalshi_market_id from {{ pairs }}
            union all
            select polymarket_market_id from {{ pairs }}
        )
{%- endmacro %}


{#- The code of some models. -#}
{% macro code_of(models) -%}
    {%- for name in models if execute -%}
    {{ graph.nodes["model.marketfinder." ~ name].raw_code }}
    {%- endfor -%}
{%- endmacro %}


{#- A digest of how two listings are compared: the models, and the macros that they use. -#}
{% macro comparing_digest() -%}
    {%- if execute -%}
        {%- set read = [
            term_markers(), vetoes(), kinds_apart(), doubts(), doubtful_markers(), turning_words(),
            names_with_other_endings(), negations(), publisher_heads(), is_complement("", ""), is_within("", ""),
            is_one_step(""), are_next_numbers(), is_one_day_named("", ""), is_done_by_a_name("", ""), names_in_order("", ""),
            runs_of_names(""), words_of_country(""), initials_of_publishers(""), named_words("", ""), numbers_not_in("", ""),
            numbers_of_condition(""), phrases_of_condition(""), said_to_count("", ""), waived(""), left_out(""), told_words(""),
            telling_stems(""), shared_words("", ""), not_in("", ""), markers_of("", ""),
            contestants_left(""), has_playoffs(""), stage_text(""), anyone(), words_beside_stages(""), says_stage_only("")
        ] -%}
        {{- local_md5(read | string ~ code_of(
            ["pair_sides", "pair_vetoes", "staged_pairs", "related_pairs", "pair_doubts", "marker_groups"]
        )) -}}
    {%- endif -%}
{%- endmacro %}
