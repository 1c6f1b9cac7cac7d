{{ config(
    materialized="incremental",
    incremental_strategy="delete+insert",
    unique_key="market_id",
    post_hook="{{ drop_gone('market_id', 'contract_texts') }}"
) }}

{%- set parts = ["windows", "amounts", "markers", "subjects", "wordings"] %}

-- A change of what was read, or of how; and the day on which a window begins.
with hashed as (
    select
        texts.market_id,
        coalesce(
            windows.window_starts_on
            > case
                when texts.universe = 'labelled' then timestamp '{{ var("labels_written_on") }}' else clock.as_of
            end,
            false
        ) as is_window_ahead,
        md5(concat(
            '{{ local_md5(model.raw_code) }}', is_window_ahead, texts.market_id, texts.text_hash,
            {%- for part in parts %}
            {{ part }}.text_hash{{ "," if not loop.last }}
            {%- endfor %}
        )) as terms_hash,
    from {{ ref("contract_texts") }} as texts
    cross join {{ ref("clock") }} as clock
    {%- for part in parts %}
    inner join {{ ref("contract_" ~ part) }} as {{ part }} on texts.market_id = {{ part }}.market_id
    {%- endfor %}
),

changed as (
    select * from hashed where {{ is_not_held("terms_hash", "hashed.terms_hash") }}
),

{% for part in ["texts"] + parts -%}
{{ part }} as (
    {{ rows_of("contract_" ~ part, "changed") }}
),
{% endfor %}
terms as (
    select
        texts.market_id,
        texts.universe,
        texts.platform,
        texts.category,
        texts.event_type,
        texts.outcome_labels,
        -- When.
        windows.window_source,
        windows.window_starts_on,
        windows.window_ends_on,
        windows.window_time,
        windows.condition_time,
        windows.condition_on,
        windows.condition_starts_on,
        windows.named_ends,
        windows.is_whole_window,
        windows.is_game,
        coalesce(windows.is_edition, false) as is_edition,
        case coalesce(
            nullif(regexp_extract(windows.window_time, '[a-z]+$'), ''),
            regexp_extract(texts.rules_text, '\b(et|est|edt|ct|pt|mt|utc|gmt)\b', 1)
        )
            when 'ct' then 'America/Chicago'
            when 'mt' then 'America/Denver'
            when 'pt' then 'America/Los_Angeles'
            when 'utc' then 'UTC'
            when 'gmt' then 'UTC'
            when '' then null
            else 'America/New_York'
        end as window_zone,
        -- The instant at which it is too late; of an hour, the hour.
        timezone(
            window_zone,
            case
                when windows.window_time is null then cast(windows.window_ends_on as timestamp)
                else cast(windows.window_ends_on - 1 as date) + cast(windows.window_time[:5] as time)
            end
        ) as window_ends_at,
        changed.is_window_ahead,
        -- How much.
        amounts.amount_kind,
        amounts.amount_source,
        amounts.amount_low,
        amounts.amount_high,
        amounts.is_low_open,
        amounts.is_high_open,
        amounts.amount_unit,
        amounts.amount_currency,
        amounts.is_touch,
        amounts.is_of_cents,
        amounts.amount_step,
        amounts.is_amount_contested,
        amounts.other_numbers,
        amounts.extra_numbers,
        -- Of what kind, and who says so.
        markers.markers,
        markers.condition_markers,
        -- Whom it is about.
        subjects.subject_words,
        subjects.subject_names,
        subjects.title_names,
        subjects.common_words,
        subjects.topic_words,
        subjects.event_topic_words,
        subjects.ordered_words,
        subjects.outcome_words,
        subjects.alternatives,
        subjects.rules_words,
        -- Word by word.
        wordings.* exclude (market_id, text_hash),
        changed.terms_hash,
    from changed
    inner join texts on changed.market_id = texts.market_id
    inner join windows on changed.market_id = windows.market_id
    inner join amounts on changed.market_id = amounts.market_id
    inner join markers on changed.market_id = markers.market_id
    inner join subjects on changed.market_id = subjects.market_id
    inner join wordings on changed.market_id = wordings.market_id
)

select * from terms
