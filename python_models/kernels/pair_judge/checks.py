"""What an answer must pass before its relation counts.

What code can promise, with a model that says whatever a market's text tells it to:

1. ``equal`` stands only with words of each side's own text for its YES, with no world and no
   difference that splits the two, and with no flag on the texts (``pair_judge.texts``).
2. Nothing but a whole, well-formed answer is ever ``equal``.
3. An implication or an exclusion is one of YES and YES: said of YES and NO ("inverted") it is
   another one.
4. A verdict alone makes no pair active: ``silver.market_pairs`` lets it confirm what the rules
   found equal, or take it down; what it alone calls equal has a caveat, so that it is suspect.

It cannot promise that a model that was talked round by words no pattern knows does not say
``equal`` with true quotes. By the last promise, that is worth no more than a reason to read.
"""

from python_models.kernels.pair_judge.characters import spaced
from python_models.kernels.pair_judge.prompt import Question
from python_models.kernels.pair_judge.schema import Judgement

_NEEDS_NO_WORLD = ("equal", "unclear")
_OF_YES_AND_YES = ("k_implies_p", "p_implies_k", "mutually_exclusive", "complementary_partition")
_SHORTEST_QUOTE = 12  # characters; a single letter occurs in every text


def failed_checks(judgement: Judgement, asked: Question) -> list[str]:
    """Which checks an answer does not pass; its relation counts only if there are none."""
    checks = {
        "a quote does not occur in the text": _has_false_quote(judgement, asked),
        **(_equal_checks(judgement, asked) if judgement.relation == "equal" else {}),
        "differs without a world that shows it": judgement.relation not in _NEEDS_NO_WORLD
        and not (judgement.one_sided_world or "").strip(),
        "a relation of yes and no": judgement.relation in _OF_YES_AND_YES
        and judgement.orientation == "inverted",
    }
    return [name for name, has_failed in checks.items() if has_failed]


def flag_checks(asked: Question) -> list[str]:
    """The checks that no ``equal`` passes of texts that are flagged."""
    return [f"equal although {flag}" for flag in sorted(asked.flags)]


def _equal_checks(judgement: Judgement, asked: Question) -> dict[str, bool]:
    return {
        "equal with a world in which one side pays": judgement.one_sided_world is not None,
        "equal with a difference that can split": any(
            difference.can_split for difference in judgement.differences
        ),
        "equal without an orientation": judgement.orientation is None,
        "equal without the words of both sides": any(
            len(spaced(side.quote)) < _SHORTEST_QUOTE
            for side in (judgement.kalshi_yes, judgement.polymarket_yes)
        ),
        **dict.fromkeys(flag_checks(asked), True),
    }


def _has_false_quote(judgement: Judgement, asked: Question) -> bool:
    quotes = [
        (asked.kalshi, judgement.kalshi_yes.quote),
        (asked.polymarket, judgement.polymarket_yes.quote),
        *((asked.kalshi, difference.kalshi_quote) for difference in judgement.differences),
        *((asked.polymarket, difference.polymarket_quote) for difference in judgement.differences),
    ]
    return any(quote.strip() and not side.says(quote) for side, quote in quotes)
