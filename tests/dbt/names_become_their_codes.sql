-- A name that no normalised text has, or that a pattern cannot hold, is never found; a code that is cut as
-- another is, or is a word itself, makes two of them one.
with names as (
    select
        'team_names' as seed,
        league as place,
        name,
        team as code,
        is_full,
    from {{ ref("team_names") }}
    union all
    select
        'party_names' as seed,
        country as place,
        name,
        party as code,
        false as is_full,
    from {{ ref("party_names") }}
),

codes as (
    select distinct
        code,
        silver.word_stem(code) as stem,
    from names
),

vocabulary as (
    select map(list(word), list(canonical)) as canonical_words,
    from {{ ref("word_aliases") }}
)

select
    'not as normalised text' as problem,
    concat_ws(', ', seed, place, name) as subject,
from names
where trim(silver.normalised_text(name)) != name
union all
select
    'a sign that means something in a pattern, or no letter or digit at an end' as problem,
    concat_ws(', ', seed, place, name) as subject,
from names
where regexp_matches(name, '[()\[\]{}+?*|^$\\]') or not regexp_full_match(name, '[a-z0-9](.*[a-z0-9])?')
union all
select
    'a code is letters only, and no word' as problem,
    code as subject,
from codes
where
    not regexp_full_match(code, '[a-z]{4,}')
    or code in (select name from names)
    or code in (select word from {{ ref("word_aliases") }})
union all
select
    'codes with one stem' as problem,
    string_agg(code, ', ' order by code) as subject,
from codes
group by stem
having count(*) > 1
union all
select
    'a full name of two teams' as problem,
    name as subject,
from names
where seed = 'team_names'
group by name
having bool_or(is_full) and count(distinct code) > 1
union all
select distinct
    'not as telling words leave the country' as problem,
    names.place as subject,
from names
cross join vocabulary
where names.seed = 'party_names' and silver.telling_words(names.place, canonical_words) != [names.place]
