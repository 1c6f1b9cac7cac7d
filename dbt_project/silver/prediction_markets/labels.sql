-- Our own labels, and those of a file that marketfinder evaluate was given, which speak of live listings.
with own as (
    select
        pair_id as label_id,
        'labelled' as universe,
        'labelled:' || kalshi_market_id as kalshi_market_id,
        'labelled:' || polymarket_market_id as polymarket_market_id,
        event_group,
        contract_class,
        trap,
        relation,
        orientation,
        fungibility,
        split,
        wording,
        note,
    from {{ ref("labelled_pairs") }}
),

{% if var("labels_file") -%}
given as (
    select
        kalshi_market_id || '|' || polymarket_market_id as label_id,
        'live' as universe,
        *,
    from read_csv('{{ var("labels_file") | replace("'", "''") }}', header = true, all_varchar = true, nullstr = '')
),

{% endif -%}
labels as (
    select * from own
    {% if var("labels_file") -%}
    union all by name
    select * from given
    {%- endif %}
)

select
    *,
    kalshi_market_id || '|' || polymarket_market_id as pair_id,
    -- Another index or clock is another contract, and no lock.
    relation = 'equal' and coalesce(fungibility, 'clean') != 'correlated' as is_same_contract,
    relation = 'equal' and coalesce(fungibility, 'clean') = 'clean' as is_clean,
from labels
