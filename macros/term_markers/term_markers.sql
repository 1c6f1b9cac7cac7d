{#- What a contract is of: patterns that tell apart listings which share their words.

    Groups of markers, each with
      - the code of the veto that it gives,
      - where it is looked for: in the "title" (with subtitle, event title and series), in what is "asked" (the title
        and the condition of the rules), in the "rules" (with the link to the source), or in "any" of them,
      - what it means when only one side has one: "veto", where silence says otherwise ("first half"
        against the whole game), "doubt", where it may (then the pair is not called equal), "unknown",
        where silence says nothing (of the rules it is a caveat), or "silent", where it is not even that.
        Two sides that both have one, and none in common, are a veto in any case; TAIL and DEATH_OR_VOID
        never are: they make a caveat.
    A pattern that holds a number is a marker with that number: "top 10" is not "top 5". -#}
{% macro term_markers() %}
    {{ return(
        sports_markers() + politics_markers() + figures_markers() + culture_markers() + sources_markers()
        + any_topic_markers()
    ) }}
{% endmacro %}


{#- The markers of a listing, as "group:marker", of the texts in the columns `titles`, `condition`, `rules`. A listing
    has few: a text is first asked for all patterns of a group at once. -#}
{% macro found_markers(titles, condition, rules) -%}
    flatten([
        {%- for group, code, scope, one_sided, markers in term_markers() %}
        {%- set text = {
            "title": titles, "asked": titles ~ " || ' ' || " ~ condition, "rules": rules,
            "any": titles ~ " || ' ' || " ~ rules
        }[scope] %}
        if(regexp_matches({{ text }}, '{{ markers | map(attribute=1) | join("|") | replace("'", "''") }}'), list_filter([
            {%- for marker in markers %}
            {%- set pattern = marker[1] | replace("'", "''") %}
            case when regexp_matches({{ text }}, '{{ pattern }}') then '{{ group }}:{{ marker[0] | replace("'", "''") }}'
                {%- if "\\d+" in pattern %} || ' ' || regexp_extract(regexp_extract({{ text }}, '{{ pattern }}'), '\d+'){% endif %} end{{ "," if not loop.last }}
            {%- endfor %}
        ], lambda marker: marker is not null), []){{ "," if not loop.last }}
        {%- endfor %}
    ])
{%- endmacro %}
