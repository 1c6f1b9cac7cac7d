{{ config(materialized="table") }}

select
    position,
    name,
    feature_group,
    formula,
    unit,
    source,
    window_seconds,
    null_when,
    data_type,
from {{ ref("feature_definitions") }}
order by position
