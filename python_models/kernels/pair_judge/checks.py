"""What an answer must pass before its relation counts.

What code can promise, with a model that says whatever a market's text tells it to:

1. ``equal`` stands only with words of each side's own text for its YES, and with no flag on the
   texts (``pair_judge.texts``). It is ``clean`` only with no world and no difference that splits
   the two, and anything else only with a world that does.
2. Nothing but a whole, well-formed answer is ever ``equal``.
3. An implication is one of YES and YES: said of YES and NO ("inverted") it is another one. (Of
   what excludes each other YES of one does go with NO of the other.)
4. A verdict alone makes no pair active: ``silver.market_pairs`` lets it confirm what the rules
   found equal, add a caveat, or take it down; what it alone calls equal has a caveat, so that it
   is suspect.

It cannot promise that a model that was talked round by words no pattern knows does not say
``equal`` with true quotes. By the last promise, that is worth no more than a reason to read.
"""

from python_models.kernels.pair_judge.characters import spaced
from python_models.kernels.pair_judge.prompt import Question
from python_models.kernels.pair_judge.schema import Judgement

_NEEDS_NO_WORLD = ("equal", "unclear")
_IMPLICATIONS = ("k_implies_p", "p_implies_k")
_SHORTEST_QUOTE = 12  # characters; a single letter occurs in every text


def failed_checks(judgement: Judgement, asked: Question) -> list[str]:
    """Which checks an answer does not pass; its relation counts only if there are none."""
    checks = {
        "a quote does not occur in the text": _has_false_quote(judgement, asked),
        **(_equal_checks(judgement, asked) if judgement.relation == "equal" else {}),
        "differs without a world that shows it": judgement.relation not in _NEEDS_NO_WORLD
        and not _has_world(judgement),
        "an implication of yes and no": judgement.relation in _IMPLICATIONS
        and judgement.orientation == "inverted",
    }
    return [name for name, has_failed in checks.items() if has_failed]


def flag_checks(asked: Question) -> list[str]:
    """The checks that no ``equal`` passes of texts that are flagged."""
    return [f"equal although {flag}" for flag in sorted(asked.flags)]


def _equal_checks(judgement: Judgement, asked: Question) -> dict[str, bool]:
    is_clean, has_world = judgement.fungibility == "clean", _has_world(judgement)
    return {
        "clean with a world in which one side pays": is_clean and has_world,
        "clean with a difference that can split": is_clean
        and any(difference.can_split for difference in judgement.differences),
        "a caveat without a world that shows it": judgement.fungibility in ("caveat", "correlated")
        and not has_world,
        "equal without an orientation": judgement.orientation is None,
        "equal without a fungibility": judgement.fungibility is None,
        "equal without the words of both sides": any(
            len(spaced(side.quote)) < _SHORTEST_QUOTE
            for side in (judgement.kalshi_yes, judgement.polymarket_yes)
        ),
        **dict.fromkeys(flag_checks(asked), True),
    }


def _has_world(judgement: Judgement) -> bool:
    return (judgement.one_sided_world or "").strip() != ""


def _has_false_quote(judgement: Judgement, asked: Question) -> bool:
    quotes = [
        (asked.kalshi, judgement.kalshi_yes.quote),
        (asked.polymarket, judgement.polymarket_yes.quote),
        *((asked.kalshi, difference.kalshi_quote) for difference in judgement.differences),
        *((asked.polymarket, difference.polymarket_quote) for difference in judgement.differences),
    ]
    return any(quote.strip() and not side.says(quote) for side, quote in quotes)
