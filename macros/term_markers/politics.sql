{#- Groups of markers: offices, elections, laws, courts and war. See term_markers. -#}
{% macro politics_markers() %}
    {{ return([
        ("office", "METRIC", "title", "unknown", [
            ("treasurer", "\\btreasurer\\b"),
            ("county executive", "\\bcounty executive\\b"),
            ("attorney general", "\\battorney general\\b"),
            ("solicitor general", "\\bsolicitor general\\b"),
            ("state legislature", "\\bstate (?:senat\\w+|house|assembly\\w*|representative|legislat\\w+|delegate)\\b", "doubt"),
            ("secretary of state", "\\bsecretary of state\\b"),
            ("comptroller", "\\bcomptroller\\b"),
            ("auditor", "\\bauditor\\b"),
            ("sheriff", "\\bsheriff\\b"),
            ("lieutenant governor", "\\blieutenant governor\\b"),
        ]),
        ("deputy", "SUBJECT", "title", "doubt", [
            ("second", "\\b(?:deputy|vice|assistant|lieutenant|associate)[- ](?:mayor|governor|premier|chancell?or|minister|primeminister|speaker|leader|chair\\w*|secretary|director|commissioner|attorney|sheriff)\\b"),
        ]),
        ("interim", "METRIC", "asked", "doubt", [
            ("acting", "\\bacting\\b"),
            ("interim", "\\binterim\\b"),
        ]),
        ("recognition", "METRIC", "title", "doubt", [
            ("recognition", "\\brecogni[sz]|\\baccepts? .{1,60} as (?:the )?(?:head|leader|president|government)\\b"),
        ]),
        ("contest", "METRIC", "title", "unknown", [
            ("nomination", "\\bnominee\\b|\\bnomination\\b|\\bnominate[ds]?\\b"),
            ("primary", "\\bprimary\\b|\\bprimaries\\b|\\bcaucus"),
            ("general election", "\\bgeneral election\\b|\\bwin the (?:(?:20\\d\\d|next|us) )*(?:presidency|president\\w* election)\\b|\\bwins? the (?:20\\d\\d )?(?:\\w+ ){0,3}(?:senate|house|governor\\w*|gubernatorial|congressional) (?:election|race|seat)\\b|\\bwin the (?:20\\d\\d )?(?:us )?president\\w*(?: election)?\\b|\\belected president\\b"),
        ]),
        ("vote", "METRIC", "asked", "doubt", [
            ("popular vote", "\\bpopular vote\\b"),
            ("electoral college", "\\belectoral (?:college|votes?)\\b"),
        ]),
        ("ballot", "METRIC", "asked", "doubt", [
            ("special election", "\\bspecial election\\b|\\bby-?election\\b"),
            ("primary", "\\b(?:republican|democratic|gop|party|presidential|senate|house|governor|mayoral|closed|open|jungle|partisan) primary\\b|\\bprimary (?:election|race|vote|of)\\b|\\bprimaries\\b"),
            ("first round", "\\b(?:1st|first) round\\b"),
        ]),
        ("pending", "METRIC", "asked", "doubt", [
            ("pending", "\\bpending\\b"),
        ]),
        ("seats", "METRIC", "rules", "doubt", [
            ("most seats", "\\b(?:most|(?:largest|greatest|highest) number of|plurality of) (?:\\w+ )?seats\\b|\\blargest party\\b|\\bmore seats than any\\b"),
        ]),
        ("chamber", "METRIC", "title", "unknown", [
            ("house", "\\bhouse of representatives\\b|\\bthe (?:us )?house\\b|\\bhouse (?:seats?|majority|control|race|district)\\b"),
            ("senate", "\\bsenate\\b|\\bsenator\\b", "doubt"),
            ("governor", "\\bgovernor", "doubt"),
            ("mayor", "\\bmayor", "doubt"),
        ]),
        ("party", "SUBJECT", "title", "unknown", [
            ("democratic", "\\bdemocrat(?:s|ic)?\\b"),
            ("republican", "\\brepublicans?\\b|\\bgop\\b"),
        ]),
        ("control", "METRIC", "title", "doubt", [
            ("control", "\\b(?:\\w*[^s]|democrats|republicans|of|party|parties|us) control\\b|\\bcontrols\\b|\\bmajority\\b"),
        ]),
        ("ticket", "METRIC", "asked", "doubt", [
            ("vice president", "\\bvice president\\w*\\b|\\brunning mate\\b|\\bvp\\b"),
        ]),
        ("slate", "METRIC", "title", "doubt", [
            ("ticket", "\\bticket\\b"),
            ("matchup", "\\bnominees\\b|\\bmatch-?up\\b"),
            ("candidacy", "\\bruns? for\\b|\\bannounce .{0,30}candidacy\\b"),
        ]),
        ("leaning", "METRIC", "title", "doubt", [
            ("in favour of", "\\bin favou?r of (?:a )?(?:lower|higher|larger|smaller|no|cutting|hiking|raising|holding)"),
        ]),
        ("step", "METRIC", "title", "unknown", [
            ("sworn in", "\\bsworn in\\b|\\binaugurat", "doubt"),
            ("confirmed", "\\bconfirm(?:ed|s)?\\b", "doubt"),
            ("called", "\\b(?:projected|called by|is called|be called)\\b", "doubt"),
            ("nominated", "\\bnominate[ds]?\\b", "doubt"),
            ("formally accused", "\\b(?:charged|indicted|indictment)\\b", "doubt"),
            ("convicted", "\\b(?:convicted|found guilty)\\b", "doubt"),
            ("sentenced", "\\bsentenced\\b", "doubt"),
            ("arrested", "\\barrest", "doubt"),
            ("impeached", "\\bimpeach", "doubt"),
        ]),
        ("act", "METRIC", "asked", "unknown", [
            ("announced", "\\bannounces?\\b|\\b(?:publicly )?(?:says?|states?) that\\b"),
            ("filed", "\\b(?:files|filed|filing)\\b|\\b(?:registers?|registered) (?:as|with)\\b", "doubt"),
            ("proposed", "\\bpropos(?:es|ed|al)\\b|\\b(?:is|are|be) introduced\\b|\\bintroduces\\b|\\btabled\\b", "doubt"),
            ("sued", "\\bsu(?:es|ed)\\b|\\blawsuits?\\b", "doubt"),
            ("agreed", "\\bdefinitive agreement\\b|\\bagreement to (?:acquire|be acquired|buy|sell|merge)\\b", "doubt"),
            ("signed", "\\bsign(?:s|ed) (?:an?|the)\\b", "doubt"),
            ("recommended", "\\brecommend(?:s|ed)\\b", "doubt"),
            ("authorised", "\\bauthori[sz](?:es?|ed)\\b", "doubt"),
            ("called", "\\b(?:is|are|be|been) (?:called|scheduled)\\b"),
            ("in effect", "\\btakes? effect(?: [^l]|[^ ]|$)|\\binto (?:effect|force)\\b|\\bin (?:effect|force) (?:at|on|as of|after|following)\\b|\\bimplement(?:s|ed)\\b|\\bbecomes? law\\b|\\benacted\\b"),
            ("completed", "\\bcomplet(?:es|ed|ion)\\b|\\bconsummat\\w*|\\bfinali[sz](?:es|ed)\\b"),
            ("held", "\\btakes place\\b|\\b(?:is|are) held\\b|\\bbegins?\\b"),
            ("available", "\\bavailable\\b|\\bon sale\\b"),
            ("passed", "\\bpass(?:es|ed) (?:by )?(?:both|the)\\b"),
            ("received", "\\b(?:senate|congress|court) receives\\b|\\bsent to\\b"),
            ("warrant", "\\bwarrant\\b", "doubt"),
            ("invited", "\\binvites\\b|\\b(?:is|are|be|been|was) invited\\b", "doubt"),
            ("in committee", "\\bout of (?:a |the )?\\w* ?committee\\b", "doubt"),
            ("framework", "\\bframework\\b", "doubt"),
            ("agrees", "\\bagree(?:s|d)? (?:to|on|upon) (?:an? |the )?(?:\\w+ )?(?:ceasefire|truce|armistice)\\b"),
        ]),
        ("announced", "ANNOUNCEMENT", "title", "doubt", [
            ("announced", "\\bannounc"),
        ]),
        ("departure", "METRIC", "title", "doubt", [
            ("resign", "\\bresign"),
            ("fired", "\\b(?:fired|fires|dismiss)"),
            ("die", "\\b(?:die|dies|death)\\b"),
        ]),
        ("encounter", "METRIC", "asked", "doubt", [
            ("in person", "\\bin person\\b|\\bface[- ]to[- ]face\\b"),
        ]),
        ("visit", "METRIC", "title", "doubt", [
            ("meet", "\\bmeets?\\b|\\bmeeting (?:with|between)\\b"),
            ("visit", "\\bvisit|\\btravels? to\\b"),
            ("call", "\\b(?:phone )?calls?\\b|\\btalks? to\\b|\\bspeaks? (?:to|with)\\b"),
        ]),
        ("military", "METRIC", "title", "unknown", [
            ("strike", "\\b(?:air)?strikes?\\b|\\bbomb"),
            ("invasion", "\\binva(?:de|sion)"),
            ("war", "\\bdeclare war\\b|\\bdeclaration of war\\b"),
            ("troops", "\\bground troops\\b|\\bboots on the ground\\b"),
            ("military action", "\\bmilitary action\\b"),
        ]),
        ("of_state", "METRIC", "asked", "doubt", [
            ("state visit", "\\bstate visits?\\b"),
        ]),
        ("advance", "METRIC", "title", "doubt", [
            ("enter", "\\benters?\\b"),
            ("capture", "\\b(?:captur|seiz|occup)(?:e|es|ed|ing|y|ies|ied)\\b"),
        ]),
        ("peace", "METRIC", "title", "unknown", [
            ("ceasefire", "\\bceasefire\\b|\\bcease-fire\\b|\\btruce\\b"),
            ("peace deal", "\\bpeace (?:deal|agreement|treaty)\\b"),
        ]),
        ("court", "METRIC", "title", "unknown", [
            ("hear", "\\breconsider|\\breviews?\\b|\\bhears?\\b|\\btakes? up\\b|\\bgrants? cert"),
            ("rule", "\\brules?\\b|\\bstrikes? down\\b|\\boverturns?\\b|\\bupholds?\\b"),
        ]),
        ("case_kind", "METRIC", "asked", "doubt", [
            ("probable", "\\bprobable\\b"),
        ]),
        ("bill", "METRIC", "title", "unknown", [
            ("pass chamber", "\\b(?:house|senate)(?: votes?(?: to)?)? pass|\\b(?:house|senate) votes?\\b|\\bpass(?:es|ed)? (?:the )?(?:us )?(?:house|senate)\\b", "doubt"),
            ("become law", "\\b(?:become|becomes|signed into|be) law\\b|\\benacted\\b"),
        ]),
        ("signature", "METRIC", "asked", "doubt", [
            ("of the president", "\\bsigned into law by (?:the )?president\\b|\\b(?:trump|president) signs into law\\b"),
        ]),
        ("effect", "METRIC", "rules", "unknown", [
            ("in office", "\\b(?:sworn in|takes? office|tak(?:es?|en) the oath|assumes? (?:the )?office|(?:is|are|be) inaugurated)\\b"),
            ("called by press", "\\bcall(?:s|ed)? the [^.]{0,60}\\b(?:election|race)\\b|\\b(?:projected|call(?:ed|s)? (?:by|the race)|media projections?)\\b"),
            ("certified", "\\bcertified\\b"),
        ]),
    ]) }}
{% endmacro %}
