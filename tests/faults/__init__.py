"""Sayso broken on purpose: processes killed at any moment, disks that are full or gone, files damaged, many people at once.

The short form is part of `make test`; `make soak` runs the long one (`--long`).
"""
