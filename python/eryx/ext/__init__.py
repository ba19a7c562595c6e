"""Adapters for frameworks of agents, for Jupyter, and for clusters of Ray and Dask.

Each is a module with the name of its package, which has to be imported by that name, such as
``eryx.ext.langchain``, and takes what ``pip install 'eryx-sandbox[langchain]'`` brings. The folder
``docs/agents`` has a page for each of the first, ``docs/scale.md`` is about clusters.
"""
