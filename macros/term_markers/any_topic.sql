{#- Groups of markers: how often, who announces it, and how it ends when it does not end. See term_markers. -#}
{% macro any_topic_markers() %}
    {{ return([
        ("times", "COUNT", "title", "doubt", [
            ("never", "(?:^|[^\\d.,$])(?:0|zero) [a-z]|\\b(?:0|zero|no) (?:times|mentions?)\\b"),
        ]),
        ("order", "COUNT", "title", "doubt", [
            ("first", "\\bfirst (?:person|member|country|company|team|to|(?:head )?coach)\\b|\\bbe (?:the )?first\\b|\\bfirst race\\b"),
        ]),
        ("either", "SUBJECT", "asked", "doubt", [
            ("either", "\\beither (?:fighter|player)\\b|\\bany (?:\\w+ )?player\\b|\\banyone,? including\\b|\\bwill anyone\\b"),
        ]),
        ("women", "SUBJECT", "asked", "doubt", [
            ("women", "\\bwom[ae]ns?\\b|\\bladies\\b|\\bfemale\\b|\\blpga\\b|\\bwnba\\b|\\bnwsl\\b|\\bwta\\b|\\bcwbb\\b|kxwnba|kxwta|kxncaaw"),
        ]),
        ("schedule", "METRIC", "title", "doubt", [
            ("unscheduled", "\\bunscheduled\\b|\\bemergency (?:meeting|rate)\\b|\\binter-?meeting\\b"),
        ]),
        ("shore", "METRIC", "asked", "doubt", [
            ("on land", "\\bon land\\b"),
        ]),
        ("sinking", "METRIC", "title", "doubt", [
            ("sunk", "\\bs[iau]nks?\\b"),
        ]),
        ("place_of", "METRIC", "title", "doubt", [
            ("outside", "\\boutside (?:of )?the\\b"),
        ]),
        ("territory", "METRIC", "asked", "unknown", [
            ("us", "\\bin the us\\b"),
            ("any country", "\\bin any (?:country|region|market)\\b|\\bworldwide\\b"),
        ]),
        ("naming", "METRIC", "rules", "doubt", [
            ("any name", "\\bany (?:other )?name\\b|\\bwhatever (?:its name|it is called)\\b|\\bhowever (?:it is )?(?:called|named)\\b"),
        ]),
        ("announcing", "ANNOUNCEMENT", "rules", "unknown", [
            ("counts", "\\bannouncement\\b[^.]{0,160}\\bwill (?:immediately )?(?:resolve (?:this market )?to [\"“]?yes|suffice)|\\bannouncement (?:is|are|of .{1,80} is|will be) (?:also )?(?:sufficient|enough|qualif)|\\bannouncement [^.]{0,60}\\b(?:suffices|counts|will count|qualifies)\\b|\\b(?:officially|publicly|formally) announce[sd]?\\b|\\bis announced\\b|\\bannounces? (?:that|they|he|she)\\b|\\bor announces\\b"),
            ("does not count", "\\bannounced\\b.{0,60}\\b(?:do|does|will) not (?:count|qualify)|\\bannouncements?\\b[^.;]{0,60}\\b(?:does|do|is|are|will) not (?:be )?(?:count|qualif|suffic|enough|consider|resolve)"),
        ]),
        ("death", "DEATH_OR_VOID", "rules", "unknown", [
            ("is yes", "\\bdeath included\\b|\\bincluding (?:by |as a result of |because of )?(?:his |her )?death\\b|\\b(?:death|dies|died|deceased|passes away)\\b[^.]{0,120}\\b(?:resolves? (?:to )?[\"“]?yes|will count|counts|qualif|(?:is|are|be) (?:sufficient|enough|included))"),
            ("at last price", "\\b(?:death|dies|died|deceased|passes away)\\b[^.]{0,160}\\b(?:last|fair) (?:\\w+ )?price\\b"),
            ("is no", "\\b(?:death|dies|died|deceased|passes away)\\b[^.]{0,120}\\b(?:resolves? (?:to )?[\"“]?no\\b|not count|not qualif|not (?:sufficient|enough))|\\b(?:other than|except|not) (?:by|for|because of|due to|through)? ?(?:his |her )?death\\b"),
        ]),
        ("tail", "TAIL", "rules", "unknown", [
            ("death", "\\b(?:death|dies|deceased|passes away)\\b"),
            ("half each", "\\b50 ?[-/–] ?50\\b|\\b50% ?/ ?50%|\\bat \\$?0?\\.50?\\b"),
            ("fair price", "\\b(?:fair|last) (?:\\w+ )?price\\b"),
            ("void", "\\b(?:void|refund)"),
            ("postponed", "\\b(?:postponed?|put off|delayed|rescheduled?)\\b"),
            ("cancelled", "\\b(?:cancel(?:l?ed|s)?|called off|abandoned)\\b"),
            ("tie", "\\b(?:tie|ties|tied|draw|dead heat|shared?|joint(?:ly)?)\\b"),
            ("does not play", "\\b(?:withdraws?|scratched|does not (?:play|start|participate|compete)|inactive|retires?|walkover|forfeit\\w*|disqualif\\w*)\\b"),
            ("no figure", "\\b(?:not available|unavailable|not (?:be )?(?:published|released)|publishes no|no (?:figure|data|report|score)|is not released)\\b"),
            ("no figure is no", "\\b(?:not available|unavailable|no (?:figure|data|report))\\b.{0,100}\\bresolves? (?:to )?[\"“]?no\\b"),
            ("revisions", "\\brevis(?:ion|ions|ed)\\b"),
            ("overtime", "\\b(?:overtime|extra time|penalt(?:y|ies) shoot)"),
        ]),
    ]) }}
{% endmacro %}
