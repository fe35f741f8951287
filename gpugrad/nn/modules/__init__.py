"""The classes of layers, in files by what they are about."""
