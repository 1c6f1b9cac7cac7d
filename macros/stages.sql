{#- How far a listing asks somebody to come in a cup, as the number of contestants who are left there: two in a final,
    one who wins. Of who qualifies it is said only where the cup is sure to be the same: a league's champion has made
    its playoffs, but who qualifies for the Champions League plays in the next one. Null where it is not known, and of
    one match or a group. -#}
{% macro contestants_left(terms) -%}
    {%- set stages = markers_of(terms ~ ".markers", "'stage'") -%}
    case
        when {{ terms }}.is_game or list_contains({{ terms }}.markers, 'group_stage:group') or len({{ stages }}) > 1
            then null
        when list_contains({{ terms }}.words, 'playoff') and not {{ has_playoffs(terms) }} then null
        when {{ stages }}[1] = 'stage:final' then 2
        when len({{ stages }}) = 1 and not list_contains({{ terms }}.markers, 'bet_type:qualify') then null
        when {{ stages }}[1] = 'stage:semifinal' then 4
        when {{ stages }}[1] = 'stage:quarterfinal' then 8
        when len({{ stages }}) = 1 then cast(nullif(regexp_extract({{ stages }}[1], 'round of (\d+)$', 1), '') as integer)
        when list_contains({{ terms }}.markers, 'bet_type:qualify')
            then case
                -- "The Finals" may be all of a tournament.
                when list_contains({{ terms }}.words, 'final') then null
                when
                    list_contains({{ terms }}.words, 'playoff')
                    or list_has_any({{ terms }}.markers, ['league:world cup', 'league:euro', 'league:copa america'])
                    then {{ anyone() }}
            end
        when list_has_any({{ terms }}.words, ['win', 'winner']) then 1
    end
{%- endmacro %}


{#- Leagues whose champion comes out of their playoffs. -#}
{% macro has_playoffs(terms) -%}
    list_has_any({{ terms }}.markers, [
        {%- for league in ["nba", "wnba", "nfl", "mlb", "nhl", "mls", "nwsl", "ipl", "college football"] %}
        'league:{{ league }}'{{ "," if not loop.last }}
        {%- endfor %}
    ])
{%- endmacro %}


{#- The same for a reader. -#}
{% macro stage_text(side) -%}
    case {{ side }}.contestants_left
        when 1 then 'the winner' when {{ anyone() }} then 'who takes part' else 'the last ' || {{ side }}.contestants_left
    end
{%- endmacro %}


{% macro anyone() -%}
    1000
{%- endmacro %}


{#- What a title says of more than how far somebody comes: who, and in which cup. Of the numbers the year is compared as
    a window, and "round of 16" is the stage; a second split is another cup. -#}
{% macro words_beside_stages(terms) -%}
    list_filter({{ terms }}.ordered_words, lambda word: word not in (
        'win', 'winner', 'reach', 'mak', 'qualify', 'advanc', 'appear', 'play', 'final', 'grand', 'semi', 'semifinal',
        'quarter', 'quarterfinal', 'round', 'playoff', 'postseason', coalesce(cast(contestants_left as varchar), '')
    ) and not regexp_matches(word, '^20\d\d$'))
{%- endmacro %}


{#- "stage:semifinal", "bet_type:qualify" or nothing: no other stage or bet. -#}
{% macro says_stage_only(value) -%}
    regexp_matches({{ value }}, '^(stage:[a-z]+|stage:round of \d+|bet_type:qualify|)$')
{%- endmacro %}
