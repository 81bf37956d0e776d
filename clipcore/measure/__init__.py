"""What a classifier is worth: measured on labelled images, always with the number of images and an interval."""

from .report import Report, evaluate

__all__ = ["Report", "evaluate"]
