"""The sections of the Measure tab, a module each: `build(studio, page, tab)` lays out, wires and registers its jobs."""
