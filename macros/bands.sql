{#- silver.band_of(text): the band that a side of a ladder stands for, as its lowest and highest reading
    ("78° or below" has no low, "79° to 80°" both, "81°" twice the same); null for any other text. -#}
{% macro create_band_functions() %}
    {%- set number = "(-?\\d[\\d,]*(?:\\.\\d+)?)" -%}
    {%- set unit = "\\s*(?:°\\s*[cf]?|%|degrees?)?\\s*" -%}
    create or replace macro silver.band_number(text) as try_cast(replace(text, ',', '') as decimal(18, 4));

    create or replace macro silver.band_parts(text) as struct_pack(
        below := regexp_extract(text, '^\$?{{ number }}{{ unit }}or (?:below|lower|less|under)$', 1),
        above := regexp_extract(text, '^\$?{{ number }}{{ unit }}or (?:above|higher|more)$', 1),
        low := regexp_extract(text, '^\$?{{ number }}{{ unit }}(?:to|-|–)\s*\$?{{ number }}{{ unit }}$', 1),
        high := regexp_extract(text, '^\$?{{ number }}{{ unit }}(?:to|-|–)\s*\$?{{ number }}{{ unit }}$', 2),
        single := regexp_extract(text, '^{{ number }}{{ unit }}$', 1)
    );

    create or replace macro silver.read_band(parts) as case
        when parts.below != '' then struct_pack(low := null::decimal(18, 4), high := silver.band_number(parts.below))
        when parts.above != '' then struct_pack(low := silver.band_number(parts.above), high := null::decimal(18, 4))
        when parts.low != ''
            then struct_pack(low := silver.band_number(parts.low), high := silver.band_number(parts.high))
        when parts.single != ''
            then struct_pack(low := silver.band_number(parts.single), high := silver.band_number(parts.single))
    end;

    create or replace macro silver.band_of(text) as silver.read_band(silver.band_parts(lower(trim(text))));
{% endmacro %}
