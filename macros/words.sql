{#- From a title to the words that carry its meaning.

    silver.normalised_text(text)     lower case, plain letters, signs as words:
                                     "U.S. CPI ≥ 3.0%" is "us cpi at least 3.0%"
    silver.with_digits(text)         the text with "two or more" as "2 or more"
    silver.telling_words(text, map)  the words in order: function words out, aliases resolved by the
                                     map, inflection cut ("recognizes" and "recognize" are one word)
    silver.names_with_endings(text)  the capitalised words whose ending telling_words cuts
    silver.word_key(words)           a set of words as one comparable text
    silver.with_codes(text, names)   the text with each team's and party's name replaced by its code
    silver.names(text)               the capitalised words
    silver.topic_words(...)          the telling words of the topic alone
    silver.common_words(text, map)   the telling words that are no names
    silver.is_placeholder(...)       the side is no real one yet ("Person B", "Other") -#}
{% macro create_word_functions() %}
    {#- Letters that are no accented ones: Støre, Łukasz. -#}
    create or replace macro silver.plain_letters(text) as
        replace(replace(replace(translate(strip_accents(text), 'øØłŁđĐðÐı', 'oOlLdDdDi'), 'æ', 'ae'), 'Æ', 'Ae'), 'ß', 'ss');

    {#- What capitals alone tell: "Group A" is a name, "a group" has an article; LA is a city. -#}
    create or replace macro silver.with_capitals_told(text) as
        regexp_replace(
            -- "St. Louis", but not "Ohio St."
            regexp_replace(
                regexp_replace(text, '\bLA\b', 'Los Angeles', 'g'),
                '(^|vs\.? |at |[(,:] |[A-Z]{2,} )St\.? ([A-Z])', '\1Saint \2', 'g'
            ),
            '([A-Za-z]) A\b([^.]|$)', '\1 letterA\2', 'g'
        );

    {%- set counted = "(?:overall )?(?:pick|round|place|half|quarter|set|period|inning|seed|time|term)" %}
    {%- set steps = [
        ("[’‘`´]", "''"),
        ("\\b(?:letter)?a''s\\b", "athletics"),
        ("''s\\b", ""),
        ("\\bserie lettera\\b", "serie a"),
        ("\\bwon''t\\b|\\bcan(?:''t|not)\\b|n''t\\b", " not "),
        ("\\bu\\.s\\.a?\\.?|\\bunited states( of america)?\\b|\\busa\\b", "us"),
        ("\\bunited kingdom\\b|\\bu\\.k\\.", "uk"),
        ("\\bbasis points?\\b", "bp"),
        ("\\b(?:a )?quarter[- ](?:of a )?(?:percentage[- ])?point\\b|\\b0?\\.25 percentage points?\\b", "25 bps"),
        ("\\b(?:a )?half[- ](?:a )?(?:percentage[- ])?point\\b|\\b0?\\.50? percentage points?\\b", "50 bps"),
        ("\\bs&p ?500\\b( index)?", "spx"),
        ("\\bnasdaq[- ]?100\\b( index)?", "ndx"),
        ("\\bdow jones( industrial average)?\\b", "djia"),
        ("\\brussell 2000\\b", "rut"),
        ("\\bfederal reserve( board)?\\b|\\bfomc\\b", "fed"),
        ("\\bbank of canada\\b", "boc"),
        ("\\bbank of england\\b", "boe"),
        ("\\bbank of japan\\b", "boj"),
        ("\\beuropean central bank\\b", "ecb"),
        ("\\bswiss national bank\\b", "snb"),
        ("\\breserve bank of australia\\b", "rba"),
        ("\\breserve bank of new zealand\\b", "rbnz"),
        ("\\bpeople''s bank of china\\b", "pboc"),
        ("\\bwest texas intermediate\\b|\\bcrude oil \\(cl\\)", "wti"),
        ("\\bnorwegian central bank\\b", "norges bank"),
        ("\\bdprk\\b", "north korea"),
        ("\\bbitcoin cash\\b", "bch"),
        ("\\bethereum classic\\b", "ethereumclassic"),
        ("\\bnikkei(?: stock average)?(?: ?225)?", "nikkei"),
        ("([<>≥≤] ?\\d+)\"|(\\d)\" ?(\\+|or (?:more|above|less|fewer)|of (?:snow|rain))", "\\1\\2 inches \\3"),
        ("\\bnew york( city)?\\b|\\bnyc\\b", "newyork"),
        ("\\blos angeles\\b", "losangeles"),
        ("\\b(12 )?noon\\b", "12 pm"),
        ("(\\d) ?(?:°|degrees?) ?f(?:ahrenheit)?\\b|(\\d) fahrenheit\\b", "\\1\\2°"),
        ("(\\d) ?(?:°|degrees?) ?c(?:elsius|entigrade)?\\b|(\\d) c(?:elsius)?\\b", "\\1\\2°c"),
        ("(\\d)(bps?)\\b", "\\1 \\2"),
        ("\\bno[- ]confidence\\b", "censure"),
        ("\\beuro ?area\\b", "eurozone"),
        ("#(\\d)|\\bno\\. ?(\\d{1,2})\\b", "number \\1\\2"),
        (">=|≥", " at least "),
        ("<=|≤", " at most "),
        (">", " above "),
        ("<", " below "),
        ("(\\d[kmb]?)\\+", "\\1 or more "),
        ("\\b(?:makes?|leaves?|sees?) no changes? (?:to|in) (?:interest )?rates\\b", "leaves rates unchanged"),
        ("\\bno change\\b|\\b(?:do|does|did|will) not change\\b", "unchanged"),
        ("\\bmarket capitali[sz]ation\\b", "market cap"),
        ("\\bno ((?:fed )?(?:rate )?(?:cuts|hikes) (?:happen|occur))\\b", "0 \\1"),
        ("\\bnot? (?:more|greater|higher) than\\b", "at most"),
        ("\\bnot? (?:fewer|less|lower) than\\b", "at least"),
        ("\\bnot (?:to )?(?:exceed(?:ing)?|surpass(?:ing)?|(?:be |go |get |rise |climb |close |end )?(?:above|over)) ([$€£]?\\d)", "at most \\1"),
        ("\\bnot (?:be |go |get |fall |drop |dip |close |end )?(?:below|under) ([$€£]?\\d)", "at least \\1"),
        ("\\bnot? later than\\b|\\bon or before\\b", "by"),
        ("\\b(creation|issuance) and ((?:january|february|march|april|may|june|july|august|september|october|november|december) \\d)", "\\1 by \\2"),
        ("\\b(as|next|new|be|become|uk|[a-z]+(?:ese|eli|ish|ian|ench|an|ani|aqi)) pm\\b|\\bprime minister\\b", "\\1 primeminister"),
        ("\\bholds? ((?:an? |its |the |their )?(?:\\w+ ){0,2}(?:elections?|referendum|vote|summit|talks|hearing))\\b", "held \\1"),
        ("\\bround (?:1|one)\\b", "first round"),
        ("\\b1st (" ~ counted ~ ")\\b", "first \\1"),
        ("\\b2nd (" ~ counted ~ ")\\b", "second \\1"),
        ("\\b3rd (" ~ counted ~ ")\\b", "third \\1"),
        ("\\bin all([?.,]|$)", "\\1"),
        ("\\binterest (rates?)\\b", "\\1"),
        ("\\beconomy (grows?|expands?|contracts?|shrinks?)\\b|\\beconomic (growth)\\b", "gdp \\1\\2"),
        ("\\bgdp (?:to )?(?:expands?|rises?|increases?)\\b", "gdp grows"),
        ("\\bgdp (?:to )?(?:contracts?|falls?|declines?|decreases?)\\b", "gdp shrinks"),
        ("\\bleav(?:es?|ing) office\\b|\\bout of office\\b|\\bsteps? down\\b", "out"),
        ("\\blong march\\b", "longmarch"),
        ("\\b(inflation|cpi|gdp|economy|index|unemployment|wages?)\\b(.{0,60})\\bmarch quarter\\b", "\\1\\2q1"),
        ("\\b(inflation|cpi|gdp|economy|index|unemployment|wages?)\\b(.{0,60})\\bjune quarter\\b", "\\1\\2q2"),
        ("\\b(inflation|cpi|gdp|economy|index|unemployment|wages?)\\b(.{0,60})\\bseptember quarter\\b", "\\1\\2q3"),
        ("\\b(inflation|cpi|gdp|economy|index|unemployment|wages?)\\b(.{0,60})\\bdecember quarter\\b", "\\1\\2q4"),
        ("\\b(?:us )?food and drug administration\\b", "fda"),
        ("\\bsecurities and exchange commission\\b", "sec"),
        ("\\binternational court of justice\\b", "icj"),
        ("\\binternational criminal court\\b", "icc"),
        ("\\bnational hurricane center\\b", "nhc"),
        ("\\bcenters for disease control(?: and prevention)?\\b", "cdc"),
        ("\\binternational monetary fund\\b", "imf"),
        ("\\beuropean union\\b", "eu"),
        ("\\bunited nations\\b", "un"),
        ("\\bfederal aviation administration\\b", "faa"),
        ("\\bfederal trade commission\\b", "ftc"),
        ("\\beuropean medicines agency\\b", "ema"),
        ("\\b(?:us )?department of justice\\b|\\b(?:us )?justice department\\b", "doj"),
        ("\\bgross domestic product\\b", "gdp"),
        ("\\binitial public offering\\b", "ipo"),
        ("\\bleague of legends\\b", "lol"),
        ("\\bmost valuable player\\b", "mvp"),
        ("\\bh5n1( avian influenza| bird flu)?\\b|\\b(?:avian|bird) (?:flu|influenza)\\b", "birdflu"),
        ("\\bpublic health emergency( of international concern)?\\b|\\bpheic\\b", "pheic"),
        ("\\bindian premier league\\b", "ipl"),
        ("\\bbritish academy film awards\\b", "bafta film awards"),
        ("\\bwomen pro(?:fessional)? basketball\\b|\\bpro(?:fessional)? basketball \\(w\\)", "wnba"),
        ("\\bwnba (?:championship|title)\\b", "wnba championship"),
        ("\\bpro(?:fessional)? football championship\\b", "super bowl"),
        ("\\bpro(?:fessional)? baseball championship\\b", "world series"),
        ("\\bpro(?:fessional)? basketball (?:championship|finals?)\\b|\\bnba (?:title|finals?)\\b", "nba championship"),
        ("\\bpro(?:fessional)? hockey championship\\b", "stanley cup"),
        ("\\b(wins?(?: [\\w-]+){0,3}) stanley cup finals?([?.,]|$| (?:in|by|before) )", "\\1 stanley cup\\2"),
        ("\\bsuper bowl lxi\\b", "2027 super bowl"),
        ("\\bsuper bowl lxii\\b", "2028 super bowl"),
        ("\\bsuper bowl lxiii\\b", "2029 super bowl"),
        ("\\b(?:someone|anyone|anybody|any candidate|any team|any player) other than\\b", "except"),
        ("\\bin (20\\d\\d) or (?:before|earlier|sooner)\\b|\\bin or before (20\\d\\d)\\b", "by the end of \\1\\2"),
        ("\\bmiss(?:es)? (the|out)\\b", "fail \\1"),
        ("\\bbefore the end of ", "by the end of "),
        ("\\bend of (?:q1|the first quarter)\\b", "march 31"),
        ("\\bend of (?:q2|the second quarter)\\b", "june 30"),
        ("\\bend of (?:q3|the third quarter)\\b", "september 30"),
        ("\\bend of (?:q4|the fourth quarter)\\b", "december 31"),
        ("\\bbanks? fail(?:s|ed|ures?)?\\b", "bank collapse"),
        ("\\bhomers\\b", "home runs"),
        ("\\bdraws? ((?:more|fewer|less) than|at least|over|under|above|below)", "attracts \\1"),
        ("\\b(more than|over|at least|less than|under) (?:one )?half of (?:the |all )?((?:valid |total )?votes?)\\b", "\\1 50% of the \\2"),
        ("\\bhalf a (million|billion|trillion)\\b", "0.5 \\1"),
        ("\\b(?:a|one) (thousand|million|billion|trillion)\\b", "1 \\1"),
        ("\\b(?:a|one) dozen\\b", "12"),
        ("\\b(?:goes home|leaves) empty-handed\\b", "wins exactly 0"),
        ("\\b(wins?|gets?|has|have|with|takes?|receives?) (?:zero|no) (awards?|medals?|seats?|nominations?)\\b", "\\1 exactly 0 \\2"),
        ("\\bsingle digits?\\b", "9 or less"),
        ("\\bdouble digits\\b", "10 or more"),
        ("\\btriple digits\\b", "100 or more"),
        ("\\bsub-(\\d)", "under \\1"),
        ("(\\d)[- ]plus\\b", "\\1 or more"),
        ("(\\d) (?:mln|mn)\\b", "\\1 million"),
        ("\\bat least once\\b", "1 or more times"),
        ("\\bat least twice\\b", "2 or more times"),
        ("\\b(\\d+) (times|(?:fed )?(?:rate )?(?:cuts|hikes))\\b", "exactly \\1 \\2"),
        ("\\b(at least|at most|over|under|above|below|than|upto) exactly\\b", "\\1"),
        ("\\bhikes? rates? by 0 ?bps?\\b", "rates unchanged"),
        ("([a-z])\\+", "\\1 plus "),
        ("(^|[\\s(])\\+(\\.?\\d)", "\\1 plus \\2"),
        ("\\b([a-z])\\.([a-z])\\.", "\\1\\2"),
        ("([a-z])#", "\\1 sharp "),
        ("(^|[\\s($€£])[-−–]([$€£]?\\.?\\d)", "\\1 minus \\2"),
        ("([\\d.,]*\\d ?(?:k|m|bn|thousand|million|billion|trillion)) euros?\\b|([\\d.,]*\\d) euros\\b", " eur \\1\\2"),
        ("€", " eur "),
        ("£", " gbp "),
        ("¥", " jpy "),
        ("(^|[^\\d])\\.(\\d)", "\\1 0.\\2"),
        ("\\b20\\d\\d ?[-–/] ?(?:20)?(\\d\\d)([^-–\\d]|$)", "20\\1\\2"),
        ("([a-z]) to ([$€£]?\\d)", "\\1 upto \\2"),
        ("\\b2,0(\\d\\d)([^,\\d]|$)", "020\\1\\2"),
        ("(\\d),(\\d{3})", "\\1\\2"),
        ("(\\d),(\\d{3})", "\\1\\2"),
        ("\\s\\s+|[\\n\\t\\r\\f]", " "),
    ] -%}
    {%- set chain = namespace(sql="lower(silver.with_capitals_told(silver.plain_letters(coalesce(text, ''))))") -%}
    {%- for pattern, replacement in steps -%}
        {%- set chain.sql = "regexp_replace(" ~ chain.sql ~ ", '" ~ pattern ~ "', '" ~ replacement ~ "', 'g')" -%}
    {%- endfor -%}
    create or replace macro silver.normalised_text(text) as {{ chain.sql }};

    {#- Beside a comparison a number in words is one: "two or more", "the top two", "between two and four". And
        "2 seats or more" are "2 or more seats". -#}
    {%- set numbers = ["two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"] -%}
    {%- set chain.sql = "text" -%}
    {%- for number in numbers -%}
        {%- set pattern -%}
            \b(at least|at most|(?:more|less|fewer) than|(?:mini|maxi)mum of|exactly|precisely|over|under|top|between \d+ and) {{ number }}\b|\b{{ number }}((?: [a-z]+){0,2} or (?:more|less|fewer)| and (?:{{ numbers | join("|") }}))\b
        {%- endset -%}
        {%- set chain.sql = "regexp_replace(" ~ chain.sql ~ ", '" ~ pattern ~ "', '\\1 " ~ (loop.index + 1) ~ "\\2', 'g')" -%}
    {%- endfor %}
    create or replace macro silver.with_digits(text) as regexp_replace(
        regexp_replace(
            {{ chain.sql }},
            '(\d(?:%| (?:million|billion|trillion))?) ((?:[a-z]+ ){1,2})or (more|less|fewer)\b', '\1 or \3 \2', 'g'
        ),
        '(\d) or (more|less|fewer) (thousand|million|billion|trillion)\b', '\1 \3 or \2', 'g'
    );

    {#- No negation, comparison or conjunction: "and" is not "or". ("between" goes with two numbers,
        which stay.) -#}
    create or replace macro silver.is_function_word(word) as word in (
        'a', 'an', 'are', 'as', 'at', 'be', 'become', 'between', 'been', 'did', 'do', 'does',
        'has', 'have', 'he', 'her', 'his', 'in', 'is', 'it', 'its', 'of', 'on', 'she', 'that',
        'the', 'their', 'there', 'they', 'this', 'to', 'was', 'were', 'what', 'when', 'which',
        'who', 'will', 'with', 'how', 'many', 'much', 'where', 'why'
    );

    {#- A name whose ending is cut may be another's: "Parks" and "Parkes". -#}
    create or replace macro silver.names_with_endings(text) as list_sort(list_distinct(list_filter(
        list_transform(
            regexp_extract_all(
                replace(silver.plain_letters(text), 'United States', 'US'), '\b[A-Z][a-z]*[a-z](?:ing|ed|es|e|s)\b'
            ),
            lambda name: lower(name)
        ),
        lambda name: len(name) > 3
            and not silver.is_function_word(name)
            and name not in ('before', 'above', 'june')
    )));

    {#- "Denies", "denied" and "deny", "banned" and "ban"; the plural of "series" is the same. -#}
    create or replace macro silver.word_stem(word) as case
        when len(word) <= 3 then word
        -- What is used is not of the US.
        when word in ('used', 'uses', 'using') then 'use'
        when word in ('inning', 'innings') then 'inn'
        when len(word) > 5 and (ends_with(word, 'ies') or ends_with(word, 'ied')) and word not in ('series', 'birdies', 'calories')
            then regexp_replace(regexp_replace(word, '([^aeioukv])ie[sd]$', '\1y'), 'ie[sd]$', 'i')
        else regexp_replace(
            word,
            '(b)b(?:ing|ed)$|(g)g(?:ing|ed)$|(m)m(?:ing|ed)$|(n)n(?:ing|ed)$|(p)p(?:ing|ed)$|(r)r(?:ing|ed)$|(t)t(?:ing|ed)$'
            || '|(?:ing|ed|es|e|s)$', '\1\2\3\4\5\6\7'
        )
    end;

    create or replace macro silver.telling_words(text, aliases) as list_transform(
        list_filter(
            regexp_extract_all(text, '\d+(?:\.\d+)?|%|[a-z]+'),
            lambda word: not silver.is_function_word(word)
        ),
        lambda word: coalesce(
            aliases[word],
            case when contains(word, '.') then rtrim(rtrim(word, '0'), '.') else silver.word_stem(word) end
        )
    );

    {#- Each name is a text "name=code"; the longest come first. -#}
    create or replace macro silver.with_codes(text, names) as list_reduce(
        names,
        lambda said, name: regexp_replace(
            said, '\b' || split_part(name, '=', 1) || '\b', split_part(name, '=', 2), 'g'
        ),
        text
    );

    create or replace macro silver.names(text) as array_to_string(
        regexp_extract_all(silver.plain_letters(coalesce(text, '')), '\b(?:[A-Z]|[a-z]{1,6}[A-Z])[\w''’.&-]*'), ' '
    );

    {#- What a text writes small, and nowhere large within a sentence, is nobody's name: "convicted", "overtime". Of
        "Mark Green" both words are large; a link is all small. -#}
    create or replace macro silver.without_links(text) as
        regexp_replace(silver.plain_letters(text), 'https?://\S+|www\.\S+', ' ', 'g');

    create or replace macro silver.common_words(text, aliases) as list_filter(
        list_sort(list_distinct(silver.telling_words(
            array_to_string(regexp_extract_all(silver.without_links(text), '\b[a-z]{3,}\b'), ' '), aliases
        ))),
        lambda word: not list_contains(
            silver.telling_words(
                lower(array_to_string(
                    regexp_extract_all(silver.without_links(text), '[a-z,"“(] "?“?((?:[A-Z][A-Za-z]+[ -]?)+)', 1), ' '
                )), aliases
            ), word
        )
    );

    {#- What is left when dates, hours, amounts and comparisons are taken out. -#}
    create or replace macro silver.topic_words(text, amount_mention, aliases) as list_filter(
        silver.telling_words(replace(silver.countable(text), amount_mention, ' '), aliases),
        lambda word: not regexp_matches(word, '^\d') and not list_contains({{ comparison_words() }} || ['yes', 'no', 'or', 'and', 'befor', 'by', 'from', 'for', 'et', 'if', 'any', 'after', 'than', 'upto', 'million', 'billion', 'trillion'], word)
    );

    {#- "Anyone other than Lai" is no placeholder: the side that it leaves out is a real one. -#}
    create or replace macro silver.is_placeholder(title, subtitle) as
        not regexp_matches(lower(title), '\bother than\b|\bexcept\b')
        and (
            regexp_matches(
                -- "To merge with another airline" is told of somebody.
                regexp_replace(concat_ws(' ', lower(subtitle), lower(title)), '\bwith another\b', '', 'g'),
                '\bplaceholder\b|\b(person|player|team|candidate|option) [a-z0-9]\b'
                || '|\b(another|any other|some other|someone else)\b'
            )
            or coalesce(lower(trim(subtitle)) in ('other', 'others', 'another', 'field', 'any other'), false)
        );

    create or replace macro silver.word_key(words) as array_to_string(list_sort(list_distinct(words)), ' ');
{% endmacro %}
