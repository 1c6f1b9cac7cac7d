{#- What a contract is of: patterns that tell apart listings which share their words.

    Groups of markers, each with
      - the code of the veto that it gives,
      - where it is looked for: in the "title" (with subtitle, event title and series), in what is "asked" (the title
        and the condition of the rules), in the "rules" (with the link to the source), or in "any" of them,
      - what it means when only one side has one: "veto", where silence says otherwise ("first half"
        against the whole game), "doubt", where it may (then the pair is not called equal), or "unknown",
        where silence says nothing. Two sides that both have one, and none in common, are a veto in any
        case; TAIL and DEATH_OR_VOID never are: they make a caveat.
    A pattern that holds a number is a marker with that number: "top 10" is not "top 5". -#}
{% macro term_markers() %}
    {{ return([
        ("period", "PERIOD", "title", "veto", [
            ("half 1", "\\bhalf-?time\\b|\\bat the half\\b|\\b(?:1st|first)[- ]half\\b|\\b1h\\b"),
            ("quarter 1", "\\b(?:1st|first)[- ]quarter\\b|\\bq1\\b"),
            ("set 1", "\\b(?:1st|first)[- ]set\\b|\\bset 1\\b"),
            ("game 1", "\\b(?:1st|first)[- ](?:map|game)\\b|\\b(?:map|game) (?:1|one)\\b"),
            ("inning 1", "\\b(?:1st|first)[- ](?:1 )?innings?\\b"),
            ("period 1", "\\b1p\\b|\\b(?:1st|first)[- ]period\\b|\\bperiod 1\\b"),
            ("half 2", "\\b(?:2nd|second)[- ]half\\b|\\b2h\\b"),
            ("quarter 2", "\\b(?:2nd|second)[- ]quarter\\b|\\bq2\\b"),
            ("set 2", "\\b(?:2nd|second)[- ]set\\b|\\bset 2\\b"),
            ("game 2", "\\b(?:2nd|second)[- ](?:map|game)\\b|\\b(?:map|game) (?:2|two)\\b"),
            ("inning 2", "\\b(?:2nd|second)[- ](?:2 )?innings?\\b"),
            ("period 2", "\\b(?:2nd|second)[- ]period\\b|\\bperiod 2\\b"),
            ("quarter 3", "\\b(?:3rd|third)[- ]quarter\\b|\\bq3\\b"),
            ("set 3", "\\b(?:3rd|third)[- ]set\\b|\\bset 3\\b"),
            ("game 3", "\\b(?:3rd|third)[- ](?:map|game)\\b|\\b(?:map|game) (?:3|three)\\b"),
            ("inning 3", "\\b(?:3rd|third)[- ](?:3 )?innings?\\b"),
            ("period 3", "\\b(?:3rd|third)[- ]period\\b|\\bperiod 3\\b"),
            ("quarter 4", "\\b(?:4th|fourth)[- ]quarter\\b|\\bq4\\b"),
            ("set 4", "\\b(?:4th|fourth)[- ]set\\b|\\bset 4\\b"),
            ("game 4", "\\b(?:4th|fourth)[- ](?:map|game)\\b|\\b(?:map|game) (?:4|four)\\b"),
            ("inning 4", "\\b(?:4th|fourth)[- ](?:4 )?innings?\\b"),
            ("set 5", "\\b(?:5th|fifth)[- ]set\\b|\\bset 5\\b"),
            ("game 5", "\\b(?:5th|fifth)[- ](?:map|game)\\b|\\b(?:map|game) (?:5|five)\\b"),
            ("inning 5", "\\b(?:1st|first|after) (?:5|five) innings?\\b|\\bf5\\b|\\b(?:5th|fifth)[- ](?:5 )?innings?\\b"),
            ("week", "\\bweek \\d+\\b"),
            ("round", "\\bround \\d+\\b"),
        ]),
        ("part_of_season", "PERIOD", "title", "unknown", [
            ("regular season", "\\bregular season\\b"),
            ("playoffs", "\\bplayoffs?\\b|\\bpostseason\\b"),
        ]),
        ("stage", "PERIOD", "title", "veto", [
            ("round of", "\\bround of \\d+\\b"),
            ("first round", "\\b(?:1st|first) round\\b"),
            ("second round", "\\b(?:2nd|second) round\\b|\\brun-?off\\b"),
            ("quarterfinal", "\\bquarter-?finals?\\b"),
            ("semifinal", "\\bsemi-?finals?\\b"),
        ]),
        ("session", "PERIOD", "title", "veto", [
            ("sprint", "\\bsprint\\b"),
            ("pole", "\\bpole\\b|\\bqualifying\\b"),
            ("fastest lap", "\\bfastest lap\\b"),
        ]),
        ("grid", "METRIC", "title", "veto", [
            ("start", "\\bstarts? .{0,60}\\bfrom pole\\b|\\bstarting grid\\b"),
        ]),
        ("overtime", "PERIOD", "rules", "unknown", [
            ("regulation only", "\\b(?:90 minutes|regular time|regulation)\\b"),
            ("overtime counts", "\\b(?:includ\\w+|counts?) (?:any )?(?:overtime|extra time)\\b|\\b(?:overtime|extra time) (?:is included|counts|if played)\\b"),
        ]),
        ("bet_type", "BET_TYPE", "title", "veto", [
            ("spread", "\\bspreads?\\b|\\( ?(?:minus|plus) \\d|\\bwins? by (?:over|more|at least)\\b|\\bcover\\b"),
            ("total", "\\btotal (?:points|goals|runs|games|maps|sets|kills|rounds)\\b|kx\\w*total\\b", "unknown"),
            ("toss", "\\btoss\\b"),
            ("make the cut", "\\b(?:makes?|fail) the cut\\b"),
            ("team total", "\\bteam total\\b"),
            ("both score", "\\bboth teams (?:to )?score\\b|\\bbtts\\b"),
            ("draw", "\\b(?:end in a |a )?draw\\b|\\btie\\b|\\b(?:tied|level) (?:at|after)\\b"),
            ("first scorer", "\\bfirst goal|\\bfirst (?:to score|touchdown|basket)|\\bscores? (?:the )?(?:1st|first)\\b"),
            ("anytime scorer", "\\banytime (?:goal|touchdown)", "unknown"),
            ("exact score", "\\b(?:exact|correct) score\\b"),
            ("completed match", "\\bcompleted match\\b|\\bwill .* be completed\\b"),
            ("first blood", "\\bfirst (?:blood|kill|tower|dragon|baron)\\b"),
            ("corners", "\\bcorners?\\b"),
            ("cards", "\\b(?:yellow|red) cards?\\b"),
            ("win group", "\\bwin (?:the )?group\\b|\\bgroup [a-l] winner\\b|\\bfirst in .*group\\b|\\bgroup winner\\b"),
            ("qualify", "\\bqualif|\\bclinch\\w* .{0,20}playoff|\\badvance\\b|\\b(?:makes?|fail) (?:the )?(?:\\S+ ){0,4}(?:playoffs|postseason|final four)\\b|\\breach(?:es)? (?:the )?(?:\\w+ ){0,3}(?:semi|quarter|finals?\\b|playoffs|knockout)"),
            ("relegated", "\\brelegat|\\bstays? (?:up\\b|in (?:the )?(?:english )?(?:epl|premier league|serie a|bundesliga|ligue 1)\\b)"),
            ("promoted", "\\bpromot(?:ed|ion)\\b"),
            ("series score", "\\b4-[0-3]\\b"),
            ("sweep", "\\bsweep\\b"),
        ]),
        ("method", "METRIC", "title", "veto", [
            ("disqualification", "\\bdq\\b|\\bdisqualification\\b", "doubt"),
            ("knockout", "\\b(?:t?ko|knock-?out)\\b", "unknown"),
            ("submission", "\\bsubmission\\b"),
            ("decision", "\\bby (?:\\w+ )?decision\\b"),
        ]),
        ("top", "COUNT", "title", "veto", [
            ("top", "\\btop \\d+\\b"),
            ("podium", "\\bpodium\\b"),
        ]),
        ("pick", "COUNT", "title", "veto", [
            ("pick 1", "\\b(?:first|1st|number 1)(?: overall)? pick\\b|\\b(?:number 1|first) overall\\b"),
            ("pick 2", "\\b(?:second|2nd|number 2)(?: overall)? pick\\b"),
            ("pick 3", "\\b(?:third|3rd|number 3)(?: overall)? pick\\b"),
        ]),
        ("medal", "COUNT", "title", "doubt", [
            ("any medal", "\\b(?:a|any) medal\\b"),
        ]),
        ("place", "COUNT", "title", "doubt", [
            ("second place", "\\b(?:2nd|second)[- ]place\\b|\\brunner-?up\\b|\\bfinish (?:2nd|second)\\b"),
            ("third place", "\\b(?:3rd|third)[- ]place\\b|\\bfinish (?:3rd|third)\\b"),
            ("last place", "\\blast[- ]place\\b|\\bfinish last\\b"),
        ]),
        ("rank", "COUNT", "title", "veto", [
            ("second", "\\b(?:second|2nd)[- ]\\w+est\\b"),
            ("third", "\\b(?:third|3rd)[- ]\\w+est\\b"),
            ("number", "\\bnumber (?:[2-9]|\\d\\d+)\\b"),
        ]),
        ("times", "COUNT", "title", "doubt", [
            ("never", "(?:^|[^\\d.,$])(?:0|zero) [a-z]|\\b(?:0|zero|no) (?:times|mentions?)\\b"),
        ]),
        ("women", "SUBJECT", "asked", "doubt", [
            ("women", "\\bwom[ae]ns?\\b|\\bwnba\\b|\\bnwsl\\b|\\bwta\\b|\\bcwbb\\b|kxwnba|kxwta|kxncaaw"),
        ]),
        ("ballot", "METRIC", "asked", "doubt", [
            ("special election", "\\bspecial election\\b|\\bby-?election\\b"),
            ("primary", "\\b(?:republican|democratic|gop|party|presidential|senate|house|governor|mayoral|closed|open|jungle|partisan) primary\\b|\\bprimary (?:election|race|vote|of)\\b|\\bprimaries\\b"),
            ("first round", "\\b(?:1st|first) round\\b"),
        ]),
        ("pending", "METRIC", "asked", "doubt", [
            ("pending", "\\bpending\\b"),
        ]),
        ("kind_of_year", "METRIC", "asked", "unknown", [
            ("fiscal", "\\bfiscal\\b", "doubt"),
            ("calendar", "\\bcalendar (?:year|quarter)\\b"),
        ]),
        ("interim", "METRIC", "asked", "doubt", [
            ("acting", "\\bacting\\b"),
            ("interim", "\\binterim\\b"),
        ]),
        ("encounter", "METRIC", "asked", "doubt", [
            ("in person", "\\bin person\\b|\\bface[- ]to[- ]face\\b"),
        ]),
        ("series", "BET_TYPE", "asked", "veto", [
            ("series", "\\bseries (?:winner|against)\\b|\\bwins? (?:the )?series\\b|\\b(?:championship|semi-?finals?|finals?|playoffs?|round) series\\b|\\bbest[- ]of[- ](?:5|7|five|seven) series\\b"),
        ]),
        ("next_round", "BET_TYPE", "asked", "doubt", [
            ("next round", "\\badvances? to the next round\\b"),
        ]),
        ("either", "SUBJECT", "asked", "doubt", [
            ("either", "\\beither (?:fighter|player)\\b|\\bany (?:\\w+ )?player\\b"),
        ]),
        ("order", "COUNT", "title", "doubt", [
            ("first", "\\bfirst (?:person|member|country|company|team|to)\\b|\\bbe first\\b"),
        ]),
        ("league", "LEAGUE", "title", "unknown", [
            ("nba", "\\bnba\\b|\\bpro(?:fessional)? basketball\\b|kxnba"),
            ("wnba", "\\bwnba\\b|kxwnba|\\bwomen pro(?:fessional)? basketball\\b"),
            ("nfl", "\\bnfl\\b|\\bpro(?:fessional)? football\\b|\\bsuper bowl\\b|kxnfl|kxsb\\b"),
            ("college football", "\\bcollege football\\b|\\bcfp\\b|kxncaaf"),
            ("college basketball", "\\bcollege basketball\\b|\\bmarch madness\\b|kxncaam"),
            ("mlb", "\\bmlb\\b|\\bpro(?:fessional)? baseball\\b|\\bworld series\\b|kxmlb"),
            ("nhl", "\\bnhl\\b|\\bpro(?:fessional)? hockey\\b|\\bstanley cup\\b|kxnhl"),
            ("premier league", "\\bpremier league\\b|\\bepl\\b|kxepl"),
            ("la liga", "\\bla liga(?: 1)?\\b|kxlaliga\\b"),
            ("la liga 2", "\\bla liga 2\\b|\\bsegunda\\b|kxlaliga2"),
            ("bundesliga", "\\bbundesliga\\b|kxbundesliga"),
            ("serie a", "\\bserie a\\b|kxseriea"),
            ("serie b", "\\bserie b\\b"),
            ("ligue 1", "\\bligue 1\\b|kxligue1"),
            ("mls", "\\bmls\\b|\\bmajor league soccer\\b|kxmls"),
            ("nwsl", "\\bnwsl\\b|kxnwsl"),
            ("champions league", "\\bchampions league\\b|\\bucl\\b|kxucl"),
            ("europa league", "\\beuropa league\\b|\\buel\\b|kxuel"),
            ("conference league", "\\bconference league\\b"),
            ("fa cup", "\\bfa cup\\b"),
            ("carabao cup", "\\b(?:carabao|efl) cup\\b"),
            ("copa del rey", "\\bcopa del rey\\b"),
            ("world cup", "\\bworld cup\\b"),
            ("club world cup", "\\bclub world cup\\b"),
            ("euro", "\\buefa euro\\b"),
            ("copa america", "\\bcopa america\\b"),
            ("atp", "\\batp\\b|kxatp"),
            ("wta", "\\bwta\\b|kxwta"),
            ("f1", "\\bformula (?:1|one)\\b|\\bf1\\b|kxf1"),
            ("nascar", "\\bnascar\\b"),
            ("indycar", "\\bindy ?car\\b"),
            ("ufc", "\\bufc\\b"),
            ("ipl", "\\bipl\\b"),
        ]),
        ("division", "LEAGUE", "title", "unknown", [
            ("american league", "\\bamerican league\\b|\\bal (?:mvp|cy young|rookie|champion|pennant|winner)\\b"),
            ("national league", "\\bnational league\\b|\\bnl (?:mvp|cy young|rookie|champion|pennant|winner)\\b"),
            ("eastern conference", "\\beastern conference\\b", "doubt"),
            ("western conference", "\\bwestern conference\\b", "doubt"),
            ("afc", "\\b(?:the|wins?) afc\\b|\\bafc (?:champion\\w*|title|winner|conference)\\b", "doubt"),
            ("nfc", "\\bnfc\\b", "doubt"),
            ("division", "\\b(?:al|nl|afc|nfc) (?:east|west|central|north|south)\\b|\\b(?:atlantic|metropolitan|central|pacific|southeast|northwest|southwest) division\\b", "doubt"),
        ]),
        ("sport", "LEAGUE", "any", "unknown", [
            ("basketball", "\\bbasketball\\b|\\bw?nba\\b|\\beuroleague\\b"),
            ("football", "\\b(?:pro|professional|college|american) football\\b|\\bfootball (?:game|league)\\b|\\bnfl\\b"),
            ("baseball", "\\bbaseball\\b|\\bmlb\\b"),
            ("hockey", "\\bhockey\\b|\\bnhl\\b"),
            ("soccer", "\\bsoccer\\b"),
            ("tennis", "\\btennis\\b"),
            ("lacrosse", "\\blacrosse\\b"),
            ("volleyball", "\\bvolleyball\\b"),
            ("rugby", "\\brugby\\b"),
            ("handball", "\\bhandball\\b"),
            ("mma", "\\bmma\\b|\\bufc\\b"),
            ("boxing", "\\bboxing\\b"),
            ("cricket", "\\bcricket\\b|\\bt20\\b|\\bipl\\b"),
        ]),
        ("office", "METRIC", "title", "unknown", [
            ("treasurer", "\\btreasurer\\b"),
            ("county executive", "\\bcounty executive\\b"),
            ("attorney general", "\\battorney general\\b"),
            ("secretary of state", "\\bsecretary of state\\b"),
            ("comptroller", "\\bcomptroller\\b"),
            ("auditor", "\\bauditor\\b"),
            ("sheriff", "\\bsheriff\\b"),
            ("lieutenant governor", "\\blieutenant governor\\b"),
        ]),
        ("sinking", "METRIC", "title", "doubt", [
            ("sunk", "\\bs[iau]nks?\\b"),
        ]),
        ("recognition", "METRIC", "title", "doubt", [
            ("recognition", "\\brecogni[sz]|\\baccepts? .{1,60} as (?:the )?(?:head|leader|president|government)\\b"),
        ]),
        ("tournament", "LEAGUE", "title", "unknown", [
            ("us open", "\\bus open\\b"),
            ("open championship", "\\b(?:the|british) open\\b|\\bopen championship\\b"),
            ("masters", "\\bmasters\\b"),
            ("pga championship", "\\bpga championship\\b"),
            ("australian open", "\\baustralian open\\b"),
            ("french open", "\\bfrench open\\b|\\broland garros\\b"),
            ("wimbledon", "\\bwimbledon\\b"),
        ]),
        ("gender", "LEAGUE", "title", "unknown", [
            ("women", "\\bwomen\\b|\\bwta\\b|\\bwnba\\b|\\bladies\\b"),
            ("men", "\\bmen\\b|\\batp\\b|\\bgentlemen\\b"),
        ]),
        ("age", "LEAGUE", "asked", "veto", [
            ("youth", "\\b(?:youth|juniors|junior (?:world|champion\\w*|hockey|team|tennis|boys|girls)|under-\\d\\d|u-?(?:17|19|20|21|23))\\b"),
        ]),
        ("constructor", "LEAGUE", "title", "veto", [
            ("constructors", "\\bconstructors?\\b"),
        ]),
        ("contest", "METRIC", "title", "unknown", [
            ("nomination", "\\bnominee\\b|\\bnomination\\b|\\bnominate[ds]?\\b"),
            ("primary", "\\bprimary\\b|\\bprimaries\\b|\\bcaucus"),
            ("general election", "\\bgeneral election\\b|\\bwin the (?:20\\d\\d )?(?:us )?president\\w*(?: election)?\\b|\\belected president\\b"),
        ]),
        ("vote", "METRIC", "asked", "doubt", [
            ("popular vote", "\\bpopular vote\\b"),
            ("electoral college", "\\belectoral (?:college|votes?)\\b"),
        ]),
        ("chamber", "METRIC", "title", "unknown", [
            ("house", "\\bhouse of representatives\\b|\\bthe (?:us )?house\\b|\\bhouse (?:seats?|majority|control|race|district)\\b"),
            ("senate", "\\bsenate\\b|\\bsenator\\b"),
            ("governor", "\\bgovernor"),
            ("mayor", "\\bmayor"),
        ]),
        ("party", "SUBJECT", "title", "unknown", [
            ("democratic", "\\bdemocrat(?:s|ic)?\\b"),
            ("republican", "\\brepublicans?\\b|\\bgop\\b"),
        ]),
        ("control", "METRIC", "title", "doubt", [
            ("control", "\\bcontrol\\b|\\bmajority\\b"),
        ]),
        ("ticket", "METRIC", "asked", "doubt", [
            ("vice president", "\\bvice president\\w*\\b|\\brunning mate\\b|\\bvp\\b"),
        ]),
        ("slate", "METRIC", "title", "doubt", [
            ("ticket", "\\bticket\\b"),
            ("matchup", "\\bnominees\\b|\\bmatch-?up\\b"),
            ("candidacy", "\\bruns? for\\b|\\bannounce .{0,30}candidacy\\b"),
        ]),
        ("step", "METRIC", "title", "unknown", [
            ("sworn in", "\\bsworn in\\b|\\binaugurat", "doubt"),
            ("confirmed", "\\bconfirm(?:ed|s)?\\b", "doubt"),
            ("called", "\\b(?:projected|called by|is called|be called)\\b", "doubt"),
            ("nominated", "\\bnominate[ds]?\\b"),
            ("formally accused", "\\b(?:charged|indicted|indictment)\\b", "doubt"),
            ("convicted", "\\b(?:convicted|found guilty)\\b", "doubt"),
            ("sentenced", "\\bsentenced\\b", "doubt"),
            ("arrested", "\\barrest", "doubt"),
            ("impeached", "\\bimpeach", "doubt"),
        ]),
        ("announced", "ANNOUNCEMENT", "title", "doubt", [
            ("announced", "\\bannounc"),
        ]),
        ("departure", "METRIC", "title", "doubt", [
            ("resign", "\\bresign"),
            ("fired", "\\b(?:fired|fires|dismiss)"),
            ("die", "\\b(?:die|dies|death)\\b"),
        ]),
        ("military", "METRIC", "title", "unknown", [
            ("strike", "\\b(?:air)?strikes?\\b|\\bbomb"),
            ("invasion", "\\binva(?:de|sion)"),
            ("war", "\\bdeclare war\\b|\\bdeclaration of war\\b"),
            ("troops", "\\bground troops\\b|\\bboots on the ground\\b"),
            ("military action", "\\bmilitary action\\b"),
        ]),
        ("peace", "METRIC", "title", "unknown", [
            ("ceasefire", "\\bceasefire\\b|\\bcease-fire\\b|\\btruce\\b"),
            ("peace deal", "\\bpeace (?:deal|agreement|treaty)\\b"),
        ]),
        ("visit", "METRIC", "title", "doubt", [
            ("meet", "\\bmeets?\\b|\\bmeeting (?:with|between)\\b"),
            ("visit", "\\bvisit"),
            ("call", "\\b(?:phone )?calls?\\b|\\btalks? to\\b|\\bspeaks? (?:to|with)\\b"),
        ]),
        ("court", "METRIC", "title", "unknown", [
            ("hear", "\\breconsider|\\breviews?\\b|\\bhears?\\b|\\btakes? up\\b|\\bgrants? cert"),
            ("rule", "\\brules?\\b|\\bstrikes? down\\b|\\boverturns?\\b|\\bupholds?\\b"),
        ]),
        ("bill", "METRIC", "title", "unknown", [
            ("pass chamber", "\\b(?:house|senate)(?: votes?(?: to)?)? pass|\\b(?:house|senate) votes?\\b|\\bpass(?:es|ed)? (?:the )?(?:us )?(?:house|senate)\\b", "doubt"),
            ("become law", "\\b(?:become|becomes|signed into|be) law\\b|\\benacted\\b"),
        ]),
        ("direction", "METRIC", "title", "unknown", [
            ("cut", "\\b(?:cuts?|decreases?|lowers|reduces?)\\b"),
            ("hike", "\\b(?:hikes?|increases?|raises?)\\b"),
            ("hold", "\\b(?:hold|holds|maintains?|no change|unchanged|pause)\\b"),
        ]),
        ("core", "METRIC", "asked", "doubt", [
            ("core", "\\bcore\\b"),
        ]),
        ("base", "METRIC", "title", "unknown", [
            ("month over month", "\\bm/m\\b|\\bmom\\b|\\bmonth[- ](?:over|on)[- ]month\\b|\\bmonthly\\b|\\bfrom (?:the )?(?:previous|prior) month\\b"),
            ("year over year", "\\by/y\\b|\\byoy\\b|\\byear[- ](?:over|on)[- ]year\\b|(?:^|[^htd] )annual(?:ly)?\\b|\\b12[- ]month", "doubt"),
        ]),
        ("asked_base", "METRIC", "asked", "unknown", [
            ("month over month", "\\bm/m\\b|\\bmom\\b|\\bmonth[- ](?:over|on)[- ]month\\b|\\bfrom (?:the )?(?:previous|prior) month\\b"),
            ("year over year", "\\by/y\\b|\\byoy\\b|\\byear[- ](?:over|on)[- ]year\\b|\\b12[- ]month|\\bannual (?:core |headline )?(?:inflation|rate|change|growth)\\b"),
        ]),
        ("index", "METRIC", "title", "unknown", [
            ("pce", "\\bpce\\b"),
            ("cpi", "\\bcpi\\b|\\bconsumer price|\\b(?:monthly|annual) inflation\\b"),
            ("ppi", "\\bppi\\b|\\bproducer price"),
            ("payrolls", "\\bpayrolls?\\b|\\bjobs (?:added|report)\\b"),
            ("unemployment", "\\bunemployment\\b|\\bjobless rate\\b"),
        ]),
        ("high_low", "METRIC", "title", "unknown", [
            ("highest", "\\b(?:high|highest|maximum|max|hottest)\\b"),
            ("lowest", "\\b(?:low|lowest|minimum|min|coldest)\\b"),
        ]),
        ("precipitation", "METRIC", "title", "unknown", [
            ("rain", "\\brain"),
            ("snow", "\\bsnow"),
        ]),
        ("gross", "METRIC", "title", "doubt", [
            ("opening weekend", "\\bopening (?:weekend|day)\\b"),
        ]),
        ("gross_area", "METRIC", "title", "unknown", [
            ("domestic", "\\bdomestic\\b"),
            ("global", "\\b(?:worldwide|global(?:ly)?)\\b", "doubt"),
        ]),
        ("score", "METRIC", "title", "unknown", [
            ("rotten tomatoes", "\\brotten tomatoes\\b|\\btomatometer\\b"),
            ("audience score", "\\baudience score\\b|\\bpopcornmeter\\b", "doubt"),
            ("metacritic", "\\bmetacritic\\b"),
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
            ("screenplay", "\\bscreenplay\\b"),
            ("costume", "\\bcostume"),
            ("picture", "\\bbest picture\\b"),
            ("animated", "\\banimated\\b", "doubt"),
        ]),
        ("award", "METRIC", "title", "doubt", [
            ("nominated", "\\bnominated for\\b|\\b(?:oscar|grammy|emmy|tony|golden globe) nomination"),
        ]),
        ("honour", "METRIC", "title", "doubt", [
            ("rookie", "\\brookie\\b"),
            ("defensive", "\\bdefensive\\b"),
            ("offensive", "\\boffensive player\\b"),
            ("coach", "\\bcoach of the year\\b"),
            ("cy young", "\\bcy young\\b"),
            ("finals mvp", "\\bfinals mvp\\b"),
        ]),
        ("statistic", "METRIC", "title", "unknown", [
            ("yards", "\\byards\\b"),
            ("receptions", "\\breceptions\\b"),
            ("touchdowns", "\\btouchdowns?\\b"),
            ("rebounds", "\\brebounds\\b"),
            ("assists", "\\bassists\\b"),
            ("points", "\\bpoints\\b"),
            ("steals", "\\bsteals\\b"),
            ("strikeouts", "\\bstrikeouts\\b"),
            ("hurricanes", "\\bhurricanes?\\b"),
            ("named storms", "\\bnamed (?:\\w+ )?storms?\\b"),
            ("home runs", "\\bhome runs?\\b"),
            ("hits", "\\bhits(?: [^\\d]|\\?|$)"),
            ("total bases", "\\btotal bases\\b"),
            ("threes", "\\bthree[- ]pointers?\\b|\\bthrees\\b|\\b3[- ]?pointers?\\b"),
            ("blocks", "\\bblocks\\b"),
            ("goals", "\\bgoals?\\b|\\bgoalscorer"),
            ("shots", "\\bshots\\b"),
            ("saves", "\\bsaves\\b"),
            ("aces", "\\baces\\b"),
        ]),
        ("yardage", "METRIC", "title", "unknown", [
            ("rushing", "\\brushing\\b"),
            ("receiving", "\\breceiving\\b"),
            ("passing", "\\bpassing\\b"),
        ]),
        ("output", "METRIC", "title", "unknown", [
            ("deliveries", "\\bdeliver(?:s|y|ies|ed)?\\b"),
            ("production", "\\bproduc(?:es?|ed|tion)\\b"),
        ]),
        ("fund", "METRIC", "title", "veto", [
            ("fund", "\\b(?:etf|spy|qqq|gld|uso|ibit)\\b"),
        ]),
        ("market_value", "METRIC", "title", "doubt", [
            ("market cap", "\\bmarket cap"),
        ]),
        ("ipo", "METRIC", "title", "doubt", [
            ("ipo", "\\bipo\\b|\\bgo public\\b"),
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
        ("all_time_high", "METRIC", "title", "doubt", [
            ("all-time high", "\\ball[- ]time high\\b|\\bath\\b"),
        ]),
        ("zone", "INSTANT", "rules", "unknown", [
            ("eastern", "\\b(?:et|est|edt)\\b|\\beastern time\\b"),
            ("local", "\\blocal (?:time|date)\\b|\\b(?:tehran|iran|israel|jerusalem|kyiv|moscow|beijing|london|paris|tokyo|delhi|seoul|taipei) (?:standard )?time\\b"),
            ("utc", "\\butc\\b|\\bgmt\\b"),
        ]),
        ("price_source", "SOURCE", "rules", "unknown", [
            ("cf benchmarks", "\\bcf benchmarks\\b|\\bbrti\\b|\\breal-?time index\\b"),
            ("binance", "\\bbinance\\b"),
            ("coinbase", "\\b(?:on|from|of|by|according to) coinbase\\b|coinbase\\.com"),
            ("chainlink", "\\bchainlink\\b|chain\\.link"),
            ("pyth", "\\bpyth\\b"),
            ("kraken", "\\bkraken\\b"),
            ("coingecko", "\\bcoingecko\\b"),
            ("coinmarketcap", "\\bcoinmarketcap\\b"),
            ("bybit", "\\bbybit\\b"),
            ("okx", "\\bokx\\b"),
            ("bitstamp", "\\bbitstamp\\b"),
            ("gemini", "\\bgemini\\b"),
            ("kucoin", "\\bkucoin\\b"),
            ("cme", "\\bcme\\b"),
            ("bloomberg index", "\\bbloomberg (?:galaxy|index|terminal|price)"),
            ("hyperliquid", "\\bhyperliquid\\b"),
            ("tradingview", "\\btradingview\\b"),
        ]),
        ("weather_source", "SOURCE", "rules", "unknown", [
            ("weather service", "\\bnational weather service\\b|\\bnws\\b|\\bclimatological report\\b|\\bdaily climate report\\b|weather\\.gov"),
            ("weather underground", "\\bwunderground\\b|\\bweather underground\\b"),
            ("accuweather", "\\baccuweather\\b"),
        ]),
        ("gross_source", "SOURCE", "rules", "unknown", [
            ("box office mojo", "\\bbox ?office ?mojo\\b"),
            ("the numbers", "\\bthe-?numbers\\b"),
        ]),
        ("ranking_source", "SOURCE", "rules", "unknown", [
            ("lmarena", "\\blmarena\\b|\\bchatbot arena\\b|\\btext arena\\b"),
            ("livebench", "\\blivebench\\b"),
            ("epoch", "\\bepoch (?:ai|capabilities)\\b"),
        ]),
        ("quote_source", "SOURCE", "rules", "unknown", [
            ("yahoo", "\\byahoo\\b"),
            ("google", "\\bgoogle finance\\b"),
            ("wsj", "\\bwall street journal\\b|\\bwsj\\b"),
            ("investing", "\\binvesting\\.com\\b"),
            ("nymex", "\\bnymex\\b"),
            ("ice", "\\bice (?:futures|brent|endex)\\b"),
            ("lbma", "\\blbma\\b"),
            ("comex", "\\bcomex\\b"),
            ("aaa", "\\baaa\\b"),
            ("eia", "\\beia\\b|energy information administration"),
            ("adp", "\\badp\\b"),
            ("labor statistics", "\\b(?:bureau of labor statistics|bls)\\b"),
            ("fed", "\\bfederal reserve bank of\\b|\\bfred\\b"),
        ]),
        ("estimate", "SOURCE", "any", "unknown", [
            ("advance", "\\badvance estimate\\b"),
            ("second", "\\bsecond (?:bea )?estimate\\b"),
            ("third", "\\bthird (?:bea )?estimate\\b"),
        ]),
        ("crude", "SOURCE", "any", "unknown", [
            ("wti", "\\bwti\\b"),
            ("brent", "\\bbrent\\b"),
        ]),
        ("spot", "SOURCE", "any", "unknown", [
            ("spot", "\\bspot\\b"),
            ("futures", "\\bfutures\\b"),
        ]),
        ("station", "STATION", "rules", "unknown", [
            ("central park", "\\bcentral park\\b|\\bknyc\\b|\\bnyc\\b.{0,40}\\bclinyc\\b"),
            ("laguardia", "\\blaguardia\\b|\\bklga\\b"),
            ("jfk", "\\bkjfk\\b|\\bkennedy (?:international )?airport\\b"),
            ("midway", "\\bmidway\\b|\\bkmdw\\b"),
            ("o'hare", "\\bo'?hare\\b|\\bkord\\b"),
            ("heathrow", "\\bheathrow\\b|\\begll\\b"),
            ("london city", "\\blondon city airport\\b|\\beglc\\b"),
            ("hobby", "\\bhobby\\b|\\bkhou\\b"),
            ("bush", "\\bbush intercontinental\\b|\\bkiah\\b"),
            ("camp mabry", "\\bcamp mabry\\b|\\bkatt\\b"),
            ("bergstrom", "\\bbergstrom\\b|\\bkaus\\b"),
            ("lax", "\\blosangeles (?:international )?airport\\b|\\bklax\\b|\\blax\\b"),
            ("downtown la", "\\bdowntown losangeles\\b|\\bkcqt\\b"),
            ("love field", "\\blove field\\b|\\bkdal\\b"),
            ("dfw", "\\bdfw\\b|\\bkdfw\\b|\\bdallas[/ -]?fort worth\\b"),
            ("denver international", "\\b(?:denver international|kden)\\b"),
            ("centennial", "\\b(?:centennial airport|kapa)\\b"),
            ("miami international", "\\b(?:miami international|kmia)\\b"),
            ("opa-locka", "\\b(?:opa-?locka|kopf)\\b"),
            ("philadelphia international", "\\b(?:philadelphia international|kphl)\\b"),
            ("northeast philadelphia", "\\b(?:northeast philadelphia|kpne)\\b"),
            ("logan", "\\b(?:logan|kbos)\\b"),
            ("sea-tac", "\\b(?:sea-?tac|seattle[- ]tacoma|ksea)\\b"),
            ("boeing field", "\\b(?:boeing field|kbfi)\\b"),
            ("sky harbor", "\\b(?:sky harbor|kphx)\\b"),
            ("msp", "\\b(?:minneapolis[- ]st\\.? paul|kmsp)\\b"),
            ("reagan", "\\b(?:reagan national|kdca)\\b"),
            ("dulles", "\\b(?:dulles|kiad)\\b"),
            ("harry reid", "\\b(?:harry reid|klas)\\b"),
            ("sfo", "\\b(?:san francisco international|ksfo)\\b"),
            ("downtown sf", "\\b(?:san francisco downtown|downtown san francisco)\\b"),
            ("hartsfield", "\\b(?:hartsfield|katl)\\b"),
            ("moisant", "\\b(?:louis armstrong|kmsy)\\b"),
            ("will rogers", "\\b(?:will rogers|kokc)\\b"),
            ("san antonio international", "\\b(?:san antonio international|ksat)\\b"),
            ("gatwick", "\\b(?:gatwick|egkk)\\b"),
            ("city of london", "\\b(?:st james'?s? park)\\b"),
        ]),
        ("fix", "METRIC", "rules", "unknown", [
            ("average", "\\b(?:average|averaged|mean) of\\b|\\bsimple average\\b"),
            ("candle", "\\bcandle"),
            ("closing price", "\\bclosing price\\b|\\bclose price\\b|\\bofficial close\\b"),
            ("intraday", "\\bintraday\\b|\\bat any (?:point|time)\\b"),
        ]),
        ("naming", "METRIC", "rules", "doubt", [
            ("any name", "\\bany (?:other )?name\\b|\\bwhatever (?:its name|it is called)\\b|\\bhowever (?:it is )?(?:called|named)\\b"),
        ]),
        ("announcing", "ANNOUNCEMENT", "rules", "unknown", [
            ("counts", "\\bannouncement\\b[^.]{0,160}\\bwill (?:immediately )?(?:resolve (?:this market )?to [\"“]?yes|suffice)|\\bannouncement (?:is|are|of .{1,80} is|will be) (?:also )?(?:sufficient|enough|qualif)|\\bannouncement .{0,60}\\b(?:suffices|counts|will count|qualifies)\\b|\\b(?:officially|publicly|formally) announce[sd]?\\b|\\bis announced\\b|\\bannounces? (?:that|they|he|she)\\b"),
            ("does not count", "\\bannounced\\b.{0,60}\\b(?:do|does|will) not (?:count|qualify)|\\bannouncements?\\b[^.;]{0,60}\\b(?:does|do|is|are|will) not (?:be )?(?:count|qualif|suffic|enough|consider|resolve)"),
        ]),
        ("effect", "METRIC", "rules", "unknown", [
            ("in office", "\\b(?:sworn in|takes? office|assumes? (?:the )?office|(?:is|are|be) inaugurated)\\b"),
            ("called by press", "\\bcall(?:s|ed)? the [^.]{0,60}\\b(?:election|race)\\b|\\b(?:projected|call(?:ed|s)? (?:by|the race)|media projections?)\\b"),
            ("certified", "\\bcertified\\b"),
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


{#- The markers of a listing, as "group:marker", of the texts in the columns `titles`, `condition`, `rules`. A listing
    has few: a text is first asked for all patterns of a group at once. -#}
{% macro found_markers(titles, condition, rules) -%}
    flatten([
        {%- for group, code, scope, one_sided, markers in term_markers() %}
        {%- set text = {
            "title": titles, "asked": titles ~ " || ' ' || " ~ condition, "rules": rules,
            "any": titles ~ " || ' ' || " ~ rules
        }[scope] %}
        if(regexp_matches({{ text }}, '{{ markers | map(attribute=1) | join("|") | replace("'", "''") }}'), list_filter([
            {%- for marker in markers %}
            {%- set pattern = marker[1] | replace("'", "''") %}
            case when regexp_matches({{ text }}, '{{ pattern }}') then '{{ group }}:{{ marker[0] | replace("'", "''") }}'
                {%- if "\\d+" in pattern %} || ' ' || regexp_extract(regexp_extract({{ text }}, '{{ pattern }}'), '\d+'){% endif %} end{{ "," if not loop.last }}
            {%- endfor %}
        ], lambda marker: marker is not null), []){{ "," if not loop.last }}
        {%- endfor %}
    ])
{%- endmacro %}
