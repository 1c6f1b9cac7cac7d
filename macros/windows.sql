{% macro month_names() -%}
    january|february|march|april|may|june|july|august|september|october|november|december|jan|feb|mar|apr|jun|jul|aug|sept|sep|oct|nov|dec
{%- endmacro %}


{#- When a contract is decided, read from its texts.

    silver.date_mentions(text)           all mentions of a date in a normalised text, in order: a
                                         day, a month or a year with the word before it. A bare
                                         month name is a word, not a date ("may").
    silver.mentioned_window(found, year) the window [starts_on, ends_on) that a mention means; the
                                         year is taken where the mention has none; null where it is
                                         not known. "before May 1" and "by April 30" end on May 1.
    silver.week_of(day, is_of_close)     the seven days from that day on, or the Friday of its week
    silver.without_dates(text)           the text without its mentions of dates
    silver.spelled_ranges(text)          "july 20-26" as "from july 20 by july 26"
    silver.spelled_months(text)          "in q3 2027" as "from july 1 by end of september 2027"
    silver.clock_mention(text)           the first time of day in a normalised text, "" if none
    silver.clock_time(mention)           that as "17:00 et", 24 hours; the zone is left out where
                                         the text has none -#}
{% macro create_window_functions() %}
    {%- set date_pattern -%}
        (?:\b(before|by|until|through|on|in|during)\s+(?:the\s+)?(end\s+of\s+)?)?\b(?:(20\d\d-\d\d-\d\d)\b|({{ month_names() }})\b\.?(?:\s+(\d{1,2})(?:st|nd|rd|th)?\b)?(?:,?\s+(20\d\d)\b)?|(20\d\d)\b)
    {%- endset %}

    create or replace macro silver.date_mentions(text) as list_filter(
        list_transform(
            regexp_extract_all(text, '{{ date_pattern }}'),
            lambda mention: struct_insert(
                regexp_extract(
                    mention, '{{ date_pattern }}', ['word', 'end_of', 'iso_day', 'month', 'day', 'month_year', 'lone_year']
                ),
                mention := mention
            )
        ),
        lambda found: concat(found.word, found.iso_day, found.day, found.month_year, found.lone_year) != ''
            and not regexp_matches(found.mention, '^(before|by|until|through) the 20\d\d$')
    );

    create or replace macro silver.first_day(found, known_year) as cast(coalesce(try_cast(found.iso_day as timestamp), try_strptime(
        concat_ws(
            ' ',
            coalesce(nullif(found.month_year, ''), nullif(found.lone_year, ''), known_year, 'unknown'),
            coalesce(nullif(found.month[1:3], ''), 'jan'),
            coalesce(nullif(found.day, ''), '1')
        ),
        '%Y %b %d'
    )) as date);

    create or replace macro silver.next_day(found, known_year) as cast(
        silver.first_day(found, known_year) + case
            when found.day != '' or found.iso_day != '' then interval 1 day
            when found.month != '' then interval 1 month
            else interval 1 year
        end as date
    );

    {#- Where no year is told, the last such day before another. -#}
    create or replace macro silver.first_day_before(found, before) as if(
        silver.first_day(found, strftime(before, '%Y')) < before,
        silver.first_day(found, strftime(before, '%Y')),
        silver.first_day(found, strftime(before - interval 1 year, '%Y'))
    );

    create or replace macro silver.week_of(day, is_of_close) as struct_pack(
        starts_on := cast(if(is_of_close, date_trunc('week', day) + interval 4 day, day) as date),
        ends_on := cast(if(is_of_close, date_trunc('week', day) + interval 5 day, day + interval 7 day) as date)
    );

    create or replace macro silver.clock_mention(text) as regexp_extract(
        text, '\b(?:at )?\d{1,2}(?::\d\d)? ?[ap]\.?m\b\.?(?: (?:[ecmp][sd]?t|utc|gmt)\b)?'
    );

    create or replace macro silver.clock_time(mention) as if(mention is null, null, trim(concat(
        lpad(cast(
            cast(regexp_extract(mention, '(\d{1,2})', 1) as integer) % 12
            + if(regexp_matches(mention, 'p\.?m'), 12, 0) as varchar
        ), 2, '0'),
        ':',
        coalesce(nullif(regexp_extract(mention, ':(\d\d)', 1), ''), '00'),
        ' ',
        regexp_replace(regexp_extract(mention, '([ecmp][sd]?t|utc|gmt)$', 1), '^([ecmp])[sd]t$', '\1t')
    )));

    create or replace macro silver.without_dates(text) as list_reduce(
        list_transform(silver.date_mentions(text), lambda found: found.mention),
        lambda rest, mention: replace(rest, mention, ' '), text
    );

    {%- set spelled = namespace(months="text") -%}
    {#- "Before Q3 2027" is no range. -#}
    {%- for names, first, last in [
        ("(?:first|1st) half|h1", "january", "june"), ("(?:second|2nd) half|h2", "july", "december"),
        ("(?:first|1st) quarter|q1", "january", "march"), ("(?:second|2nd) quarter|q2", "april", "june"),
        ("(?:third|3rd) quarter|q3", "july", "september"), ("(?:fourth|4th) quarter|q4", "october", "december"),
    ] -%}
        {%- set spelled.months = "regexp_replace(" ~ spelled.months ~ ", '\\b(?:in|during) (?:the )?(?:" ~ names
            ~ ")(?: of)? (20\\d\\d)\\b', 'from " ~ first ~ " 1 by end of " ~ last ~ " \\1', 'g')" -%}
    {%- endfor -%}

    create or replace macro silver.spelled_months(text) as regexp_replace(
        regexp_replace({{ spelled.months }}, '\bfrom \w+ 1 (by end of \w+ 20\d\d) or (?:before|earlier|sooner)\b', '\1', 'g'),
        '\bbetween ({{ month_names() }})\b\.?(?: 20\d\d)? and ({{ month_names() }})\b\.?(,? 20\d\d\b)?'
        || '|\b(?:from )?({{ month_names() }})\b\.?(?: 20\d\d)? ?(?:-|–|to|upto|through) ?({{ month_names() }})\b\.?(,? 20\d\d\b|[^ ]|$| [^\d])',
        'from \1\4 1 by end of \2\5\3\6', 'g'
    );

    create or replace macro silver.spelled_ranges(text) as regexp_replace(
        regexp_replace(
            regexp_replace(
                silver.spelled_months(text),
                '\bbetween (({{ month_names() }})\b\.? \d{1,2}),?(?: 20\d\d)? and ({{ month_names() }}\b\.? \d{1,2})\b',
                'from \1 by \3', 'g'
            ),
            '\b({{ month_names() }})\b\.? (\d{1,2}) ?(?:-|–|to|upto) ?({{ month_names() }})\b\.? (\d{1,2})\b',
            'from \1 \2 by \3 \4', 'g'
        ),
        '\b({{ month_names() }})\b\.? (\d{1,2}) ?(?:-|–|to|upto) ?(\d{1,2})\b', 'from \1 \2 by \1 \3', 'g'
    );

    {#- "by 2027" and "by May 2027" are read both ways; nobody should bet on one of them. -#}
    create or replace macro silver.mentioned_window(found, known_year) as struct_pack(
        starts_on := case
            when found.word in ('on', 'in', 'during', '') then silver.first_day(found, known_year)
        end,
        ends_on := case
            when found.word = 'before' and found.end_of = '' then silver.first_day(found, known_year)
            when found.word = 'by' and concat(found.iso_day, found.day, found.end_of) = '' then null
            else silver.next_day(found, known_year)
        end
    );
{% endmacro %}


{#- "In April" of one side and "on April 14" of the other, where the condition of the first names that day
    too. Beside a deadline such a day may be that of something else: "the bill introduced on January 3". -#}
{% macro is_one_day_named(left, right) -%}
    coalesce(
        {{ left }}.window_starts_on is not null and {{ right }}.window_starts_on is not null
        and (
            {{ left }}.condition_on = {{ right }}.condition_on
            or ({{ left }}.condition_on = {{ right }}.window_starts_on and {{ right }}.window_ends_on - {{ right }}.window_starts_on = 1)
            or ({{ right }}.condition_on = {{ left }}.window_starts_on and {{ left }}.window_ends_on - {{ left }}.window_starts_on = 1)
            -- A decision of the month: the title of one names the month and its condition the day.
            {%- for day, month in [(left, right), (right, left)] %}
            or (
                {{ day }}.category = 'economics' and {{ month }}.category = 'economics'
                and {{ day }}.amount_kind is null and {{ month }}.amount_kind is null
                and {{ day }}.window_source = 'condition' and {{ day }}.window_ends_on - {{ day }}.window_starts_on = 1
                and {{ month }}.window_starts_on = date_trunc('month', {{ day }}.window_starts_on)
                and {{ month }}.window_ends_on = {{ month }}.window_starts_on + interval 1 month
            )
            {%- endfor %}
        ),
        false
    )
{%- endmacro %}


{#- The deadline of one side is among the days that the other, whose deadline was not read, names. -#}
{% macro is_end_named(side, other) -%}
    coalesce(
        {{ other }}.window_ends_on is null
        and list_has_any({{ other }}.named_ends, [
            cast({{ side }}.window_ends_on as varchar), strftime({{ side }}.window_ends_on, '--%m-%d')
        ]),
        false
    )
{%- endmacro %}


{#- Both speak of one quarter, and the other, whose deadline was not read, names its year; or of one season. -#}
{% macro is_period_named(side, other) -%}
    coalesce(
        {{ other }}.window_ends_on is null
        and case
            when regexp_matches({{ side }}.condition, '\b\d+ \w\w congress\b')
                then month({{ side }}.window_ends_on) = 1 and day({{ side }}.window_ends_on) <= 4
                    and regexp_extract({{ side }}.condition, '\b\d+ \w\w congress\b')
                    = regexp_extract({{ other }}.condition, '\b\d+ \w\w congress\b')
            when {{ side }}.category = 'sports'
                then {{ side }}.window_ends_on = {{ side }}.window_starts_on + interval 1 year
                    and list_contains({{ other }}.stems, 'season')
                    and regexp_matches(
                        {{ other }}.condition,
                        '\b' || year({{ side }}.window_starts_on) || '( - \d\d)? (\w+ ){0,4}season\b'
                    )
            else {{ side }}.window_ends_on = {{ side }}.window_starts_on + interval 3 month
                and list_contains(
                    {{ other }}.named_ends, cast(date_trunc('year', {{ side }}.window_starts_on + interval 1 year) as date)::varchar
                )
                and len(list_filter(
                    list_intersect({{ side }}.markers, {{ other }}.markers), lambda marker: starts_with(marker, 'period:quarter')
                )) > 0
        end,
        false
    )
{%- endmacro %}
