"""The order book that the replay works on: compiled, flat arrays, integers only.

Each side of the book is kept by **rank**: the price in ticks for asks, its negative for bids, so
that the best level of either side has the smallest rank and one code path serves both.

* **Ladder.** A window of slots around the best level, one slot a price step, holds the sizes. A bit
  per slot says which are taken, a second level of bits which words of the first have any, so the
  next taken slot is found in a few instructions however sparse the book is.
* **Price step.** A slot is a multiple of the greatest common divisor of the ranks seen, found as
  they come: prices may be given in any fine unit (1e-8, say) without spreading the ladder out.
  Division by the step is a multiplication by its inverse modulo 2^64.
* **Far levels.** Real books reach from 0.01 to 10^6. What lies outside the window is in sorted
  chunks, found by binary search; a change moves at most one chunk. Chunks split when full and merge
  with a neighbour when both are small, so their memory follows the number of far levels.
* **Re-centring.** Each access to a far level that a freshly centred window would have held counts
  as a miss. When the misses have cost about as much as a rebuild, the side is rebuilt around its
  best level. The price may walk or jump anywhere; a lone absurd price does not move the window.

Where a level is kept never shows in what is read from the book: rows depend on the updates alone.

All compiled code is in this one file, and the layout it is compiled against with it: numba would
not notice that a function in another file has changed, and would go on running the old one from
its cache.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from python_models.kernels.compilation import compiled, inlined, inner, trailing_zeros

Int64s = NDArray[np.int64]
UInt64s = NDArray[np.uint64]
Integer = int | np.integer[Any]  # to numba they are the same

BID, ASK = 0, 1
UPDATE, SNAPSHOT, GAP, TOUCH = 0, 1, 2, 3

# Ranks lie in ±PRICE_LIMIT, so that no sum of a rank and a window overflows an int64.
PRICE_LIMIT = 1 << 61

# Columns of Book.window: what one side of the book knows about itself.
STEP = 0  # price step of a slot in ticks; 0: no price seen since the last snapshot
SHIFT = 1  # the step is 2^SHIFT × an odd number
INVERSE = 2  # the inverse of that odd number modulo 2^64
LOW_BITS = 3  # 2^SHIFT - 1: bits that are zero in every multiple of the step
BASE = 4  # slot number (rank / step) of the first slot of the ladder
LENGTH = 5  # slots in use, at most the ladder's size; 0: every access takes the slow path
LEVELS = 6  # levels of this side, near and far
FAR_LEVELS = 7
CHUNKS = 8  # chunks in use
MISSES = 9  # accesses since the last rebuild that a centred window would have served
TOUCHED = 10  # best rank changed since the last row was written
WINDOW_COLUMNS = 11

# Elements of the progress vector, by which a call that ran out of room is taken up again.
NEXT_ROW, ROWS_WRITTEN, IS_VALID, FRAME, IS_TOUCHED, HAS_SNAPSHOT = 0, 1, 2, 3, 4, 5
UPDATES, DELETES, ORPHAN_DELETES = 6, 7, 8
PROGRESS_ELEMENTS = 9

# What setting a level can answer.
TAKEN, ORPHAN, NEEDS_ROOM = 0, 1, 2

# What check_updates can find.
SOUND, BAD_FRAME, BAD_KIND, BAD_SIDE, BAD_PRICE, BAD_SIZE = 0, 1, 2, 3, 4, 5

UNTOUCHED = np.iinfo(np.int64).max
EVERYTHING_TOUCHED = np.iinfo(np.int64).min


class Book(NamedTuple):
    """The levels of one product; the first axis of every array is the side (bid, ask)."""

    sizes: Int64s  # (2, slots): size in lots, 0 where there is no level
    words: UInt64s  # (2, slots / 64): a bit per slot
    summary: UInt64s  # (2, ceil(slots / 4096)): a bit per word
    window: Int64s  # (2, WINDOW_COLUMNS)
    chunk_first: Int64s  # (2, chunks): first rank of each chunk, ascending over those in use
    chunk_length: Int64s  # (2, chunks)
    chunk_place: Int64s  # (2, chunks): where in the next two arrays; a permutation, free ones last
    far_ranks: Int64s  # (2, chunks, levels in a chunk): ascending within a chunk
    far_sizes: Int64s  # (2, chunks, levels in a chunk)
    spare_ranks: Int64s  # (1, chunks × levels in a chunk): where a side stands during a rebuild
    spare_sizes: Int64s  # (1, chunks × levels in a chunk)


class RowArrays(NamedTuple):
    """Room for the rows that the kernel writes; see ``OrderBookRows`` for their meaning."""

    frames: Int64s  # (rows,)
    flags: NDArray[np.bool_]  # (3, rows): is_valid, is_crossed, is_snapshot
    counts: NDArray[np.int32]  # (5, rows): updates, deletes, orphan deletes, bid and ask levels
    offsets: NDArray[np.int32]  # (2, rows + 1)
    price_ticks: Int64s  # (2, rows × depth)
    size_lots: Int64s  # (2, rows × depth)


def empty_book(slots: int, chunks: int, chunk_levels: int) -> Book:
    """Return an empty book with a ladder of ``slots`` slots a side and room for far levels.

    Memory is touched only where levels lie: a large ladder costs address space, not pages.

    Raises:
        ValueError: ``slots`` is not a positive multiple of 64, ``chunks`` is not positive, or
            ``chunk_levels`` is under 4.
    """
    if slots <= 0 or slots % 64 or chunks <= 0 or chunk_levels < 4:
        raise ValueError(
            f"A book needs a multiple of 64 slots (got {slots}), a chunk or more (got {chunks}) "
            f"and 4 levels or more in a chunk (got {chunk_levels})."
        )
    book = Book(
        sizes=np.zeros((2, slots), np.int64),
        words=np.zeros((2, slots // 64), np.uint64),
        summary=np.zeros((2, -(-slots // 4096)), np.uint64),
        window=np.zeros((2, WINDOW_COLUMNS), np.int64),
        chunk_first=np.zeros((2, chunks), np.int64),
        chunk_length=np.zeros((2, chunks), np.int64),
        chunk_place=np.tile(np.arange(chunks, dtype=np.int64), (2, 1)),
        far_ranks=np.zeros((2, chunks, chunk_levels), np.int64),
        far_sizes=np.zeros((2, chunks, chunk_levels), np.int64),
        spare_ranks=np.zeros((1, chunks * chunk_levels), np.int64),
        spare_sizes=np.zeros((1, chunks * chunk_levels), np.int64),
    )
    book.window[:, TOUCHED] = EVERYTHING_TOUCHED
    return book


def with_more_room(book: Book) -> Book:
    """Return the same book with twice the chunks for far levels."""
    chunks, chunk_levels = book.far_ranks.shape[1:]
    larger = empty_book(book.sizes.shape[1], 2 * chunks, chunk_levels)
    larger.chunk_first[:, :chunks] = book.chunk_first
    larger.chunk_length[:, :chunks] = book.chunk_length
    larger.chunk_place[:, :chunks] = book.chunk_place
    larger.far_ranks[:, :chunks] = book.far_ranks
    larger.far_sizes[:, :chunks] = book.far_sizes
    return larger._replace(
        sizes=book.sizes, words=book.words, summary=book.summary, window=book.window
    )


@compiled
def greatest_common_divisor(first: Integer, second: Integer) -> Integer:
    """Return the greatest common divisor of two int64; never negative; that of 0 and 0 is 0."""
    while second != 0:
        first, second = second, first % second
    return -first if first < 0 else first


@inlined
def slot_of(book: Book, side: Integer, rank: Integer) -> Integer:
    """Return the slot of a rank in the ladder, or -1 when the ladder does not hold that rank.

    A rank that is no multiple of the step either has low bits, or its product with the inverse is
    beyond ±2^63 / step; slots in use stay within ±2^62 / step (``place_window``).
    """
    window = book.window
    slot: Integer = (rank >> window[side, SHIFT]) * window[side, INVERSE] - window[side, BASE]
    outside = np.uint64(slot) >= np.uint64(window[side, LENGTH])
    if outside or rank & window[side, LOW_BITS]:
        return -1
    return slot


@inlined
def set_slot(book: Book, side: Integer, slot: Integer, size: Integer) -> Integer:
    """Set the size at a slot of the ladder, keep the bits and the count; TAKEN or ORPHAN.

    Without a branch: whether a level comes, goes or changes is not predictable.
    """
    at = np.uint64(slot)
    word_at = at >> np.uint64(6)
    summary_at = word_at >> np.uint64(6)
    was_there = np.uint64(book.sizes[side, at] != 0)
    is_there = np.uint64(size != 0)
    book.sizes[side, at] = size
    word = book.words[side, word_at] ^ ((was_there ^ is_there) << (at & np.uint64(63)))
    book.words[side, word_at] = word
    bit_at = word_at & np.uint64(63)
    summary = book.summary[side, summary_at] & ~(np.uint64(1) << bit_at)
    book.summary[side, summary_at] = summary | (np.uint64(word != np.uint64(0)) << bit_at)
    book.window[side, LEVELS] += np.int64(is_there) - np.int64(was_there)
    return np.int64((was_there | is_there) == np.uint64(0))


@inner
def find_far(book: Book, side: Integer, rank: Integer) -> tuple[Integer, Integer]:
    """Return chunk and position of the first far level at ``rank`` or worse.

    The position may be one past the end of the chunk: the level would be appended there. With no
    chunk in use the answer is (0, 0).
    """
    low, high = 0, book.window[side, CHUNKS]
    while low < high:  # the first chunk that begins after the rank
        middle = (low + high) >> 1
        if book.chunk_first[side, middle] <= rank:
            low = middle + 1
        else:
            high = middle
    if low == 0:
        return 0, 0
    chunk = low - 1
    place = book.chunk_place[side, chunk]
    low, high = 0, book.chunk_length[side, chunk]
    while low < high:
        middle = (low + high) >> 1
        if book.far_ranks[side, place, middle] < rank:
            low = middle + 1
        else:
            high = middle
    return chunk, low


@inner
def is_far_level(
    book: Book, side: Integer, chunk: Integer, position: Integer, rank: Integer
) -> bool:
    """Return whether the far level that ``find_far`` answered is the one at ``rank``."""
    if chunk >= book.window[side, CHUNKS] or position >= book.chunk_length[side, chunk]:
        return False
    return bool(book.far_ranks[side, book.chunk_place[side, chunk], position] == rank)


@inner
def open_chunk(book: Book, side: Integer, chunk: Integer) -> Integer:
    """Put an empty chunk at ``chunk`` in the order, moving later ones on; return its place."""
    used = book.window[side, CHUNKS]
    place: Integer = book.chunk_place[side, used]
    for index in range(used, chunk, -1):
        book.chunk_first[side, index] = book.chunk_first[side, index - 1]
        book.chunk_length[side, index] = book.chunk_length[side, index - 1]
        book.chunk_place[side, index] = book.chunk_place[side, index - 1]
    book.chunk_place[side, chunk] = place
    book.chunk_length[side, chunk] = 0
    book.window[side, CHUNKS] = used + 1
    return place


@inner
def close_chunk(book: Book, side: Integer, chunk: Integer) -> None:
    """Take an empty chunk out of the order; its place becomes the first free one."""
    used = book.window[side, CHUNKS] - 1
    place = book.chunk_place[side, chunk]
    for index in range(chunk, used):
        book.chunk_first[side, index] = book.chunk_first[side, index + 1]
        book.chunk_length[side, index] = book.chunk_length[side, index + 1]
        book.chunk_place[side, index] = book.chunk_place[side, index + 1]
    book.chunk_place[side, used] = place
    book.window[side, CHUNKS] = used


@inner
def move_tail(book: Book, side: Integer, source: Integer, start: Integer, target: Integer) -> None:
    """Append the levels of chunk ``source`` from ``start`` on to the end of chunk ``target``."""
    source_place, target_place = book.chunk_place[side, source], book.chunk_place[side, target]
    end = book.chunk_length[side, target]
    for index in range(start, book.chunk_length[side, source]):
        book.far_ranks[side, target_place, end] = book.far_ranks[side, source_place, index]
        book.far_sizes[side, target_place, end] = book.far_sizes[side, source_place, index]
        end += 1
    book.chunk_length[side, source] = start
    book.chunk_length[side, target] = end
    book.chunk_first[side, target] = book.far_ranks[side, target_place, 0]


@inner
def insert_far(
    book: Book, side: Integer, chunk: Integer, position: Integer, rank: Integer, size: Integer
) -> Integer:
    """Insert a level where ``find_far`` said; TAKEN, or NEEDS_ROOM with nothing changed."""
    window = book.window
    chunks, chunk_levels = book.far_ranks.shape[1:]
    if window[side, CHUNKS] == 0:
        open_chunk(book, side, 0)
    elif book.chunk_length[side, chunk] == chunk_levels:
        if window[side, CHUNKS] == chunks:
            return NEEDS_ROOM
        half = chunk_levels // 2
        open_chunk(book, side, chunk + 1)
        move_tail(book, side, chunk, half, chunk + 1)
        if position > half:
            chunk, position = chunk + 1, position - half
    place = book.chunk_place[side, chunk]
    for index in range(book.chunk_length[side, chunk], position, -1):
        book.far_ranks[side, place, index] = book.far_ranks[side, place, index - 1]
        book.far_sizes[side, place, index] = book.far_sizes[side, place, index - 1]
    book.far_ranks[side, place, position] = rank
    book.far_sizes[side, place, position] = size
    book.chunk_length[side, chunk] += 1
    book.chunk_first[side, chunk] = book.far_ranks[side, place, 0]
    window[side, LEVELS] += 1
    window[side, FAR_LEVELS] += 1
    return TAKEN


@inner
def remove_far(book: Book, side: Integer, chunk: Integer, position: Integer) -> None:
    """Remove a far level; a chunk left small joins a neighbour if both fit in half a chunk."""
    place = book.chunk_place[side, chunk]
    length = book.chunk_length[side, chunk] - 1
    for index in range(position, length):
        book.far_ranks[side, place, index] = book.far_ranks[side, place, index + 1]
        book.far_sizes[side, place, index] = book.far_sizes[side, place, index + 1]
    book.chunk_length[side, chunk] = length
    book.chunk_first[side, chunk] = book.far_ranks[side, place, 0]
    book.window[side, LEVELS] -= 1
    book.window[side, FAR_LEVELS] -= 1
    half = book.far_ranks.shape[2] // 2
    if length == 0:
        close_chunk(book, side, chunk)
    elif chunk > 0 and book.chunk_length[side, chunk - 1] + length <= half:
        move_tail(book, side, chunk, 0, chunk - 1)
        close_chunk(book, side, chunk)
    elif (
        chunk + 1 < book.window[side, CHUNKS]
        and book.chunk_length[side, chunk + 1] + length <= half
    ):
        move_tail(book, side, chunk + 1, 0, chunk)
        close_chunk(book, side, chunk + 1)


@inner
def first_slot(book: Book, side: Integer) -> Integer:
    """Return the first taken slot of a side's ladder, or -1 when there is none."""
    for summary_at in range(book.summary.shape[1]):
        bits = book.summary[side, summary_at]
        if bits != np.uint64(0):
            word_at = (summary_at << 6) + trailing_zeros(bits)
            return (word_at << 6) + trailing_zeros(book.words[side, word_at])
    return -1


