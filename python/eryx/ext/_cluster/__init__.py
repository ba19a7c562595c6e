"""What `eryx.ext.ray` and `eryx.ext.dask` have in common: all but how a message is sent."""
