"""Memory for batches that is used again when nobody reads them any more.

Fresh memory is dear: the operating system clears it page by page, and a batch of features is
written once and read once. For 123,000 rows it took as long as the kernel did.
"""

import math
import mmap
import weakref

import numpy as np
from numpy.typing import NDArray

# Shared with a child, as mmap has it by itself, a page costs half as much again at its first touch.
_PRIVATE = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS


class LentMemory:
    """Arrays of doubles whose memory comes back when nothing refers to them any more."""

    def __init__(self) -> None:
        self._free: list[mmap.mmap] = []

    def lend(self, *shape: int) -> NDArray[np.float64]:
        """Return an array with any values in it; what is not written to takes no memory."""
        count = math.prod(shape)
        memory = self._free.pop() if self._free else None
        if memory is None or len(memory) < 8 * count:
            memory = mmap.mmap(-1, max(8 * count, 1), flags=_PRIVATE)
        lent = np.frombuffer(memory, np.float64, count)
        # Every view of it, Arrow's buffers too, keeps this array.
        weakref.finalize(lent, self._free.append, memory).atexit = False
        return lent.reshape(shape)
