"""Random choices, drawn in blocks: only words of a bit generator and integer arithmetic.

NumPy promises the same words from the same seed for ever, which it does not of its distributions;
and integers are the same on every machine. A choice is a few bits of a word. `m >> z` with a word
`m` and a few bits `z` is spread over the powers of two: small values often, large ones at times.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

BLOCK = 16_384  # rows drawn at once
KINDS = 1_024  # a kind is below it
STYLES = 8
SIZE_BITS = 32  # a size is at most 2^32 units of 1e-8, about 43

Words = NDArray[np.uint64]

# Quarters of the mean time between steps; their mean is four. Steps come in bursts.
_GAPS = np.array([0, 0, 1, 1, 2, 4, 8, 16], np.uint64)
_ROUND_UNITS = np.array([10**6, 10**7, 10**8, 10**9], np.uint64)


# What one update of a level, or one order, is made from:
#   kind    below KINDS, uniform
#   side    0 or 1
#   rank    below 2^16, mostly small
#   offset  below 2^14, mostly small
#   style   below STYLES, uniform
#   size    in units of 1e-8, 1 to 2^32; one in four is a round number
LevelDraw = tuple[int, int, int, int, int, int]


class StepDraw(NamedTuple):
    """What one step of the market is made from."""

    product: int  # below 2^12, uniform
    gap: int  # below 2^18; 2^15 on average
    size: int  # below 2^12, mostly small; about 0.23 × 2^12 on average
    kind: int  # below KINDS, uniform
    turn: int  # below KINDS, uniform


def words(seed: int, stream: int) -> Iterator[int]:
    """Uniform 64-bit words; streams of the same seed are independent of each other."""
    for block in _blocks(seed, stream):
        yield from block.tolist()


def level_draws(seed: int, stream: int) -> Iterator[LevelDraw]:
    """Draws for updates of levels, without end."""
    blocks = _blocks(seed, stream)
    while True:
        place, amount = next(blocks), next(blocks)
        columns = (
            _bits(place, 0, 10),
            _bits(place, 10, 1),
            _bits(place, 11, 16) >> _bits(place, 27, 4),
            _bits(place, 31, 14) >> _bits(place, 45, 4),
            _bits(place, 49, 3),
            _sizes(amount),
        )
        kinds, sides, ranks, offsets, styles, sizes = (column.tolist() for column in columns)
        yield from zip(kinds, sides, ranks, offsets, styles, sizes, strict=True)


def step_draws(seed: int, stream: int) -> Iterator[StepDraw]:
    """Draws for steps of a market, without end."""
    for block in _blocks(seed, stream):
        columns = (
            _bits(block, 0, 12),
            _bits(block, 12, 14) * _GAPS[_bits(block, 26, 3)],
            _bits(block, 29, 12) >> _bits(block, 41, 2),
            _bits(block, 43, 10),
            _bits(block, 53, 10),
        )
        yield from map(StepDraw._make, zip(*(column.tolist() for column in columns), strict=True))


def _sizes(amount: Words) -> Words:
    sizes = (_bits(amount, 0, SIZE_BITS) >> _bits(amount, 32, 4)) + np.uint64(1)
    unit = _ROUND_UNITS[_bits(amount, 36, 2)]
    is_round = (_bits(amount, 38, 2) == 0) & (sizes >= unit)
    return np.where(is_round, sizes // unit * unit, sizes)


def _bits(block: Words, first: int, count: int) -> Words:
    return (block >> np.uint64(first)) & np.uint64((1 << count) - 1)


def _blocks(seed: int, stream: int) -> Iterator[Words]:
    generator = np.random.PCG64([seed, stream])
    while True:
        yield generator.random_raw(BLOCK)
