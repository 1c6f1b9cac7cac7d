{{ config(materialized="view") }}

select * exclude (run_number, state)
from {{ ref("order_flow_rows") }}
where run_number = 0
