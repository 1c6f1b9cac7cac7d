{{ config(
    materialized="incremental",
    incremental_strategy="delete+insert",
    unique_key="market_id",
    post_hook="{{ drop_unread_listings() }}"
) }}

with live as (
    select
        'live' as universe,
        market_id,
        platform,
        series_id,
        event_id,
        event_title,
        event_subtitle,
        title,
        subtitle,
        description,
        resolution_source,
        category,
        event_type,
        list_transform(outcomes, lambda side: side.label) as outcome_labels,
        strike_type,
        floor_strike,
        cap_strike,
        sports_market_type,
        split_part(slug, '-', 1) as slug_prefix,
        expected_at,
    from {{ ref("markets") }}
    where has_two_outcomes and not is_parlay
),

-- Listings of the labelled pairs, by which matching is measured, are read as live ones are.
labelled as (
    select
        'labelled' as universe,
        'labelled:' || market_id as market_id,
        platform,
        series_id,
        event_id,
        event_title,
        null as event_subtitle,
        title,
        subtitle,
        description,
        resolution_source,
        category,
        event_type,
        string_split(outcome_labels, '|') as outcome_labels,
        strike_type,
        cast(floor_strike as decimal(38, 6)) as floor_strike,
        cast(cap_strike as decimal(38, 6)) as cap_strike,
        sports_market_type,
        split_part(slug, '-', 1) as slug_prefix,
        expected_at,
    from {{ ref("labelled_listings") }}
),

listings as (
    select * from live
    union all by name
    select * from labelled
),

-- Prices and clocks are no text: a listing is read again when what it says has changed.
hashed as (
    select
        *,
        -- The way of normalising is a part of it.
        md5(cast([
            '{{ local_md5(model.raw_code ~ create_word_functions() ~ create_window_functions()) }}',
            universe, platform, series_id, event_id, event_title, event_subtitle, title, subtitle, description,
            resolution_source, category, event_type, cast(outcome_labels as varchar), strike_type,
            cast(floor_strike as varchar), cast(cap_strike as varchar), sports_market_type, slug_prefix,
            cast(expected_at as varchar)
        ] as varchar)) as text_hash,
    from listings
),

changed as (
    select hashed.*
    from hashed
    {% if is_incremental() -%}
    left join {{ this }} as held on hashed.market_id = held.market_id
    where held.text_hash is distinct from hashed.text_hash
    {%- endif %}
),

normalised as (
    select
        *,
        silver.spelled_ranges(silver.with_digits(silver.normalised_text(title))) as title_text,
        silver.spelled_ranges(silver.with_digits(silver.normalised_text(subtitle))) as subtitle_text,
        silver.with_digits(silver.normalised_text(event_title)) as event_text,
        silver.normalised_text(event_subtitle) as event_subtitle_text,
        silver.normalised_text(array_to_string(outcome_labels, ' , ')) as outcomes_text,
        silver.normalised_text(description) as rules_text,
    from changed
),

-- A step of its own: what a SELECT says twice, it computes twice.
texts as (
    select
        *,
        if(platform = 'kalshi', subtitle_text, '') as side_text,
        -- What kind of contract it is stands in the title, the event, and the venue's own codes.
        concat_ws(
            ' ', title_text, subtitle_text, event_text, lower(series_id), lower(slug_prefix),
            replace(sports_market_type, '_', ' ')
        ) as kind_text,
        concat_ws(' ', rules_text, lower(resolution_source)) as source_text,
        -- What is asked, without what is said of ties, delays and sources after it.
        silver.with_digits(regexp_replace(
            coalesce(
                nullif(
                    regexp_extract(
                        rules_text,
                        '^(.*?)(?:resolves to yes|\botherwise\b'
                        || '|[.;] (?:if|should|in case) (?:no\b|there |[^.;]{0,80} (?:not|cancel|postpone|delay)))',
                        1
                    ),
                    ''
                ),
                rules_text
            ),
            -- A meeting of two days decides on the second.
            '(\b(?:{{ month_names() }})\b\.?) \d{1,2} ?[-–] ?(\d{1,2}\b(?:, 20\d\d)? meeting)'
            || '|(\bmeeting (?:(?:of|on|for|scheduled|held|that ends|ending|its) ?)+(?:{{ month_names() }})\b\.?)'
            || ' \d{1,2} ?[-–] ?(\d{1,2})\b',
            '\1\3 \2\4', 'g'
        )) as condition_text,
    from normalised
)

select * from texts
