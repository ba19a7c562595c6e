"""The one exception that the pipeline shows to people."""


class BuildError(Exception):
    """A step cannot go on; the text says what is wrong and, if known, what to do about it."""
