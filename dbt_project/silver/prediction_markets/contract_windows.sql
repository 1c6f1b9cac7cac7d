{{ config(
    materialized="incremental",
    incremental_strategy="delete+insert",
    unique_key="market_id",
    post_hook="{{ drop_gone('market_id', 'contract_texts') }}"
) }}

with changed as (
    {{ texts_to_read(create_window_functions()) }}
),

dated as (
    select
        *,
        silver.date_mentions(title_text) as title_dates,
        silver.date_mentions(side_text) as subtitle_dates,
        silver.date_mentions(rules_text) as rules_dates,
        -- "Before 2030" of Kalshi's event. A year alone is its ticker's, and may be that of an earlier edition.
        list_filter(
            silver.date_mentions(event_subtitle_text),
            lambda found: found.word in ('before', 'by', 'until', 'through')
        ) as event_deadlines,
        -- The condition names the deadline; what follows it, when it is settled if there is no figure.
        silver.date_mentions(condition_text) as condition_dates,
        silver.clock_mention(condition_text) as condition_clock,
        regexp_matches(rules_text, '\b(since|from|between|after) (the )?(time of )?((this )?markets?|its) creation')
            as starts_at_listing,
        -- The hour of a ladder's rungs stands in the title of their event only.
        coalesce(
            nullif(silver.clock_mention(title_text), ''),
            silver.clock_mention(event_text)
        ) as time_mention,
        -- KXBTCD-26JUL2617 is decided at five in the afternoon, KXINXU-26AUG03H1430 at half past two; H1600 is a close.
        case
            when platform = 'kalshi' and not ends_with(event_id, 'H1600')
                then strftime(
                        try_strptime(
                            rpad(
                                nullif(regexp_extract(event_id, '-\d\d[A-Z]{3}\d\dH?(\d\d(?:\d\d)?)$', 1), ''), 4, '0'
                            ), '%H%M'
                        ), '%H:%M et'
                    )
        end as ticker_time,
        -- KXUCL-26, KXPGATOUR-TRC26: the season or the year, where no text names one. KXGRAMMY-69 is the 69th.
        case when platform = 'kalshi' then nullif(regexp_extract(event_id, '^[A-Z0-9]+-[A-Z]*([23]\d)$', 1), '') end
            as ticker_year,
        -- One game on one day: the day is in the ticker, or in the start of the game.
        case platform
            when 'kalshi'
                then cast(try_strptime(regexp_extract(event_id, '-(\d\d[A-Z]{3}\d\d)', 1), '%y%b%d') as date)
            else cast(expected_at at time zone 'UTC' at time zone 'America/New_York' as date)
        end as game_on,
        game_on is not null and (
            event_type = 'head_to_head'
            or regexp_matches(concat_ws(' ', title_text, lower(event_title)), '\bvs?\b')
            or coalesce(ends_with(series_id, 'GAME'), false)
            -- The teams follow the day in the ticker; Polymarket sends the start of games only.
            or (coalesce(category = 'sports', false) and (
                platform = 'polymarket' or regexp_matches(event_id, '-\d\d[A-Z]{3}\d\d\d*[A-Z]{4,}')
            ))
        ) as is_game,
    from changed
),

conditioned as (
    select
        *,
        list_filter(condition_dates, lambda found: found.word in ('before', 'by', 'until', 'through'))
            as rules_deadlines,
        list_distinct(list_transform(
            condition_dates, lambda found: silver.mentioned_window(found, null)
        )) as condition_windows,
        -- The one date that it names.
        case when len(condition_windows) = 1 then condition_windows[1] end as condition_window,
    from dated
),

