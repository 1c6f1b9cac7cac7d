{#- Groups of markers: the economy, prices, companies and the weather. See term_markers. -#}
{% macro figures_markers() %}
    {{ return([
        ("kind_of_year", "METRIC", "asked", "unknown", [
            ("fiscal", "\\bfiscal\\b", "doubt"),
            ("calendar", "\\bcalendar (?:year|quarter)\\b"),
        ]),
        ("zone", "INSTANT", "rules", "silent", [
            ("eastern", "\\b(?:et|est|edt)\\b|\\beastern time\\b"),
            ("local", "\\blocal (?:time|date)\\b|\\b(?:tehran|iran|israel|jerusalem|kyiv|moscow|beijing|london|paris|tokyo|delhi|seoul|taipei) (?:standard )?time\\b"),
            ("utc", "\\butc\\b|\\bgmt\\b"),
        ]),
        ("central_bank", "SUBJECT", "title", "unknown", [
            ("fed", "\\bfed\\b"),
            ("ecb", "\\becb\\b"),
            ("boe", "\\bboe\\b"),
            ("boj", "\\bboj\\b"),
            ("boc", "\\bboc\\b"),
            ("rba", "\\brba\\b"),
            ("rbnz", "\\b(?:rbnz|reserve bank of new zealand)\\b"),
            ("snb", "\\bsnb\\b"),
            ("riksbank", "\\briksbank\\b"),
            ("norges bank", "\\bnorges bank\\b"),
            ("banxico", "\\b(?:banxico|bank of mexico)\\b"),
            ("copom", "\\b(?:copom|central bank of brazil|banco central do brasil)\\b"),
            ("rbi", "\\b(?:rbi|reserve bank of india)\\b"),
            ("pboc", "\\b(?:pboc|people'?s bank of china)\\b"),
            ("bok", "\\b(?:bok|bank of korea)\\b"),
            ("cbrt", "\\b(?:cbrt|central bank of turk\\w+|turkish central bank)\\b"),
        ]),
        ("direction", "METRIC", "title", "unknown", [
            ("cut", "\\b(?:cuts?|decreases?|lowers|reduces?)\\b"),
            ("hike", "\\b(?:hikes?|increases?|raises?)\\b"),
            ("hold", "\\b(?:hold|holds|maintains?|no change|unchanged|pause)\\b"),
        ]),
        ("policy_rate", "METRIC", "rules", "silent", [
            ("refinancing", "\\bmain refinancing\\b"),
            ("deposit", "\\bdeposit (?:facility|rate)\\b"),
            ("overnight lending", "\\bovernight lending\\b"),
            ("repo", "\\bone-week repo\\b"),
            ("marginal", "\\bmarginal lending\\b"),
        ]),
        ("cuts_counted", "COUNT", "rules", "silent", [
            ("meetings", "\\bat (?:exactly |least |more than )?\\d+ meetings\\b|\\bwhatever its size\\b"),
            ("quarter points", "\\bcuts? of 25 (?:basis|bp)|\\b50 (?:basis points|bps) (?:\\w+ ){0,3}(?:2|two) cuts\\b|\\bcount as (?:2|two) cuts\\b"),
        ]),
        ("bound", "METRIC", "rules", "silent", [
            ("upper", "\\bupper (?:bound|limit)\\b"),
            ("lower", "\\blower (?:bound|limit)\\b"),
            ("midpoint", "\\bmid-?point\\b"),
        ]),
        ("core", "METRIC", "asked", "doubt", [
            ("core", "\\bcore\\b"),
            ("cpih", "\\bcpih\\b"),
        ]),
        ("base", "METRIC", "title", "unknown", [
            ("month over month", "\\bm/m\\b|\\bmom\\b|\\bmonth[- ](?:over|on)[- ]month\\b|\\bmonthly\\b|\\bfrom (?:the )?(?:previous|prior) month\\b"),
            ("year over year", "\\by/y\\b|\\byoy\\b|\\byear[- ](?:over|on)[- ]year\\b|(?:^|[^htd] )annual(?:ly)?\\b|\\b12[- ]month", "doubt"),
        ]),
        ("asked_base", "METRIC", "asked", "unknown", [
            ("month over month", "\\bm/m\\b|\\bmom\\b|\\bmonth[- ](?:over|on)[- ]month\\b|\\b(?:from|than|over) (?:the |in the |that of the )?(?:previous|prior) month\\b|\\bthe month before\\b"),
            ("year over year", "\\by/y\\b|\\byoy\\b|\\byear[- ](?:over|on)[- ]year\\b|\\b(?:12|twelve)[- ]months?\\b|\\bannual (?:core |headline )?(?:inflation|rate|change|growth)\\b|\\ba year (?:earlier|before|ago)\\b|\\byear ending\\b|\\bsame month (?:of|in) the previous year\\b"),
        ]),
        ("read_over", "METRIC", "asked", "unknown", [
            ("average", "\\baverage (?:\\w+ ){0,5}(?:for|of|in)\\b|\\bmonthly average\\b|\\bmean of\\b"),
            ("moving average", "\\bmoving average\\b|\\baveraged over (?:\\S+ ){0,3}weeks\\b|\\b\\w+[- ]week average\\b", "doubt"),
            ("whole", "\\btotal (?:\\w+ )?(?:snowfall|rainfall|precipitation)\\b"),
            ("one day", "\\bany (?:single )?(?:calendar )?day\\b|\\bdaily (?:\\w+ ){0,4}extent\\b|\\bsingle (?:calendar )?day\\b"),
        ]),
        ("estimate", "SOURCE", "any", "unknown", [
            ("advance", "\\badvance estimate\\b"),
            ("second", "\\bsecond (?:bea )?estimate\\b"),
            ("third", "\\bthird (?:bea )?estimate\\b"),
        ]),
        ("issue", "SOURCE", "asked", "unknown", [
            ("early", "\\b(?:flash|preliminary|provisional|mid-?month)\\b"),
            ("flash", "\\bflash\\b", "doubt"),
            ("final", "\\bfinal (?:\\w+ ){0,3}(?:index|pmi|reading|estimate|release)\\b|\\bfull month\\b|\\bconfirmed\\b"),
        ]),
        ("adjustment", "METRIC", "rules", "silent", [
            ("adjusted", "(?:^|[^t] )seasonally[- ]adjusted\\b"),
            ("not adjusted", "\\bnot seasonally\\b|\\bunadjusted\\b|\\b(?:before|without) seasonal"),
        ]),
        ("unemployment", "METRIC", "rules", "silent", [
            ("u3", "\\bu-?3\\b"),
            ("u6", "\\bu-?6\\b", "doubt"),
        ]),
        ("employers", "METRIC", "rules", "silent", [
            ("all", "\\btotal (?:nonfarm|payroll)"),
            ("private", "\\bprivate (?:\\w+ )?(?:payroll|employment)"),
        ]),
        ("asked_whom", "METRIC", "rules", "silent", [
            ("adults", "\\badults\\b"),
            ("voters", "\\b(?:registered|likely) (?:\\w+ ){0,2}voters\\b"),
        ]),
        ("homes", "METRIC", "title", "unknown", [
            ("existing", "\\bexisting home"),
            ("new", "\\bnew (?:home|residential)"),
        ]),
        ("home_index", "METRIC", "rules", "silent", [
            ("national", "\\b(?:us )?national home price\\b"),
            ("cities", "\\b\\d+-city\\b"),
        ]),
        ("public_debt", "METRIC", "rules", "silent", [
            ("total", "\\btotal public debt\\b"),
            ("held by the public", "\\bheld by (?:the )?public\\b"),
        ]),
        ("metal", "SUBJECT", "title", "unknown", [
            ("gold", "\\bgold (?:\\S+ ){0,2}(?:settles?|prices?|closes?|futures|above|below|hits?|reach(?:es)?|at)\\b|\\(gc\\)"),
            ("silver", "\\bsilver (?:\\S+ ){0,2}(?:settles?|prices?|closes?|futures|above|below|hits?|reach(?:es)?|at)\\b|\\(si\\)"),
            ("copper", "\\bcopper\\b|\\(hg\\)"),
            ("platinum", "\\bplatinum\\b"),
        ]),
        ("index", "METRIC", "title", "unknown", [
            ("pce", "\\bpce\\b"),
            ("cpi", "\\bcpi\\b|\\bconsumer price|\\b(?:monthly|annual) inflation\\b"),
            ("ppi", "\\bppi\\b|\\bproducer price"),
            ("payrolls", "\\bpayrolls?\\b|\\bjobs (?:added|report)\\b"),
            ("unemployment", "\\bunemployment\\b|\\bjobless rate\\b"),
        ]),
        ("all_time_high", "METRIC", "title", "doubt", [
            ("all-time high", "\\ball[- ]time high\\b|\\bath\\b"),
        ]),
        ("high_low", "METRIC", "title", "unknown", [
            ("highest", "\\b(?:high|highest|maximum|max|hottest)\\b"),
            ("lowest", "\\b(?:low|lowest|minimum|min|coldest)\\b"),
        ]),
        ("output", "METRIC", "title", "unknown", [
            ("deliveries", "\\bdeliver(?:s|y|ies|ed)?\\b"),
            ("production", "\\bproduc(?:es?|ed|tion)\\b"),
        ]),
        ("oil", "METRIC", "rules", "silent", [
            ("futures", "\\bfront[- ]month\\b|\\bactive month\\b"),
            ("physical", "\\bdated brent\\b"),
        ]),
        ("contract_month", "SOURCE", "rules", "unknown", [
            ("front month", "\\bfront[- ]month\\b"),
            ("active month", "\\bactive month\\b|\\bmost active(?:ly traded)? (?:contract|month)\\b|\\bopen interest\\b"),
        ]),
        ("crude", "SOURCE", "any", "unknown", [
            ("wti", "\\bwti\\b"),
            ("brent", "\\bbrent\\b"),
        ]),
        ("spot", "SOURCE", "any", "unknown", [
            ("spot", "\\bspot\\b"),
            ("futures", "\\bfutures\\b"),
        ]),
        ("fix", "METRIC", "rules", "unknown", [
            ("average", "\\b(?:average|averaged|mean) of\\b|\\bsimple average\\b"),
            ("candle", "\\bcandle"),
            ("closing price", "\\bclosing price\\b|\\bclose price\\b|\\bofficial close\\b"),
            ("intraday", "\\bintraday\\b|\\bat any (?:point|time)\\b|\\bany \\S+ ?(?:hour|minute|m|h) candle"),
        ]),
        ("nasdaq", "SUBJECT", "rules", "silent", [
            ("composite", "\\bnasdaq composite\\b|\\bixic\\b"),
            ("100", "\\bnasdaq[- ]100\\b|\\bndx\\b"),
        ]),
        ("yield_of", "SOURCE", "rules", "silent", [
            ("treasury", "\\bpar yield\\b|\\bconstant maturity\\b|\\bh\\.?15\\b"),
            ("cboe", "\\btnx\\b|\\bcboe\\b"),
        ]),
        ("rate_of", "METRIC", "rules", "silent", [
            ("official", "\\bofficial (?:\\w+ ){0,2}(?:rate|exchange)\\b|\\breference rates?\\b"),
            ("parallel", "\\b(?:blue|parallel|black market|informal) (?:dollar|rate|market)"),
            ("market", "\\btrading ?economics\\b|\\btradingview\\b"),
        ]),
        ("hour_after", "METRIC", "rules", "silent", [
            ("hours", "\\b24 hours after\\b"),
            ("clock", "\\b(?:on|of) (?:the )?(?:calendar )?day (?:following|after)\\b|\\b(?:next|following) (?:calendar )?day\\b"),
        ]),
        ("pmi", "SOURCE", "rules", "silent", [
            ("ism", "\\bism\\b"),
            ("s&p", "\\bs&p global\\b|\\bratingdog\\b|\\bcaixin\\b|\\bhcob\\b"),
            ("bureau", "\\bnational bureau of statistics\\b|\\bnbs\\b"),
        ]),
        ("fund", "METRIC", "title", "veto", [
            ("fund", "\\b(?:etf|spy|qqq|gld|uso|ibit)\\b"),
        ]),
        ("market_value", "METRIC", "title", "doubt", [
            ("market cap", "\\bmarket cap"),
        ]),
        ("ipo", "METRIC", "title", "doubt", [
            ("ipo", "\\bipo\\b|\\bgo(?:es)? public\\b|\\bbegins? (?:public )?trading\\b|\\blists? (?:its shares )?on\\b"),
        ]),
        ("shares", "METRIC", "rules", "silent", [
            ("diluted", "\\b(?:fully[- ]diluted|fdv)\\b"),
            ("outstanding", "\\bshares outstanding\\b|\\bcirculating\\b"),
        ]),
        ("earnings_base", "METRIC", "rules", "silent", [
            ("gaap", "(?:^|[^n] )gaap\\b"),
            ("adjusted", "\\bnon[- ]?gaap\\b|\\badjusted (?:diluted )?(?:eps|earnings|ebitda)\\b"),
        ]),
        ("precipitation", "METRIC", "title", "unknown", [
            ("rain", "\\brain"),
            ("snow", "\\bsnow"),
        ]),
    ]) }}
{% endmacro %}
