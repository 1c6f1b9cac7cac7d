"""The report, read as a page and in a real browser, with texts that venues should not write."""

import re
import shutil
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from html import unescape
from itertools import pairwise
from pathlib import Path
from typing import Any

import duckdb
import pytest
from pipelines import ask
from playwright.sync_api import Browser, Page

from ingestion import cli
from ingestion.errors import FileError, WarehouseError
from ingestion.report import write_report
from ingestion.report.charts import candles, chart
from ingestion.report.texts import compared, own_words, printable, venue_url

NOW = datetime(2026, 10, 1, 12, 30, tzinfo=UTC)
HOSTILE = (
    "<script>window.hacked = 1</script><img src=x onerror='window.hacked = 1'>"
    '"></details></main><h1>{{ 7 * 7 }}\u202egnp.exe\u2066 & ${x}'
)
LONG = "a" * 3_000


def written(warehouse: Path, folder: Path, **chosen: Any) -> tuple[Path, str]:
    """The report's file, and what is in it as a person reads it."""
    out = folder / "report.html"
    write_report(warehouse, out, clock=lambda: NOW, **chosen)
    text = out.read_text(encoding="utf-8")
    body = re.sub(r"<style>.*?</style>|<[^>]+>", " ", text, flags=re.DOTALL)
    return out, " ".join(unescape(body).split())


def written_out(connection: duckdb.DuckDBPyConnection, *views: str) -> None:
    """Views of gold as tables, so that a test can write in them."""
    for view in views:
        connection.execute(
            f"create table gold.written_out as from gold.{view}; drop view gold.{view};"
            f" alter table gold.written_out rename to {view}"
        )


