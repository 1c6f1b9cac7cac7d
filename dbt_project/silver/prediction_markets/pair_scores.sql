{{ config(materialized="view") }}

select
    pair_id,
    topic_similarity as score,
    cast(null as double) as threshold,
from {{ ref("pair_features") }}
