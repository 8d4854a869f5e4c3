"""Sample corpora: grammars and rules as code, word lists as data files."""