-- The title's own date (one with a word of time before it, if there is one), else the subtitle's,
-- else the first deadline of the rules, else that of the event.
chosen as (
    select
        *,
        -- The one day that the condition names.
        case
            when len(rules_deadlines) = 0 and condition_window.ends_on - condition_window.starts_on = 1
                then condition_window.starts_on
        end as condition_on,
        case
            when is_game then 'game'
            -- "The January press conference" is on the day that the condition names.
            when
                len(title_dates) = 1 and title_dates[1].month != '' and title_dates[1].day = ''
                and condition_window.ends_on - condition_window.starts_on = 1
                and not starts_at_listing
                -- A meeting of the month is named by its day or not.
                and not contains(title_text, 'meeting')
                and condition_dates[1].month[1:3] = title_dates[1].month[1:3]
                then 'condition'
            -- "Control after the 2028 election" is that of the day which the condition names.
            when
                len(title_dates) = 1 and title_dates[1].lone_year != '' and title_dates[1].word = ''
                and len(condition_windows) = 1 and condition_dates[1].word = 'on'
                and strftime(condition_window.starts_on, '%Y') != title_dates[1].lone_year
                then 'condition'
            when len(title_dates) > 0 then 'title'
            when len(subtitle_dates) > 0 then 'subtitle'
            when len(rules_deadlines) > 0 then 'rules'
            -- "The 2027 Monaco Grand Prix"; the last games of "the 2027 season" are in the next year.
            when
                condition_window.ends_on is not null
                and (
                    condition_dates[1].month != ''
                    or (
                        condition_dates[1].lone_year != ''
                        and contains(condition_text, 'the ' || condition_dates[1].lone_year)
                        and not regexp_matches(
                            condition_text, '\b' || condition_dates[1].lone_year || ' (\w+ ){0,3}season'
                        )
                    )
                )
                then 'condition'
            when len(event_deadlines) > 0 then 'event'
            when ticker_year is not null then 'ticker'
        end as window_source,
        case window_source
            when 'title'
                then coalesce(list_filter(title_dates, lambda found: found.word != '')[1], title_dates[1])
            when 'subtitle' then subtitle_dates[1]
            when 'rules' then rules_deadlines[1]
            when 'condition' then condition_dates[1]
            when 'event' then event_deadlines[1]
            when 'ticker' then silver.date_mentions('in 20' || ticker_year)[1]
        end as chosen_date,
    from conditioned
),

-- "by March 31" takes its year from the same day in the rules.
with_year as (
    select
        *,
        list_filter(
            rules_dates,
            lambda other: other.month[1:3] = chosen.chosen_date.month[1:3]
            and other.day = chosen.chosen_date.day and other.month_year != ''
        )[1].month_year as year_of_day,
        -- Or from the one year that the rules name at all.
        list_distinct(list_filter(
            list_transform(rules_dates, lambda other: concat(other.month_year, other.lone_year, other.iso_day[:4])),
            lambda year: year != ''
        )) as years_of_rules,
        coalesce(year_of_day, case when len(years_of_rules) = 1 then years_of_rules[1] end) as year_of_rules,
        list_filter(
            list_transform(subtitle_dates, lambda found: silver.mentioned_window(found, null).ends_on),
            lambda day: day is not null
        ) as subtitle_ends,
        list_filter(
            list_transform(
                rules_deadlines,
                lambda found: silver.mentioned_window(
                    found, coalesce(nullif(chosen_date.month_year, ''), nullif(chosen_date.lone_year, ''))
                ).ends_on
            ),
            lambda day: day is not null
        ) as rules_ends,
    from chosen
),

windowed as (
    select
        *,
        -- "July 20-26" is written out as "from july 20 by july 26".
        list_filter(title_dates, lambda found: contains(title_text, 'from ' || found.mention))[1] as range_start,
        case
            when is_game
                then struct_pack(starts_on := game_on, ends_on := cast(game_on + interval 1 day as date))
            -- "The close of the week of September 27" is that of its Friday.
            when contains(title_text, 'week of ' || chosen_date.mention)
                then silver.week_of(
                        silver.first_day(chosen_date, year_of_rules),
                        regexp_matches(condition_text, '\b(final|last) (trading |business )?(day|session)\b')
                    )
            when chosen_date is not null then silver.mentioned_window(chosen_date, year_of_rules)
        end as read_window,
    from with_year
),

