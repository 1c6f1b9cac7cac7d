-- What only the judge calls equal is for a person to read: a model may have been talked round.
select opportunities.*
from {{ ref("arbitrage_opportunities") }} as opportunities
inner join {{ ref("market_similarities") }} as similarities on opportunities.pair_id = similarities.pair_id
where similarities.judge_effect = 'raised' and opportunities.status = 'active'
