-- What is written in two ways is read as the same words, and what only looks alike is not.
with vocabulary as (
    select map(list(word), list(canonical)) as canonical_words,
    from {{ ref("word_aliases") }}
),

spellings as (
    select
        spellings.one,
        spellings.other,
        spellings.is_same,
    from (
        values
        ('denies', 'denied', true),
        ('denies', 'deny', true),
        ('is banned', 'a ban', true),
        ('dropping', 'drops', true),
        ('passes', 'passed', true),
        ('approval', 'approved', true),
        ('Paraguayan presidency', 'president of Paraguay', true),
        ('Jonas Gahr Støre', 'Jonas Gahr Store', true),
        ('Łódź', 'Lodz', true),
        ('League of Legends', 'LoL', true),
        ('member of the European Union', 'an EU member', true),
        ('US Food and Drug Administration', 'the FDA', true),
        ('GDP in the December quarter', 'GDP in Q4', true),
        ('Long March 10', 'longmarch 10', true),
        ('what is used', 'the US', false),
        ('Long March 10', 'Long March 9', false),
        ('the series', 'Serie', true),
        ('1st inning', 'first innings', true)
    ) as spellings (one, other, is_same)
),

read as (
    select
        one,
        other,
        is_same,
        list_sort(silver.telling_words(silver.normalised_text(one), canonical_words)) as one_words,
        list_sort(silver.telling_words(silver.normalised_text(other), canonical_words)) as other_words,
    from spellings
    cross join vocabulary
)

select * from read
where (one_words = other_words) != is_same
union all
select
    'Long March 10 launches' as one,
    'a day of March' as other,
    false as is_same,
    [found.mention for found in silver.date_mentions(silver.normalised_text('Long March 10 launches'))] as one_words,
    [] as other_words,
where len(one_words) > 0