@inner
def best_rank(book: Book, side: Integer) -> Integer:
    """Return the rank of the best level of a side that has one."""
    window = book.window
    best = UNTOUCHED
    slot = first_slot(book, side)
    if slot >= 0:
        best = (window[side, BASE] + slot) * window[side, STEP]
    if window[side, CHUNKS] > 0:
        best = min(best, book.chunk_first[side, 0])
    return best


@inner
def copy_far(
    book: Book,
    side: Integer,
    first: Integer,
    limit: Integer,
    sign: Integer,
    lane: Integer,
    prices: Int64s,
    sizes: Int64s,
    filled: Integer,
    end: Integer,
) -> Integer:
    """Write far levels of rank in [first, limit) best first; see ``copy_levels``."""
    chunk, position = find_far(book, side, first)
    while filled < end and chunk < book.window[side, CHUNKS]:
        place = book.chunk_place[side, chunk]
        while filled < end and position < book.chunk_length[side, chunk]:
            rank = book.far_ranks[side, place, position]
            if rank >= limit:
                return filled
            prices[lane, filled] = sign * rank
            sizes[lane, filled] = book.far_sizes[side, place, position]
            filled += 1
            position += 1
        chunk, position = chunk + 1, 0
    return filled


@inlined
def copy_levels(
    book: Book,
    side: Integer,
    first: Integer,
    sign: Integer,
    lane: Integer,
    prices: Int64s,
    sizes: Int64s,
    filled: Integer,
    end: Integer,
) -> Integer:
    """Write the levels of rank ``first`` and worse, best first, into a lane of two arrays.

    Args:
        book: The book.
        side: BID or ASK.
        first: The best rank to write; of a level there is, or that there was, or the smallest
            int64 for all.
        sign: 1 to write ranks or ask prices, -1 to write bid prices.
        lane: The row of ``prices`` and ``sizes`` to write to.
        prices: (lanes, room) sign × rank.
        sizes: (lanes, room) lots.
        filled: The position in the lane to begin at.
        end: The position to stop at.

    Returns:
        The position after the last level written.
    """
    window = book.window
    step, base, length = window[side, STEP], window[side, BASE], window[side, LENGTH]
    far_levels = window[side, FAR_LEVELS]
    window_first, window_last = base * step, (base + length - 1) * step
    if far_levels > 0 and first < window_first and book.chunk_first[side, 0] < window_first:
        filled = copy_far(book, side, first, window_first, sign, lane, prices, sizes, filled, end)
    if filled < end and length > 0 and first <= window_last:
        slot = 0 if first < window_first else first // step - base
        words, summary, slot_sizes = book.words, book.summary, book.sizes
        origin, price_step = sign * base * step, sign * step
        summaries = np.uint64(summary.shape[1])
        six, low_six, one, none = np.uint64(6), np.uint64(63), np.uint64(1), np.uint64(0)
        word_at = np.uint64(slot) >> six
        word = words[side, word_at] & (~none << (np.uint64(slot) & low_six))
        while filled < end:
            if word == none:
                word_at += one
                summary_at = word_at >> six
                if summary_at >= summaries:
                    break
                bits = summary[side, summary_at] & (~none << (word_at & low_six))
                while bits == none:
                    summary_at += one
                    if summary_at >= summaries:
                        break
                    bits = summary[side, summary_at]
                if bits == none:
                    break
                word_at = (summary_at << six) + np.uint64(trailing_zeros(bits))
                word = words[side, word_at]
            at = (word_at << six) + np.uint64(trailing_zeros(word))
            word &= word - one
            prices[lane, filled] = origin + np.int64(at) * price_step
            sizes[lane, filled] = slot_sizes[side, at]
            filled += 1
    if filled < end and far_levels > 0:
        filled = copy_far(
            book,
            side,
            max(first, window_last + 1),
            np.int64(UNTOUCHED),
            sign,
            lane,
            prices,
            sizes,
            filled,
            end,
        )
    return filled


