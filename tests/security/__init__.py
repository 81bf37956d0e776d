"""Attacks on a running server and on what it reads. Each is a line of a table: what is tried, what must come of it.

Routes and events are taken from the app itself, so that a new one is attacked without anyone thinking of it. The short form
takes seconds; `make soak` runs the long one (`--long`).
"""
