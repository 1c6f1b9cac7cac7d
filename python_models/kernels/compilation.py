"""How this project compiles its kernels with numba.

Three things that numba leaves to its user are settled here, once:

* **Where compiled code is kept.** ``numba.njit(cache=True)`` raises at import when neither the
  package's ``__pycache__`` nor the user's cache directory can be written (a read-only image, a
  user without a home). ``compiled`` then compiles without a cache: the first call of a process
  costs the compile time again, and nothing else changes.
* **Who calls it.** Most functions are called by compiled ones only: ``inner`` and ``inlined``.
* **Types.** A decorated function keeps its Python signature for the type checker.

numba decides whether cached code is fresh by the source of the file that defines the function, not
by the files it calls. Compiled functions that call each other therefore live in one file.
"""

from collections.abc import Callable
from typing import Any, NoReturn, ParamSpec, TypeVar, cast

import numba
import numpy as np
from llvmlite import ir
from numba.core import types
from numba.core.registry import CPUDispatcher
from numba.extending import intrinsic

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")


_OPTIONS: dict[str, Any] = {
    "nogil": True,
    "boundscheck": False,
    "error_model": "numpy",
    "_nrt": False,
}


class _Inner(CPUDispatcher):
    """A compiled function without what Python needs to call it."""

    def __call__(self, *_arguments: object, **_named: object) -> NoReturn:
        name = self.py_func.__name__
        raise TypeError(f"{name} is for compiled functions; Python's is {name}.py_func")


def compiled(function: Callable[Parameters, Result]) -> Callable[Parameters, Result]:
    """Compile ``function``, which Python calls, to machine code at its first call, and keep the
    code where possible.

    Args:
        function: A function of NumPy arrays, named tuples of them and scalars, in numba's subset
            of Python, that makes no array of its own. It runs without bounds checks and without
            the interpreter.

    Returns:
        The compiled function. ``.py_func`` is the Python one, for step-by-step debugging.
    """
    try:
        return _jit(function, cache=True)
    except RuntimeError as error:
        # numba's words when no cache directory can be written: "cannot cache function …".
        if "cannot cache function" not in str(error):
            raise
        return _jit(function)


def inner(function: Callable[Parameters, Result]) -> Callable[Parameters, Result]:
    """Compile ``function`` for compiled functions only: the code is kept with theirs, and what
    Python would call it by, a third of the time to compile it, is not made. It raises TypeError
    when Python calls it."""
    return _inner(function)


def inlined(function: Callable[Parameters, Result]) -> Callable[Parameters, Result]:
    """The same, put into its callers by LLVM (for the few instructions of a hot loop)."""
    return _inner(function, forceinline=True)


def _inner(function: Callable[Parameters, Result], **more: Any) -> Callable[Parameters, Result]:
    made = _jit(function, no_cpython_wrapper=True, no_cfunc_wrapper=True, **more)
    if isinstance(made, CPUDispatcher):  # not with NUMBA_DISABLE_JIT
        made.__class__ = _Inner
    return made


def _jit(function: Callable[Parameters, Result], **more: Any) -> Callable[Parameters, Result]:
    return cast(Callable[Parameters, Result], numba.njit(**_OPTIONS, **more)(function))


def _trailing_zeros_of(typing_context: Any, word: Any) -> Any:
    """Tell numba how to count: by LLVM's ``cttz`` on an unsigned 64-bit word."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.cttz(arguments[0], ir.Constant(ir.IntType(1), 1))

    return types.int64(types.uint64), generate


# What numba makes of it takes one argument, without the context.
_count_trailing_zeros = cast(Callable[[np.uint64], int], intrinsic(_trailing_zeros_of))


@inlined
def trailing_zeros(word: np.uint64) -> int:
    """Return the position of the lowest set bit of a uint64; undefined for 0 (one instruction)."""
    return _count_trailing_zeros(word)
