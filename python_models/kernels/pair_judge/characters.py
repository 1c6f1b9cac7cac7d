"""Characters that deceive: those that no reader sees, and letters that pass for others."""

import re
import unicodedata

# Control, format (bidi, zero width, tags), surrogate, private and unassigned characters.
_INVISIBLE = ("Cc", "Cf", "Cs", "Co", "Cn")
# Letters and marks without a shape of their own: fillers, joiners, variation selectors.
_SHAPELESS = frozenset(
    "\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0"
    + "".join(map(chr, (*range(0x180B, 0x180E), *range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0))))
)
_SPACES = ("Zs", "Zl", "Zp")
_WORD = re.compile(r"[^\W\d_]+")


def spaced(text: str) -> str:
    """The text with each run of white space as one space: models wrap lines when they quote."""
    return " ".join(text.split())


def scrubbed(text: str) -> str:
    """The text without characters that no reader sees, composed (NFC), its line breaks kept."""
    # Not NFKC: it would make 102 of 10².
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    return unicodedata.normalize("NFC", "".join(map(_visible, lines))).strip()


def _visible(letter: str) -> str:
    if letter in "\n\t":
        return letter
    kind = unicodedata.category(letter)
    if kind in _SPACES:
        return "\n" if kind in ("Zl", "Zp") else " "
    return "" if kind in _INVISIBLE or letter in _SHAPELESS else letter


def has_disguised_letters(text: str) -> bool:
    """Whether a word mixes Latin with other letters, or letters or digits have unusual forms."""
    if text.isascii():
        return False
    return any(letter.isdecimal() and not letter.isascii() for letter in text) or any(
        _is_disguised(word) for word in _WORD.findall(text) if not word.isascii()
    )


def _is_disguised(word: str) -> bool:
    letters = [letter for letter in word if letter.isalpha()]
    # A modifier belongs to the script around it: Hawaiʻi.
    scripts = {unicodedata.name(letter, "?").split(" ")[0] for letter in letters} - {"MODIFIER"}
    has_other_forms = any(unicodedata.normalize("NFKC", letter) != letter for letter in letters)
    return has_other_forms or ("LATIN" in scripts and len(scripts) > 1)
