"""The build pipeline: from pinned inputs to the native guest library and its memory image."""
