{{ config(materialized="view") }}

select
    run_number,
    unnest(state[1])
from {{ ref("order_flow_rows") }}
where run_number > 0
qualify row_number() over (partition by source, exchange, symbol order by run_number desc) = 1
