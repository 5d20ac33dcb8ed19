"""Engines that several trades stand on. A heavy library is imported when its engine is started."""
