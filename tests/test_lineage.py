"""The lineage site, built by dbt and opened in a real browser."""

import json
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import unquote
from urllib.request import urlopen

import pytest
from playwright.sync_api import Browser

from ingestion import cli, reading_commands
from ingestion.errors import FileError, SettingsError
from ingestion.lineage import _why_unread, build_site, site_server, write_site
from ingestion.warehouse import open_warehouse

GRAPH = """() => {
    const holder = [...document.querySelectorAll('div')].find(one => one._cyreg);
    return holder ? holder._cyreg.cy.nodes(':visible').map(node => node.id()) : [];
}"""


@pytest.fixture(scope="module")
def page(demo_build: Path) -> str:
    """The site of the demo, while a reader has it open."""
    with open_warehouse(demo_build, read_only=True):
        made, doubt = build_site(demo_build)
    assert doubt is None
    return made


@pytest.fixture
def address(page: str) -> Iterator[str]:
    """Where the site is served."""
    with site_server(0) as server:
        server.page = page
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


def test_the_site_knows_types_and_readers_but_no_folder_of_this_machine(
    page: str, demo_build: Path
) -> None:
    assert "fee_worst" in page
    types = re.findall(r'"type": ?"(DECIMAL\(18,8\)|TIMESTAMP)"', page)
    assert set(types) == {"DECIMAL(18,8)", "TIMESTAMP"}
    for exposure in ("watchlist", "report", "explain", "parquet"):
        assert json.dumps(f"exposure.marketfinder.{exposure}") in page
    assert str(demo_build.parent) not in page
    assert str(Path.home()) + "/" not in page


def test_only_the_page_is_served_and_only_to_this_machine(page: str, address: str) -> None:
    with urlopen(address) as answer:
        assert answer.read().decode() == page
    with pytest.raises(HTTPError, match="404"):
        urlopen(address + "manifest.json")
    port = int(address.rstrip("/").rpartition(":")[2])
    with pytest.raises(SettingsError, match="choose another with --port"):
        site_server(port)


def test_the_lineage_of_a_gold_table_opens(browser: Browser, address: str) -> None:
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    opened, asked = context.new_page(), []
    opened.on("request", lambda request: asked.append(request.url))
    opened.goto(f"{address}#!/model/model.marketfinder.arbitrage_opportunities?g_v=1")
    opened.wait_for_function(f"({GRAPH})().length > 0", timeout=30_000)
    shown = set(opened.evaluate(GRAPH))
    for name in ("model.marketfinder.arbitrage_opportunities", "model.marketfinder.watchlist"):
        assert name in shown
    assert "exposure.marketfinder.report" in shown
    assert opened.get_by_text("one row a pair and direction").count()
    context.close()
    assert all(url.startswith((address, "data:")) for url in asked)


def test_every_graph_of_the_first_page_can_be_read(browser: Browser, address: str) -> None:
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    opened = context.new_page()
    opened.goto(f"{address}#!/overview")
    links = opened.locator("a[href*='g_i=']")
    links.first.wait_for(timeout=30_000)
    found = [str(links.nth(place).get_attribute("href")) for place in range(links.count())]
    assert len(found) == 9
    for link in found:
        opened.goto("about:blank")
        opened.goto(address + link)
        opened.wait_for_function(f"({GRAPH})().length > 0", timeout=30_000)
        shown = {name.rpartition(".")[2] for name in opened.evaluate(GRAPH)}
        assert 10 <= len(shown) <= 40, link
        chosen = re.findall(r"[a-z]\w+", unquote(link.partition("g_i=")[2]))
        assert set(chosen) <= shown | {"exposure"}, link
    context.close()


def test_a_warehouse_that_is_not_there_or_being_written_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "warehouse.duckdb"
    assert _why_unread(path) == f"{path} is not there yet"
    assert not path.exists()
    holding = "import duckdb, sys; held = duckdb.connect(sys.argv[1]); print(flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", holding, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as writer:
        assert writer.stdout
        writer.stdout.readline()
        assert f"{path} is in use by process {writer.pid}" in str(_why_unread(path))
        writer.communicate(b"\n")
    assert _why_unread(path) is None


def test_the_command_writes_one_file(
    page: str,
    demo_build: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("MARKETFINDER_WAREHOUSE", str(demo_build))
    site = page, f"{demo_build} is in use"
    monkeypatch.setattr(reading_commands, "build_site", lambda warehouse: site)
    out = tmp_path / "site" / "lineage.html"
    monkeypatch.setattr(sys, "argv", ["marketfinder", "docs", "--static", str(out)])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    captured = capsys.readouterr()
    assert not ended.value.code
    assert out.read_text(encoding="utf-8") == page
    assert "lineage.html: open it in a browser." in captured.out.replace("\n", "")
    assert "Without types of columns" in captured.err
    assert "dbt reads the project" in captured.err  # which takes a while
    with pytest.raises(FileError, match="cannot be written"):
        write_site(page, tmp_path)
