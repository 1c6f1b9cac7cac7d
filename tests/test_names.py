"""What two venues call a team or a party is one subject, and a false friend is another.

Each line is what Kalshi says and what Polymarket says, in listings that are alike but for that.
"""

from pathlib import Path
from typing import Any

import pytest
from look_alikes import ingest_events, pair_id, payloads
from pipelines import SOWN, ask, build_tables, sow

SAME_TEAMS = [
    ("Serie A", "Inter", "FC Internazionale Milano"),
    ("Champions League", "Atletico", "Club Atlético de Madrid"),
    ("La Liga", "Athletic", "Athletic Club Bilbao"),
    ("La Liga", "Betis", "Real Betis Balompié"),
    ("Bundesliga", "Cologne", "1. FC Köln"),
    ("Bundesliga", "Dortmund", "BV Borussia 09 Dortmund"),
    ("Premier League", "Wolves", "Wolverhampton Wanderers FC"),
    ("Premier League", "Spurs", "Tottenham Hotspur FC"),
    ("Premier League", "Man Utd", "Manchester United FC"),
    ("Premier League", "Everton", "Everton FC"),
    ("Premier League", "Everton", "Everton"),
    ("Ligue 1", "PSG", "Paris Saint-Germain FC"),
    ("Champions League", "Sporting", "Sporting Clube de Portugal"),
    ("Champions League", "Bodo/Glimt", "FK Bodø/Glimt"),
    ("Cup", "Cologne", "1. FC Köln"),
    ("MLS", "Los Angeles F", "Los Angeles FC"),
    ("MLB", "A's", "Athletics"),
    ("NHL", "St. Louis", "St Louis Blues"),
    ("NHL", "Las Vegas", "Vegas Golden Knights"),
]
OTHER_TEAMS = [
    ("Champions League", "Inter", "Inter Miami CF"),
    ("Serie A", "Inter", "SC Internacional"),
    ("Serie A", "Milan", "FC Internazionale Milano"),
    ("Champions League", "Manchester United", "Manchester City FC"),
    ("La Liga", "Real Madrid", "Real Sociedad de Fútbol"),
    ("La Liga", "Atletico", "Athletic Club Bilbao"),
    ("Champions League", "Atletico", "Clube Atlético Mineiro"),
    ("Champions League", "Sporting", "Real Sporting de Gijón"),
    ("Champions League", "Sporting", "Sporting Kansas City"),
    ("La Liga", "Barcelona", "Barcelona Sporting Club"),
    ("La Liga", "Barcelona", "RCD Espanyol de Barcelona"),
    ("Premier League", "Everton", "CD Everton"),
    ("Premier League", "Arsenal", "Arsenal de Sarandí"),
    ("Champions League", "Union Berlin", "Royale Union Saint-Gilloise"),
    ("Ligue 1", "PSG", "Paris FC"),
    ("Premier League", "Wolves", "Minnesota Timberwolves"),
]
SAME_PARTIES = [
    ("Finland", "KOK", "Finland", "National Coalition Party"),
    ("Finland", "Finns Party", "Finland", "Perussuomalaiset"),
    ("Germany", "Greens", "German", "Alliance 90/The Greens"),
    ("Germany", "CDU/CSU", "German", "Christian Democratic Union"),
    ("Estonia", "Centre", "Estonian", "Keskerakond"),
    ("Norway", "Conservatives", "Norwegian", "Høyre"),
    ("Wales", "Plaid", "Welsh", "The Party of Wales"),
    ("South Africa", "DA", "South African", "Democratic Alliance"),
    ("Netherlands", "PVV", "Dutch", "Party for Freedom"),
    ("Iraq", "RDC", "Iraqi", "Reconstruction and Development Coalition"),
]
OTHER_PARTIES = [
    ("Finland", "SDP", "Croatia", "SDP"),
    ("Finland", "NCP", "Bangladesh", "NCP"),
    ("Finland", "PS", "Portugal", "PS"),
    ("Germany", "SPD", "Czechia", "SPD"),
    ("United Kingdom", "Labour", "New Zealand", "Labour"),
    ("Canada", "Liberal", "Australia", "Liberal"),
    ("Italy", "Democratic Party", "Serbia", "Democratic Party"),
    ("Estonia", "Centre Party", "Sweden", "Centre Party"),
    ("Finland", "Left Alliance", "Finland", "National Coalition Party"),
]


