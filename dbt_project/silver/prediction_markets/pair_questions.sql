-- What can become money first: the pairs whose relation the rules know. Then those most alike of the rest, and those
-- with a veto of which no rule is sure.
with ranked as (
    select
        *,
        row_number() over (
            order by
                relation = 'unclear',
                relation = 'unclear' and pair_id in (select related.pair_id from {{ ref("related_pairs") }} as related),
                score desc,
                pair_id asc
        ) as question_number,
        count(*) filter (relation != 'unclear') over () + {{ var("judged_open_pairs") }} as last_question,
    from {{ ref("ruled_pairs") }} as ruled
    where {{ is_for_judge("ruled") }}
),

texts as (
    select
        texts.market_id,
        texts.event_title,
        texts.title,
        case when texts.event_type = 'binary' then texts.subtitle else texts.outcome_labels[1] end as outcome,
        -- With the mark-up and the line breaks that other models do without: they tell who wrote for whom.
        coalesce(listings.rules_as_sent, texts.description) as rules,
        texts.resolution_source,
        nullif(concat_ws(
            ' ',
            'from ' || terms.window_starts_on,
            'before ' || terms.window_ends_on,
            'at ' || split_part(terms.window_time, ' ', 1)
        ), '') as "window",
        nullif(split_part(terms.window_time, ' ', 2), '') as zone,
    from {{ ref("contract_texts") }} as texts
    inner join {{ ref("contract_terms") }} as terms on texts.market_id = terms.market_id
    left join {{ ref("listings") }} as listings on texts.market_id = listings.market_id
),

questions as (
    select
        ranked.question_number,
        ranked.pair_id,
        ranked.relation as rule_relation,
        ranked.score,
        {% for side in ["kalshi", "polymarket"] -%}
        {{ side }}.event_title as {{ side }}_event_title,
        {{ side }}.title as {{ side }}_title,
        {{ side }}.outcome as {{ side }}_outcome,
        {{ side }}.rules as {{ side }}_rules,
        {{ side }}.resolution_source as {{ side }}_resolution_source,
        {{ side }}."window" as {{ side }}_window,
        {{ side }}.zone as {{ side }}_zone,
        {% endfor -%}
    from ranked
    inner join texts as kalshi on ranked.kalshi_market_id = kalshi.market_id
    inner join texts as polymarket on ranked.polymarket_market_id = polymarket.market_id
    where ranked.question_number <= ranked.last_question
)

select * from questions
