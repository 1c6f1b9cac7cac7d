"""The kinds of topic, and how often each comes."""

from ingestion.simulator.drafts import AnyFamily
from ingestion.simulator.families.charts import AlbumCharts, BoxOffice
from ingestion.simulator.families.deadlines import Deadlines
from ingestion.simulator.families.economy import Prints, RateDecisions
from ingestion.simulator.families.games import ThreeWayGames, TwoWayGames
from ingestion.simulator.families.races import Awards, Elections
from ingestion.simulator.families.thresholds import IndexThresholds, Thresholds
from ingestion.simulator.families.weather import HighTemperatures

# Family and its share of every forty topics.
WEIGHTS: tuple[tuple[AnyFamily, int], ...] = (
    (Thresholds(), 6),
    (TwoWayGames(), 7),
    (Deadlines(), 6),
    (Elections(), 4),
    (HighTemperatures(), 4),
    (ThreeWayGames(), 4),
    (Prints(), 2),
    (Awards(), 2),
    (AlbumCharts(), 2),
    (RateDecisions(), 1),
    (BoxOffice(), 1),
    (IndexThresholds(), 1),
)
