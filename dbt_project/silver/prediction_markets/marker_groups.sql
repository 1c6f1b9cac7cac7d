{{ config(materialized="view") }}

with marker_groups (marker_group, veto_code, scope, markers, strict_markers) as (
    values
    {%- for group, code, scope, one_sided, markers in term_markers() %}
    (
        '{{ group }}', '{{ code }}', '{{ scope }}',
        [
            {%- for marker in markers %}
            '{{ group }}:{{ marker[0] | replace("'", "''") }}'{{ "," if not loop.last }}
            {%- endfor %}
        ],
        [
            {%- for marker in markers if (marker[2] or one_sided) == "veto" %}
            '{{ group }}:{{ marker[0] | replace("'", "''") }}'{{ "," if not loop.last }}
            {%- endfor %}
        ]
    ){{ "," if not loop.last }}
    {%- endfor %}
)

select * from marker_groups
