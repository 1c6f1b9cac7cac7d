{#- Groups of markers: films, music, prizes, products and launches. See term_markers. -#}
{% macro culture_markers() %}
    {{ return([
        ("gross", "METRIC", "title", "doubt", [
            ("opening weekend", "\\bopening (?:weekend|day)\\b"),
        ]),
        ("gross_area", "METRIC", "title", "unknown", [
            ("domestic", "\\bdomestic\\b"),
            ("global", "\\b(?:worldwide|global(?:ly)?)\\b", "doubt"),
        ]),
        ("gross_of", "METRIC", "rules", "unknown", [
            ("domestic", "\\bdomestic(?:ally)? (?:box office|gross\\w*|opening|weekend)"),
            ("global", "\\b(?:worldwide|global) (?:box office|gross\\w*|opening)"),
        ]),
        ("opening_days", "METRIC", "rules", "silent", [
            ("3", "\\b(?:three|3)-day\\b"),
            ("4", "\\b(?:four|4)-day\\b"),
            ("5", "\\b(?:five|5)-day\\b"),
        ]),
        ("score", "METRIC", "title", "unknown", [
            ("rotten tomatoes", "\\brotten tomatoes\\b|\\btomatometer\\b"),
            ("audience score", "\\baudience score\\b|\\bpopcornmeter\\b", "doubt"),
            ("metacritic", "\\bmetacritic\\b"),
        ]),
        ("style_control", "METRIC", "rules", "silent", [
            ("on", "\\bstyle control (?:is )?(?:on|enabled|applied)\\b|\\bwith style control\\b(?: [^ro]| on\\b|[.]|$)"),
            ("off", "\\bstyle control (?:is )?(?:off|removed|disabled|unchecked)\\b|\\bwithout style control\\b"),
        ]),
        ("record", "METRIC", "title", "unknown", [
            ("album", "\\balbum"),
            ("song", "\\b(?:song|single|hot 100)\\b"),
        ]),
        ("debut", "METRIC", "title", "doubt", [
            ("debut", "\\bdebut"),
        ]),
        ("role", "METRIC", "title", "unknown", [
            ("actor", "\\bactor\\b"),
            ("actress", "\\bactress\\b"),
            ("supporting", "\\bsupporting\\b", "doubt"),
            ("director", "\\bdirect(?:or|ion|ing)\\b"),
            ("musical", "\\bbest musical\\b"),
            ("play", "\\bbest play\\b"),
            ("song of the year", "\\bsong of the year\\b"),
            ("record of the year", "\\brecord of the year\\b"),
            ("screenplay", "\\bscreenplay\\b"),
            ("costume", "\\bcostume"),
            ("picture", "\\bbest picture\\b"),
            ("animated", "\\banimated\\b", "doubt"),
        ]),
        ("award", "METRIC", "title", "doubt", [
            ("finalist", "\\bfinalists?\\b|\\bshort-?list(?:ed)?\\b"),
            ("nominated", "\\bnominated for\\b|\\b(?:oscar|grammy|emmy|tony|golden globe) nomination"),
        ]),
        ("release", "METRIC", "title", "unknown", [
            ("released", "\\breleas"),
            ("announced", "\\bannounc|\\bunveil"),
        ]),
        ("launch", "METRIC", "title", "unknown", [
            ("launch", "\\blaunch"),
            ("land", "\\bland(?:s|ing|ed)?\\b"),
            ("orbit", "\\borbit"),
        ]),
        ("chart_area", "METRIC", "rules", "silent", [
            ("global", "\\bglobal\\b|\\bworldwide\\b"),
            ("us", "\\b(?:songs|albums|movies|films|shows|chart|top \\d+) (?:\\w+ ){0,2}us\\b|\\bin the us\\b|\\bus (?:netflix|spotify|app store)\\b"),
        ]),
        ("console", "METRIC", "rules", "silent", [
            ("playstation", "\\b(?:ps5|playstation)\\b"),
            ("pc", "\\bpc\\b"),
            ("xbox", "\\bxbox\\b"),
            ("switch", "\\bswitch 2?\\b"),
        ]),
        ("sales_unit", "METRIC", "rules", "silent", [
            ("units", "\\balbum(?:[- ]equivalent)? units\\b"),
            ("pure", "\\bpure (?:album )?sales\\b|\\btraditional album sales\\b"),
        ]),
    ]) }}
{% endmacro %}
