"""Names. People, places, companies, titles and teams are invented; assets and cities are real."""

import re
import unicodedata


def words(text: str) -> tuple[str, ...]:
    """The words of a text, with `_` for a blank inside one."""
    return tuple(word.replace("_", " ") for word in text.split())


FIRST_NAMES = words(
    """Mara Tobias Ingrid Callum Yusra Dmitri Rosalind Kenji Amara Leopold Saoirse Matteo Priya
    Anders Zuleika Hector Linnea Omar Beatriz Cormac Ayla Stefan Nadia Gideon Freya Rafael Odette
    Bram Imani Lucien Thandiwe Viktor Elspeth Joaquin Mirela Desmond Halima Soren Paloma Ezra
    Katarina Idris Noemi Alistair Farah Benedikt Chiara Malachi Wren Tomasz Delphine Ravi Astrid
    Jorge Lavinia Emeka Sigrid Pascal Anouk Cyrus"""
)
LAST_NAMES = words(
    """Ellison Varga Holloway Okonjo Brandt Castellan Mirov Ashdown Takeda Quill Lindqvist Marchetti
    Oyelaran Pemberton Rasmussen Sallow Thornbury Ubeda Wexford Yarrow Zelenko Abernathy Bellweather
    Calloway Drummond Esparza Fairbanks Gallagher Haverford Ibarra Jankowski Kestrel Lockridge
    Montclair Nakagawa Ostrander Prentiss Quintero Redfern Stavros Tremaine Underhill Valente
    Whitlock Xanthos Youngblood Zimmer Arkwright Blackwood Corrigan Delacroix Eastman Fitzroy
    Greenway Hartwell Ivanek Jessop Kilbride Lamberti Mortensen Norwood Oakley Pellegrino Rookwood
    Silverton Templeton Umar Vandermeer Winslow Yates Zabrowski Ainsley Bancroft Covington
    Dashwood Emberly Falkner Gainsborough Hathaway Ironside Jardine Kingsley Lathrop Merriweather
    Northcott Orwin Palliser Ravenscroft Sheridan Tolliver Upshaw Vickery Wainwright Yardley Zahn
    Acheson Birch Crane Dunmore Everhart Foxworth Grantham Hollis Inglewood"""
)
# People of altered subjects only: nobody else has these names.
TWIN_LAST_NAMES = words(
    "Harcourt Lindgren Moreau Petrov Sandoval Tanaka Ulrich Villanueva Westbrook Yilmaz"
)

