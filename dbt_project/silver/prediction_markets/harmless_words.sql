{{ config(materialized="table") }}

{{ harmless_among(ref("pair_doubts")) }}
