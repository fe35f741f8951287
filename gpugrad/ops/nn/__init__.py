"""The operations of networks, declared; imported when ``gpugrad.nn`` is, or a name of theirs."""
