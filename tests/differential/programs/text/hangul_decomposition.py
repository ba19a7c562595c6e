"""The decomposition of Hangul syllables."""

import unicodedata

print(unicodedata.decomposition("\uac00"), unicodedata.normalize("NFD", "\uac00").encode())