checked as (
    select
        market_id,
        platform,
        is_game,
        window_source,
        chosen_date.mention as window_mention,
        time_mention,
        coalesce(
            case when time_mention != '' then silver.clock_time(time_mention) end,
            case when not is_game then ticker_time end
        ) as window_time,
        -- The hour that only the condition names; the last minute of a day is no hour. Of two games of baseball on one
        -- day Polymarket tells the start.
        coalesce(
            nullif(nullif(silver.clock_time(nullif(condition_clock, '')), '23:59 et'), '00:00 et'),
            case
                when is_game and platform = 'polymarket'
                    then strftime(expected_at at time zone 'UTC' at time zone 'America/New_York', '%H:%M et')
                -- And Kalshi's ticker: KXMLBGAME-27JUL041910CHCSTL.
                when is_game and platform = 'kalshi' and regexp_matches(event_id, '^KXMLB\w*-\d\d[A-Z]{3}\d{6}[A-Z]')
                    then regexp_replace(
                            regexp_extract(event_id, '-\d\d[A-Z]{3}\d\d(\d{4})[A-Z]', 1),
                            '(\d\d)(\d\d)', '\1:\2 et'
                        )
            end
        ) as condition_time,
        -- Rules that name other deadlines, and not this one, leave the window unknown.
        is_game or (
            (
                len(rules_ends) = 0 or list_contains(rules_ends, read_window.ends_on)
                -- "The October rate": a figure of the month, and a day on which it is late.
                or list_contains(
                    list_transform(rules_dates, lambda found: silver.mentioned_window(found, null).ends_on),
                    read_window.ends_on
                )
            )
            and (len(subtitle_ends) = 0 or list_contains(subtitle_ends, read_window.ends_on))
        ) as is_window_certain,
        -- Every day that is named in what is asked, whichever was chosen, without a year where none is told; and in the
        -- rules: "if there is none before January 1", it may be until then.
        list_distinct(list_filter(
            list_transform(
                title_dates || subtitle_dates || condition_dates
                || list_filter(rules_dates, lambda found: found.word != '' or found.day != ''),
                lambda found: coalesce(
                    cast(silver.mentioned_window(found, null).ends_on as varchar),
                    strftime(silver.mentioned_window(found, '2001').ends_on, '--%m-%d')
                )
            ),
            lambda day: day is not null
        )) as named_ends,
        -- A year that is a part of a name ("the 2027 finals") says when, not from when until when.
        window_source = 'ticker'
        or (
            coalesce(window_source, '') in ('title', 'subtitle', 'condition') and chosen_date.lone_year != ''
            and (
                chosen_date.word = '' or contains(chosen_date.mention, 'the ')
                -- "To win in 2027" is to win the election of that year; to call one in 2027 is not.
                or (
                    window_source = 'title' and chosen_date.word = 'in'
                    and regexp_matches(title_text, '\b(wins?|winner|elected)\b')
                    and regexp_matches(condition_text, '\b' || chosen_date.lone_year || ' (\w+ ){0,4}elections?\b')
                )
            )
        )
        -- "The March press conference" is held on one of its days.
        or (
            window_source = 'title' and chosen_date.month != '' and chosen_date.day = ''
            and contains(title_text, chosen_date.mention || ' press conference')
        ) as is_edition,
        -- "closed through March" speaks of every day, "closed by March" of one.
        not is_game and coalesce(chosen_date.word in ('through', 'until'), false) as is_whole_window,
        case
            -- "In January" is what follows "between market creation and January 31" too.
            when
                is_window_certain
                and (is_game or read_window.ends_on - read_window.starts_on = 1 or not starts_at_listing)
                then coalesce(
                        read_window.starts_on,
                        case
                            when
                                range_start is not null
                                then silver.first_day_before(range_start, read_window.ends_on)
                        end
                    )
        end as window_starts_on,
        case when is_window_certain then read_window.ends_on end as window_ends_on,
        condition_on,
        -- "After January 31 and before March 1", as the condition says it.
        silver.date_mentions(regexp_extract(
            condition_text, '\b(?:between|from|since) ((?:{{ month_names() }})\b\.? \d{1,2}(?:, 20\d\d)?)', 1
        ))[1] as first_day_between,
        silver.date_mentions(regexp_extract(
            condition_text, '\bafter ((?:{{ month_names() }})\b\.? \d{1,2}(?:, 20\d\d)?)', 1
        ))[1] as day_after,
        coalesce(
            window_starts_on,
            if(first_day_between is null, null, silver.first_day_before(first_day_between, window_ends_on)),
            if(
                day_after is null, null,
                cast(silver.first_day_before(day_after, window_ends_on) + interval 1 day as date)
            ),
            -- "In calendar year 2027", "made landfall in 2027".
            list_filter(
                list_transform(
                    list_filter(
                        condition_dates,
                        lambda found: found.lone_year != '' and (
                            found.word in ('in', 'during')
                            or contains(condition_text, 'calendar year ' || found.lone_year)
                        )
                    ),
                    lambda found: silver.first_day(found, null)
                ),
                lambda day: day + interval 1 year = window_ends_on
            )[1]
        ) as condition_starts_on,
        text_hash,
    from windowed
)

select * exclude (first_day_between, day_after) from checked