@compiled
def copy_side(
    book: Book, side: Integer, sign: Integer, prices: Int64s, sizes: Int64s, filled: Integer
) -> None:
    """Write all levels of a side into lane 0 from ``filled`` on; see ``copy_levels``."""
    end = filled + book.window[side, LEVELS]
    # numba compiles a function once more for a literal; these are no literals.
    first, lane = np.int64(EVERYTHING_TOUCHED), np.int64(0)
    copy_levels(book, side, first, sign, lane, prices, sizes, filled, end)


@inner
def place_window(book: Book, side: Integer, step: Integer, best: Integer) -> None:
    """Lay the empty ladder of a side around ``best``, a quarter of it for better prices."""
    window = book.window
    slots = book.sizes.shape[1]
    shift = trailing_zeros(np.uint64(step))
    odd = step >> shift
    inverse = odd  # right in the lowest 3 bits; each round of Newton's method doubles them
    for _ in range(5):
        inverse *= 2 - odd * inverse
    limit = 2 * PRICE_LIMIT // step
    base = max(best // step - slots // 4, -limit)
    window[side, STEP] = step
    window[side, SHIFT] = shift
    window[side, INVERSE] = inverse
    window[side, LOW_BITS] = (1 << shift) - 1
    window[side, BASE] = base
    window[side, LENGTH] = min(slots, limit - base + 1)
    window[side, MISSES] = 0


@inner
def clear_side(book: Book, side: Integer) -> None:
    """Remove every level of a side; the step is found anew. Costs in proportion to its levels."""
    none = np.uint64(0)
    for summary_at in range(book.summary.shape[1]):
        bits = book.summary[side, summary_at]
        while bits != none:
            word_at = (summary_at << 6) + trailing_zeros(bits)
            bits &= bits - np.uint64(1)
            word = book.words[side, word_at]
            while word != none:
                book.sizes[side, (word_at << 6) + trailing_zeros(word)] = 0
                word &= word - np.uint64(1)
            book.words[side, word_at] = none
        book.summary[side, summary_at] = none
    for column in (STEP, BASE, LENGTH, LEVELS, FAR_LEVELS, CHUNKS, MISSES):
        book.window[side, column] = 0
    book.window[side, TOUCHED] = EVERYTHING_TOUCHED


@compiled
def has_room(book: Book, levels: Integer) -> bool:
    """Return whether ``load_side`` can put ``levels`` levels into chunks, however they lie."""
    chunks, chunk_levels = book.far_ranks.shape[1:]
    return bool(levels // (chunk_levels * 3 // 4) + 2 <= chunks)


@compiled
def load_side(book: Book, side: Integer, step: Integer, best: Integer, levels: Integer) -> None:
    """Fill an empty side with the levels in the book's spare arrays; there must be room.

    Args:
        book: The book; ranks ascending in ``spare_ranks``, positive lots in ``spare_sizes``.
        side: BID or ASK.
        step: A common divisor of all ranks and of ``best``.
        best: The rank to centre the window on.
        levels: How many there are.
    """
    place_window(book, side, step, best)
    window = book.window
    full = book.far_ranks.shape[2] * 3 // 4
    for index in range(levels):
        rank, size = book.spare_ranks[0, index], book.spare_sizes[0, index]
        slot = slot_of(book, side, rank)
        if slot >= 0:
            set_slot(book, side, slot, size)
            continue
        chunk = window[side, CHUNKS] - 1
        if chunk < 0 or book.chunk_length[side, chunk] == full:
            chunk += 1
            open_chunk(book, side, chunk)
        insert_far(book, side, chunk, book.chunk_length[side, chunk], rank, size)


@inner
def rebuild_side(book: Book, side: Integer, step: Integer, best: Integer) -> None:
    """Lay a side out anew with another step or another centre; there must be room."""
    levels, touched = book.window[side, LEVELS], book.window[side, TOUCHED]
    sign, filled = np.int64(1), np.int64(0)
    copy_side(book, side, sign, book.spare_ranks, book.spare_sizes, filled)
    clear_side(book, side)
    load_side(book, side, step, best, levels)
    book.window[side, TOUCHED] = touched


@inner
def set_outside(book: Book, side: Integer, rank: Integer, size: Integer) -> Integer:
    """Set the size at a rank that the ladder does not hold; the slow path of ``set_level``.

    Returns:
        TAKEN; ORPHAN for a delete of what is not there; NEEDS_ROOM when nothing was done because
        the chunks do not suffice (``with_more_room``, then again).
    """
    window = book.window
    step, levels = window[side, STEP], window[side, LEVELS]
    if size == 0:
        chunk, position = find_far(book, side, rank)
        if not is_far_level(book, side, chunk, position, rank):
            return ORPHAN
    if levels == 0:
        step = greatest_common_divisor(step, rank)
        place_window(book, side, max(step, 1), rank)
        return set_slot(book, side, slot_of(book, side, rank), size)

    best = min(best_rank(book, side), rank)
    if rank % step != 0:
        step = greatest_common_divisor(step, rank)
        rebuild = True
    else:
        slots = book.sizes.shape[1]
        steps_from_start = rank // step - (best // step - slots // 4)
        would_be_near = steps_from_start < slots
        window[side, MISSES] += would_be_near
        rebuild = would_be_near and window[side, MISSES] > 64 + (levels >> 4)
    if rebuild:
        if not has_room(book, levels):
            return NEEDS_ROOM
        rebuild_side(book, side, step, best)
        slot = slot_of(book, side, rank)
        if slot >= 0:
            return set_slot(book, side, slot, size)

    chunk, position = find_far(book, side, rank)
    if not is_far_level(book, side, chunk, position, rank):
        return insert_far(book, side, chunk, position, rank, size)
    if size == 0:
        remove_far(book, side, chunk, position)
    else:
        book.far_sizes[side, book.chunk_place[side, chunk], position] = size
    return TAKEN


@inlined
def write_side(book: Book, rows: RowArrays, side: Integer, row: Integer, depth: Integer) -> None:
    """Write the best levels of a side into row ``row``.

    What was better than the best rank touched since the row before is copied from that row; the
    rest is read from the book.
    """
    prices, sizes = rows.price_ticks, rows.size_lots
    sign = 2 * side - 1
    touched = book.window[side, TOUCHED]
    filled = np.int64(rows.offsets[side, row])
    end = filled + min(np.int64(depth), book.window[side, LEVELS])
    if row > 0:
        source = np.int64(rows.offsets[side, row - 1])
        kept_end = min(filled, source + end - filled)
        while source < kept_end and sign * prices[side, source] < touched:
            prices[side, filled] = prices[side, source]
            sizes[side, filled] = sizes[side, source]
            source += 1
            filled += 1
    else:
        touched = EVERYTHING_TOUCHED
    if filled < end:
        copy_levels(book, side, touched, sign, side, prices, sizes, filled, end)
    rows.offsets[side, row + 1] = end
    book.window[side, TOUCHED] = UNTOUCHED


@inlined
def write_row(book: Book, rows: RowArrays, progress: Int64s, depth: Integer) -> None:
    """Write the row of the frame that ``progress`` describes, and begin the next."""
    row = progress[ROWS_WRITTEN]
    for side in range(2):
        write_side(book, rows, side, row, depth)
    bid, ask = rows.offsets[BID, row], rows.offsets[ASK, row]
    rows.frames[row] = progress[FRAME]
    rows.flags[0, row] = progress[IS_VALID] != 0
    rows.flags[1, row] = (
        book.window[BID, LEVELS] > 0
        and book.window[ASK, LEVELS] > 0
        and rows.price_ticks[BID, bid] >= rows.price_ticks[ASK, ask]
    )
    rows.flags[2, row] = progress[HAS_SNAPSHOT] != 0
    rows.counts[0, row] = progress[UPDATES]
    rows.counts[1, row] = progress[DELETES]
    rows.counts[2, row] = progress[ORPHAN_DELETES]
    rows.counts[3, row] = book.window[BID, LEVELS]
    rows.counts[4, row] = book.window[ASK, LEVELS]
    progress[ROWS_WRITTEN] = row + 1
    for element in (IS_TOUCHED, HAS_SNAPSHOT, UPDATES, DELETES, ORPHAN_DELETES):
        progress[element] = 0


@compiled
def replay_rows(
    book: Book,
    progress: Int64s,
    frames: Int64s,
    kinds: NDArray[np.int8],
    sides: NDArray[np.int8],
    price_ticks: Int64s,
    size_lots: Int64s,
    depth: Integer,
    rows: RowArrays,
) -> bool:
    """Apply checked updates from ``progress[NEXT_ROW]`` on, and write a row per touched frame.

    Returns:
        True at the end; False when the book needs more room first (``with_more_room``): call again
        with the same arguments to go on where this call stopped.
    """
    updates, deletes = progress[UPDATES], progress[DELETES]
    orphan_deletes = progress[ORPHAN_DELETES]
    touched = progress[IS_TOUCHED]
    frame = progress[FRAME]
    window = book.window
    for index in range(progress[NEXT_ROW], frames.size + 1):
        if index == frames.size or frames[index] != frame:
            if touched:
                progress[UPDATES], progress[DELETES] = updates, deletes
                progress[ORPHAN_DELETES] = orphan_deletes
                write_row(book, rows, progress, depth)
                updates, deletes, orphan_deletes, touched = 0, 0, 0, 0
            if index == frames.size:
                break
            frame = frames[index]
            progress[FRAME] = frame
        kind = kinds[index]
        if kind == UPDATE:
            side = np.int64(sides[index])
            size = size_lots[index]
            rank = price_ticks[index] * (2 * side - 1)
            slot = slot_of(book, side, rank)
            if slot >= 0:
                answer = set_slot(book, side, slot, size)
            else:
                answer = set_outside(book, side, rank, size)
                if answer == NEEDS_ROOM:
                    progress[NEXT_ROW] = index
                    progress[UPDATES], progress[DELETES] = updates, deletes
                    progress[ORPHAN_DELETES] = orphan_deletes
                    progress[IS_TOUCHED] = touched
                    return False
            orphan_deletes += answer
            changed = rank if answer == TAKEN else UNTOUCHED
            window[side, TOUCHED] = min(window[side, TOUCHED], changed)
            updates += 1
            deletes += size == 0
            touched = 1
        elif kind == GAP:
            progress[IS_VALID] = 0
        else:
            touched = 1
            if kind == SNAPSHOT:
                for cleared in range(2):
                    clear_side(book, cleared)
                progress[IS_VALID] = 1
                progress[HAS_SNAPSHOT] = 1
    progress[NEXT_ROW] = frames.size
    return True


@compiled
def check_updates(
    frames: Int64s,
    kinds: NDArray[np.int8],
    sides: NDArray[np.int8],
    price_ticks: Int64s,
    size_lots: Int64s,
    last_frame: Integer,
) -> tuple[Integer, Integer, Integer]:
    """Return (frames that get a row, what is wrong or SOUND, index of the update it is wrong in).

    ``last_frame`` is the last frame already replayed: the first of these must come after it, and
    none may be smaller than the one before it.
    """
    touched_frames = 0
    previous = last_frame
    touched = True
    for index in range(frames.size):
        frame = frames[index]
        if frame != previous or index == 0:
            if frame <= previous:
                return touched_frames, BAD_FRAME, index
            previous = frame
            touched = False
        kind = kinds[index]
        if kind < UPDATE or kind > TOUCH:
            return touched_frames, BAD_KIND, index
        if kind == UPDATE:
            if sides[index] != BID and sides[index] != ASK:
                return touched_frames, BAD_SIDE, index
            if price_ticks[index] > PRICE_LIMIT or price_ticks[index] < -PRICE_LIMIT:
                return touched_frames, BAD_PRICE, index
            if size_lots[index] < 0:
                return touched_frames, BAD_SIZE, index
        if not touched and kind != GAP:
            touched_frames += 1
            touched = True
    return touched_frames, SOUND, 0