@pytest.fixture(scope="module")
def live_build(demo_build: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo as if the venues had answered: nothing in it says that it is simulated."""
    path = Path(shutil.copy(demo_build, tmp_path_factory.mktemp("live")))
    with duckdb.connect(path) as connection:
        connection.execute("drop table raw.simulations")
    return path


@pytest.fixture(scope="module")
def plain(live_build: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The report of the demo."""
    return written(live_build, tmp_path_factory.mktemp("plain"))


@pytest.fixture(scope="module")
def hostile_build(live_build: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo after venues have written what they should not, and one opportunity has been seen
    twice."""
    path = Path(shutil.copy(live_build, tmp_path_factory.mktemp("hostile")))
    with duckdb.connect(path) as connection:
        written_out(connection, "arbitrage_opportunities", "arbitrage_history", "sync_logs")
        for table, names in (
            ("silver.listings", ("title", "subtitle", "description")),
            ("silver.events", ("title",)),
            ("gold.arbitrage_opportunities", ("reasoning", "buy_outcome")),
            ("gold.matching_funnel", ("meaning",)),
        ):
            for name in names:
                connection.execute(f"update {table} set {name} = ?", [HOSTILE + LONG])
        connection.execute("update silver.listings set slug = 'javascript:alert(1)//'")
        connection.execute("update gold.sync_logs set errors = [?]", [HOSTILE])
        connection.execute(
            "update gold.arbitrage_history set duration_seconds = 93784, sightings = 2"
            " where opportunity_id = (select min(opportunity_id) from gold.arbitrage_history)"
        )
    return path


@pytest.fixture(scope="module")
def hostile(hostile_build: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The report of that."""
    return written(hostile_build, tmp_path_factory.mktemp("hostile_report"))


# What it says


def test_every_opportunity_is_there_with_links_and_both_texts(
    live_build: Path, plain: tuple[Path, str]
) -> None:
    page, text = plain
    addresses = unescape(page.read_text(encoding="utf-8"))
    rows = ask(
        live_build,
        "select profit, profit_margin, bought.url, sold.url, bought.description, sold.description"
        " from gold.arbitrage_opportunities"
        " inner join gold.markets as bought on buy_market_id = bought.market_id"
        " inner join gold.markets as sold on sell_market_id = sold.market_id"
        " where status != 'expired'",
    )
    assert rows
    for profit, margin, *urls, bought, sold in rows:
        assert f"${profit:,.2f}" in text
        assert f"{margin:.2%}" in text
        for url in urls:
            assert url.startswith(("https://kalshi.com/markets/", "https://polymarket.com/market/"))
            assert f'<a href="{url}" rel="noopener noreferrer">' in addresses
        for rules in (bought, sold):
            assert " ".join(rules.split()) in text


def test_the_funnel_and_the_age_of_the_data_are_those_of_the_warehouse(
    live_build: Path, plain: tuple[Path, str]
) -> None:
    _, text = plain
    for stage, pairs in ask(live_build, "select stage, pairs from gold.matching_funnel"):
        assert re.search(rf"{stage} .*?{pairs:,}", text)
    assert "Kalshi: listings 2026-10-01 12:00 29 min 59 s fresh" in text
    assert "Polymarket: order books of what is matched 2026-10-01 12:00 29 min 59 s fresh" in text
    assert "coinbase: books 2026-10-01 12:09 21 min 0 s fresh" in text


def test_data_that_nobody_has_refreshed_is_called_stale(live_build: Path, tmp_path: Path) -> None:
    out = tmp_path / "report.html"
    write_report(live_build, out, clock=lambda: datetime(2026, 10, 3, tzinfo=UTC))
    states = re.findall(r'class="status (fresh|stale)"', out.read_text(encoding="utf-8"))
    assert states == ["stale"] * 6


def test_a_page_of_simulated_data_says_so_and_leads_nowhere(
    demo_build: Path, plain: tuple[Path, str], tmp_path: Path
) -> None:
    page, text = written(demo_build, tmp_path, is_demo=True)
    source = page.read_text(encoding="utf-8")
    assert "Simulated data." in text
    assert "Simulated data." not in plain[1]
    # The file itself says so, whatever it is called.
    copy = Path(shutil.copy(demo_build, tmp_path / "marketfinder.duckdb"))
    assert "Simulated data." in written(copy, tmp_path)[1]
    assert 'href="http' not in source
    assert "no page known" not in text
    commands = [" ".join(command.split()) for command in re.findall(r"<code>(.*?)</code>", source)]
    assert "marketfinder sql --demo" in commands
    assert "marketfinder report --demo --symbol BTC-USD --day 2026-10-01" in commands
    assert "marketfinder report --symbol BTC-USD --day 2026-10-01" in plain[1]


def test_a_pair_that_is_asked_the_other_way_round_shows_both_titles(
    live_build: Path, plain: tuple[Path, str]
) -> None:
    titles = ask(
        live_build,
        "select title from gold.arbitrage_opportunities"
        " inner join gold.market_similarities as pairs using (pair_id)"
        " inner join gold.markets on pairs.market2_id = market_id"
        " where status != 'expired' and orientation = 'inverted'",
    )
    assert titles
    words = "Polymarket asks the reverse, or names the other side first: "
    assert plain[1].count(words) == len(titles)
    for (title,) in titles:
        assert words + " ".join(title.split()) in plain[1]


def test_quotes_that_have_expired_by_the_clock_are_called_so(
    live_build: Path, plain: tuple[Path, str], tmp_path: Path
) -> None:
    out = tmp_path / "report.html"
    write_report(live_build, out, clock=lambda: datetime(2026, 10, 1, 12, 1, tzinfo=UTC))
    assert "quotes expired" not in out.read_text(encoding="utf-8")
    shown = ask(
        live_build,
        "select count(*) from (select status from gold.arbitrage_opportunities"
        " union all select status from gold.bundle_opportunities) where status != 'expired'",
    )[0][0]
    assert plain[1].count("quotes expired") == shown > 0
    assert "not to be used after 2026-10-01 12:02" in plain[1]


def test_margin_and_lifetime_have_a_chart_once_one_was_seen_twice(
    plain: tuple[Path, str], hostile: tuple[Path, str]
) -> None:
    assert "Each was seen by one run only" in plain[1]
    assert "The longest was seen for 1 d 2 h" in hostile[1]


def test_the_quality_of_matching_is_that_of_the_warehouse(
    live_build: Path, plain: tuple[Path, str]
) -> None:
    rows = ask(
        live_build,
        "select replace(contract_class, '_', ' '), labelled_pairs, same_pairs,"
        " recall_after_blocking, recall_after_vetoes, called_same_pairs, equal_precision,"
        " equal_recall from gold.matching_quality"
        " where universe = 'labelled' and split = 'held_out'",
    )
    assert len(rows) > 1
    counts = {name: pairs for name, pairs, *_ in rows}
    strangers = counts["strangers"]
    assert f"Measured on {counts['all'] - strangers:,} labelled pairs" in plain[1]
    assert f"and on {strangers:,} pairs that nobody labelled" in plain[1]
    for name, *numbers in rows:
        shown = ["" if n is None else f"{n:.2%}" if isinstance(n, float) else n for n in numbers]
        assert " ".join(f"{name} {' '.join(map(str, shown))}".split()) in plain[1]


def test_the_bars_are_those_of_the_warehouse(live_build: Path, plain: tuple[Path, str]) -> None:
    _, text = plain
    assert "coinbase BTC-USD on 2026-10-01, in bars of 60 seconds" in text
    bars = ask(
        live_build,
        "select strftime(started_at, '%H:%M:%S'), open, high, low, close, vwap"
        " from gold.bars('coinbase', 'BTC-USD', 60) where open is not null",
    )
    assert len(bars) == 10
    for start, *prices in bars:
        assert f"{start} {' '.join(f'{price:,.6g}' for price in prices)}" in text
    flow = ask(
        live_build,
        "select sum(order_flow_imbalance) from gold.order_book_features"
        " where symbol = 'BTC-USD' and date_trunc('minute', booked_at) = '2026-10-01 12:03:00'",
    )[0][0]
    assert re.search(rf"12:03:00 .*? {re.escape(f'{flow:,.6g}')} ", text)
    assert "No VPIN on this day: the size of its buckets" in text


def test_another_market_can_be_chosen(live_build: Path, tmp_path: Path) -> None:
    _, text = written(live_build, tmp_path, symbol="ETH-USD", day=date(2026, 10, 1))
    assert "coinbase ETH-USD on 2026-10-01" in text
    with pytest.raises(WarehouseError, match=r"no bars of DOGE-USD(.|\n)*coinbase BTC-USD, 2026"):
        write_report(live_build, tmp_path / "other.html", symbol="DOGE-USD")


def test_a_warehouse_that_holds_little_says_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "warehouse.duckdb"
    with pytest.raises(WarehouseError, match="is not there yet"):
        write_report(path, tmp_path / "report.html")
    duckdb.connect(path).close()
    with pytest.raises(WarehouseError, match="Nothing is loaded in"):
        write_report(path, tmp_path / "none.html")
    assert not (tmp_path / "none.html").exists()
    with duckdb.connect(path) as connection:
        connection.execute(
            "create schema silver; create table silver.outcome_books as"
            " select 'kalshi' as platform, timestamp '2026-10-01 12:00:00' as fetched_at"
        )
    _, text = written(path, tmp_path)
    for hint in (
        "No prices are built yet: marketfinder run",
        "No pair was compared yet: marketfinder run",
        "No order books are built yet: marketfinder ingest order-books",
        "No run yet",
        "None was found yet",
    ):
        assert hint in text


def test_tables_of_another_version_are_an_error_in_words(live_build: Path, tmp_path: Path) -> None:
    path = Path(shutil.copy(live_build, tmp_path))
    with duckdb.connect(path) as connection:
        connection.execute("drop view gold.markets; create table gold.markets (market_id varchar)")
    with pytest.raises(WarehouseError, match=r"of another version \(.*\)\. `marketfinder run`"):
        written(path, tmp_path)


def test_nothing_pays(live_build: Path, tmp_path: Path) -> None:
    path = Path(shutil.copy(live_build, tmp_path))
    with duckdb.connect(path) as connection:
        written_out(connection, "arbitrage_opportunities")
        connection.execute("update gold.arbitrage_opportunities set status = 'expired'")
    _, text = written(path, tmp_path)
    assert "Nothing pays now." in text


def test_the_command_writes_the_page(
    live_build: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MARKETFINDER_WAREHOUSE", str(live_build))
    monkeypatch.setattr(sys, "argv", ["marketfinder", "report", "--out", "pages/today.html"])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert not ended.value.code
    assert "pages/today.html, " in capsys.readouterr().out
    assert (tmp_path / "pages" / "today.html").read_text(encoding="utf-8").endswith("</html>")
    assert [path.name for path in (tmp_path / "pages").iterdir()] == ["today.html"]


def test_a_page_that_cannot_be_written_is_an_error_in_words(
    live_build: Path, tmp_path: Path
) -> None:
    (tmp_path / "taken").mkdir()
    with pytest.raises(FileError, match="taken cannot be written"):
        write_report(live_build, tmp_path / "taken")


# What venues write


def test_what_venues_write_stays_text(hostile: tuple[Path, str]) -> None:
    page, text = hostile
    source = page.read_text(encoding="utf-8")
    assert "<script" not in source
    assert "<img" not in source
    assert "49" not in re.findall(r"<h1>(.*?)</h1>", source)
    assert source.count("<h1>") == 1
    assert "javascript:" not in source
    for turning in "\u202e\u2066":
        assert turning not in source
    assert "<script>window.hacked = 1</script>" in unescape(source)
    assert "{{ 7 * 7 }}" in text


@pytest.mark.parametrize(
    "slug",
    [
        "javascript:alert(1)",
        "../../evil.example",
        'a" onmouseover="alert(1)',
        "a b",
        "a\u202eb",
        "",
        ".",
        "a?b=c#d",
        "//evil.example/",
        None,
    ],
)
def test_a_slug_that_is_no_plain_word_makes_no_link(live_build: Path, slug: str | None) -> None:
    """The macro as it is compiled into silver.markets."""
    definition = ask(
        live_build,
        "select sql from duckdb_views() where schema_name = 'silver' and view_name = 'markets'",
    )[0][0]
    case = re.search(r"(CASE\s+WHEN.{0,300}kalshi\.com.*?END)", definition, re.DOTALL)
    assert case
    query = (
        f"select {case[1]} from (select ? as platform, 'KXA' as series_id, ? as event_id,"
        " ? as slug) as listings cross join (select null as series_id) as events"
    )
    assert ask(live_build, query, "polymarket", "1", slug) == [(None,)]
    assert ask(live_build, query, "kalshi", slug, None) == [(None,)]
    assert ask(live_build, query, "polymarket", "1", "a-b_c.d-2") == [
        ("https://polymarket.com/market/a-b_c.d-2",)
    ]
    assert ask(live_build, query, "kalshi", "KXA-26DEC", None) == [
        ("https://kalshi.com/markets/kxa/event/kxa-26dec",)
    ]


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "http://kalshi.com/",
        "https://kalshi.com.evil.example/",
        "https://kalshi.com@evil.example/",
        "https://[",
        "//kalshi.com",
        None,
    ],
)
def test_a_link_leads_to_a_venue_or_is_none(url: str | None) -> None:
    assert venue_url(url) is None
    assert venue_url("https://kalshi.com/markets/a") == "https://kalshi.com/markets/a"


def test_characters_that_act_unseen_are_taken_out() -> None:
    assert printable("a\u202eb\u200fc\x1b[2Jd\ne") == "a b c [2Jd e"
    assert printable("Ø – 你好 «»") == "Ø – 你好 «»"


def test_words_that_only_one_text_has_are_marked() -> None:
    one, other = "It resolves Yes on October 31, 2026.", "it RESOLVES yes on october 30, 2026"
    assert [run.words for run in compared(one, other) if run.is_own] == ["31,"]
    assert "".join(run.words for run in compared(one, other)) == one
    assert own_words(one, other) == ["31"]
    assert own_words("does not count", "counts") == ["not", "count"]
    assert compared("", "a") == []


def test_charts_take_colours_and_ids_of_the_page() -> None:
    start = datetime(2026, 10, 1)
    draw = candles([start], 60, [[1.0], [3.0], [0.5], [2.0]], [1.5])
    svg = str(chart("one", "A <b> $x$", "x & y", draw))
    assert svg.count("<svg") == 2
    assert "&lt;b&gt; $x$" in svg
    assert "var(--up)" in svg
    assert "#0101" not in svg
    ids = re.findall(r' id="([^"]+)"', svg)
    assert len(ids) == len(set(ids))
    assert set(re.findall(r"url\(#([^)]+)\)", svg)) <= set(ids)


# In a browser


@pytest.fixture
def opened(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Opens a page; nothing may be asked for but the page itself, nothing may be complained of."""
    contexts, asked, said = [], [], []

    def open_page(path: Path, width: int = 1280, scheme: Any = "light") -> Page:
        context = browser.new_context(
            viewport={"width": width, "height": 844}, color_scheme=scheme, reduced_motion="reduce"
        )
        contexts.append(context)
        page = context.new_page()
        page.on("request", lambda request: asked.append(request.url))
        page.on("console", lambda message: said.append(message.text))
        page.goto(path.as_uri())
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert all(url.startswith("file://") and url.endswith("report.html") for url in asked)
    assert len(asked) == len(contexts)
    assert said == []


@pytest.mark.parametrize("width", [320, 390, 1280])
def test_the_page_is_never_wider_than_the_screen(
    opened: Callable[..., Page], hostile: tuple[Path, str], width: int
) -> None:
    page = opened(hostile[0], width)
    page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    shown = page.evaluate(
        "[...document.querySelectorAll('svg')].filter(one => one.checkVisibility()).map(one =>"
        " one.getAttribute('class'))"
    )
    assert set(shown) == {"narrow" if width < 640 else "wide"}


def test_nothing_runs_and_every_link_leads_to_a_venue(
    opened: Callable[..., Page], plain: tuple[Path, str], hostile: tuple[Path, str]
) -> None:
    for source, least in ((plain, 20), (hostile, 5)):
        page = opened(source[0])
        assert page.evaluate("[document.scripts.length, typeof window.hacked]") == [0, "undefined"]
        links = page.evaluate("[...document.links].map(one => one.getAttribute('href'))")
        assert len(links) >= least
        assert all(link.startswith("#") or venue_url(link) for link in links)
        handlers = "[...document.querySelectorAll('*')].flatMap(one => one.getAttributeNames())"
        names = page.evaluate(f"{handlers}.filter(name => name.startsWith('on'))")
        assert names == []


def test_a_screen_reader_finds_its_way(
    opened: Callable[..., Page], hostile: tuple[Path, str]
) -> None:
    page = opened(hostile[0])
    levels = page.evaluate(
        "[...document.querySelectorAll('h1, h2, h3, h4')].map(one => Number(one.tagName[1]))"
    )
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(later - earlier <= 1 for earlier, later in pairwise(levels))
    assert page.evaluate("document.documentElement.lang") == "en"
    roles = page.locator("body").aria_snapshot()
    for role in ("banner", "navigation", "main", "contentinfo", 'region "Opportunities"'):
        assert f"- {role}" in roles
    ids = page.evaluate("[...document.querySelectorAll('[id]')].map(one => one.id)")
    assert len(ids) == len(set(ids))
    tables = page.evaluate(
        "[...document.querySelectorAll('table')].every(one => one.caption"
        " && [...one.querySelectorAll('th')].every(cell => cell.scope))"
    )
    assert tables
    names = page.evaluate(
        "[...document.querySelectorAll('[aria-labelledby]')].flatMap(one =>"
        " one.getAttribute('aria-labelledby').split(' '))"
    )
    assert set(names) <= set(ids)
    images = page.evaluate(
        "[...document.querySelectorAll('svg')].every(one => one.getAttribute('role') === 'img'"
        " && one.querySelector('title').textContent && one.querySelector('desc').textContent)"
    )
    assert images


def test_the_keyboard_reaches_everything_and_shows_where_it_is(
    opened: Callable[..., Page], plain: tuple[Path, str]
) -> None:
    page = opened(plain[0])
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    assert page.evaluate("document.activeElement.getBoundingClientRect().left") >= 0
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    seen = page.evaluate(
        "[document.activeElement.closest('main') !== null,"
        " getComputedStyle(document.activeElement).outlineStyle]"
    )
    assert seen == [True, "solid"]
    page.locator("summary").first.focus()
    page.keyboard.press("Enter")
    assert page.evaluate("document.querySelector('details').open")


def test_text_stands_out_in_light_and_in_dark(
    opened: Callable[..., Page], plain: tuple[Path, str]
) -> None:
    papers = set()
    for scheme in ("light", "dark"):
        page = opened(plain[0], 1280, scheme)
        papers.add(page.evaluate("getComputedStyle(document.body).backgroundColor"))
        for name in ("ink", "muted", "link", "good", "doubt"):
            assert contrast(page, name, "paper") >= 4.5, (scheme, name)
        assert contrast(page, "ink", "mark") >= 4.5
        for name in ("up", "down", "first", "second"):
            assert contrast(page, name, "paper") >= 3, (scheme, name)
        fills = page.evaluate(
            "[...new Set([...document.querySelectorAll('svg text')].map(one =>"
            " getComputedStyle(one).fill))]"
        )
        assert fills == [page.evaluate("getComputedStyle(document.body).color")]
    assert len(papers) == 2


def contrast(page: Page, front: str, back: str) -> float:
    """The ratio of two of the page's colours, as WCAG 2.2 defines it."""
    lights = []
    for name in (front, back):
        value = page.evaluate(
            f"getComputedStyle(document.documentElement).getPropertyValue('--{name}').trim()"
        )
        parts = [int(value[place : place + 2], 16) / 255 for place in (1, 3, 5)]
        red, green, blue = (
            part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
        )
        lights.append(0.2126 * red + 0.7152 * green + 0.0722 * blue)
    return (max(lights) + 0.05) / (min(lights) + 0.05)
