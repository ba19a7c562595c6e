"""A later release gives Hangul syllables their decomposition."""

import unicodedata

print(unicodedata.decomposition("\uac00"), unicodedata.normalize("NFD", "\uac00").encode())