PLACE_STARTS = words(
    """Arden Briar Calder Dun Elder Fern Glen Haver Iron Juniper Kings Lark Maple North Oak Pine
    Quarry Raven Stone Thorn Umber Vale Willow Yarrow Alder Beacon Cedar Drift Ember Frost Gran
    Hazel Iver Jasper Kestrel Lunar Marsh Nettle Orchard Port Queens Ridge Silver Tarn Upland Vesper
    Wester Amber Birch Copper"""
)
PLACE_ENDS = words(
    """vale burg ton field haven ford mere wick stead holm crest brook dale gate ham ley mont port
    ridge shore side stoke thorpe view ville ward water well wood worth bay cliff cross den fall
    grove hollow keep lea march moor"""
)
COMPANY_STARTS = words(
    """Altira Borealis Cinder Dovetail Evergrain Fathom Galvanic Helion Inkwell Juno Kitehawk Lumen
    Meridian Nimbus Obsidian Parallax Quantic Riverstone Solstice Tessera Umbra Vantage Wavelength
    Xylo Yonder Zephyr Anvil Brightwater Catalyst Harborlight"""
)
COMPANY_ENDS = words(
    """Robotics Energy Therapeutics Motors Aerospace Networks Foods Capital Software Materials Labs
    Semiconductors Logistics Health Mobility Genomics Airlines Media Payments Batteries"""
)
TITLE_STARTS = words(
    """Paper Velvet Hollow Crimson Midnight Salt Glass Electric Silent Golden Winter Broken Neon
    Marble Distant Hidden Wild Burning Frozen Secret Northern Tidal Copper Phantom Restless Gentle
    Ancient Lonely Scarlet Emerald"""
)
TITLE_ENDS = words(
    """Comet Orchard Harbor Mirror Garden Engine Lantern River Cathedral Parade Kingdom Compass
    Horizon Thunder Letters Carousel Meridian Sparrow Empire Tide Voyage Chorus Labyrinth Witness
    Machine Promise Island Shadow Monument Echo"""
)
NICKNAMES = words(
    """Falcons Mariners Pioneers Comets Stallions Wolves Foundry Lancers Harriers Ospreys Titans
    Rangers Cyclones Monarchs Bison Voyagers Sentinels Ravens Badgers Thunder Herons Kodiaks
    Scorpions Admirals Gliders Vipers Outlaws Cougars Beacons Miners"""
)
TEAM_CITIES = words(
    "Albuquerque Anchorage Austin Baton_Rouge Birmingham Boise Charlotte Cheyenne Columbus "
    "Des_Moines El_Paso Fresno Hartford Honolulu Jacksonville Knoxville Lexington Louisville "
    "Madison Memphis Mobile Norfolk Omaha Portland Providence Raleigh Richmond Sacramento "
    "Spokane Tulsa"
)
COUNTRIES = words(
    """Canada Mexico Brazil Chile Colombia Peru Norway Sweden Denmark Iceland Poland Hungary Romania
    Switzerland Turkey Israel Egypt Nigeria Kenya Ghana India Indonesia Malaysia Thailand Vietnam
    Philippines Japan Australia Singapore Argentina Uruguay Bulgaria Serbia Albania Georgia Armenia
    Kazakhstan Mongolia Pakistan Jordan Morocco Tunisia Botswana Namibia Zambia Uganda Rwanda
    Mauritius Jamaica Paraguay"""
)
COUNTRY_CODES = words(
    """CAN MEX BRA CHI COL PER NOR SWE DEN ICE POL HUN ROU SUI TUR ISR EGY NGA KEN GHA IND IDN MAS
    THA VIE PHI JPN AUS SGP ARG URU BUL SRB ALB GEO ARM KAZ MGL PAK JOR MAR TUN BOT NAM ZAM UGA RWA
    MRI JAM PAR"""
)


def person(number: int) -> str:
    """The name of a person; no two numbers share a name."""
    first, last = divmod(number, len(LAST_NAMES))
    names = len(FIRST_NAMES)
    full = f"{FIRST_NAMES[(first + last) % names]} {LAST_NAMES[last]}"
    return full if first < names else f"{full} {'I' * (first // names + 1)}"


PLACES, COMPANIES = 2_000, 2_600  # after so many names, a number is added


def place(number: int) -> str:
    """The name of an invented place; no two numbers share a name."""
    again, number = divmod(number, PLACES)
    start, end = divmod(number, len(PLACE_ENDS))
    name = PLACE_STARTS[start] + PLACE_ENDS[end]
    return f"{name} {again + 1}" if again else name


def company(number: int) -> str:
    """The name of an invented company; no two numbers share a name."""
    again, number = divmod(number, COMPANIES)
    start, end = divmod(number, len(COMPANY_ENDS))
    first = COMPANY_STARTS[start] if start < len(COMPANY_STARTS) else place(number % PLACES)
    name = f"{first} {COMPANY_ENDS[end]}"
    return f"{name} {again + 1}" if again else name


def title(number: int) -> str:
    """The title of an invented work; no two numbers share a title."""
    start, end = divmod(number, len(TITLE_ENDS))
    name = f"{TITLE_STARTS[start % len(TITLE_STARTS)]} {TITLE_ENDS[end]}"
    part = start // len(TITLE_STARTS)
    return name if part == 0 else f"{name}: Part {part + 1}"


def initials(name: str) -> str:
    """`MELLI` for `Mara Ellison`: the code a ticker uses for a person."""
    words = [word for word in name.upper().split() if word.isalpha()]
    return "".join(word[0] for word in words[:-1]) + words[-1][:4]


def code(name: str) -> str:
    """The letters and digits of a name, upper case, for a ticker."""
    return re.sub(r"[^A-Z0-9]", "", name.upper())


def slug(text: str) -> str:
    """`will-x-win` for `Will X win?`."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", plain.lower().replace("'", "")).strip("-")
