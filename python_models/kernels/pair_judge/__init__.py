"""The judge of pairs: a language model that is asked, once, whether two contracts are the same."""