def pair(number: int, kalshi: dict[str, str], polymarket: dict[str, Any]) -> dict[str, Any]:
    """A listing of each venue, as the look-alikes are written."""
    return {
        "kalshi": {
            "ticker": f"KXN-{number}-A",
            "event_ticker": f"KXN-{number}",
            "expected_expiration_time": "2027-06-30T15:00:00Z",
            "status": "active",
            **kalshi,
        },
        "polymarket": {"id": f"{9_000_000 + number}", "outcomes": ["Yes", "No"], **polymarket},
    }


def champion(number: int, league: str, kalshi: str, polymarket: str) -> dict[str, Any]:
    """Who wins a league in 2027."""
    return pair(
        number,
        {
            "category": "Sports",
            "event_title": f"{league} champion",
            "title": f"Will {kalshi} win the 2027 {league}?",
            "yes_sub_title": kalshi,
            "rules_primary": f"If {kalshi} wins the 2027 {league}, then it resolves to Yes.",
        },
        {
            "tag": "Sports",
            "event_title": f"{league} Winner",
            "question": f"Will {polymarket} win the 2027 {league}?",
            "groupItemTitle": polymarket,
            "description": f'This resolves to "Yes" if {polymarket} wins the 2027 {league}.',
        },
    )


def election(number: int, here: str, kalshi: str, there: str, polymarket: str) -> dict[str, Any]:
    """Who has the most seats in a parliament."""
    asked = f"win the most seats in the next {here} parliamentary election"
    other = f"win the most seats in the next {there} parliamentary election"
    return pair(
        number,
        {
            "category": "Elections",
            "event_title": f"Which party will win the next {here} election?",
            "title": f"Will {kalshi} {asked}?",
            "yes_sub_title": kalshi,
            "rules_primary": f"If {kalshi} should {asked}, it resolves to Yes.",
        },
        {
            "event_title": f"{there} Parliamentary Election Winner",
            "question": f"Will {polymarket} {other}?",
            "groupItemTitle": polymarket,
            "description": f'This resolves to "Yes" if {polymarket} {other}.',
        },
    )


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory, seeds: Path) -> dict[tuple[str, ...], bool]:
    """Each line that is a candidate pair, and whether its subjects are two."""
    lines = [*SAME_TEAMS, *OTHER_TEAMS, *SAME_PARTIES, *OTHER_PARTIES]
    pairs = [
        champion(number, *line) if len(line) == 3 else election(number, *line)
        for number, line in enumerate(lines)
    ]
    settings = ingest_events(tmp_path_factory.mktemp("names"), *payloads(pairs))
    sow(settings.warehouse, seeds)
    build_tables(settings.warehouse, "+pair_vetoes", *SOWN)
    are_two = ask(
        settings.warehouse,
        "select pair_id, pair_id in"
        " (select pair_id from silver.pair_vetoes where veto_code = 'SUBJECT')"
        " from silver.candidate_pairs",
    )
    numbers = {pair_id(listing): number for number, listing in enumerate(pairs)}
    return {lines[numbers[name]]: is_two for name, is_two in are_two if name in numbers}


def test_other_names_of_one_team_or_party_are_one_subject(
    found: dict[tuple[str, ...], bool],
) -> None:
    lines = [*SAME_TEAMS, *SAME_PARTIES]
    assert [line for line in lines if found.get(line) is not False] == []


def test_false_friends_are_two_subjects(found: dict[tuple[str, ...], bool]) -> None:
    lines = [*OTHER_TEAMS, *OTHER_PARTIES]
    assert [line for line in lines if found.get(line) is not True] == []
