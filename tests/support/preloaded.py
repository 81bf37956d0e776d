"""What a served page or a training needs, imported once for all processes that `processes` forks; it starts no thread."""

import alembic.command
import faiss
import gradio
import open_clip
import sklearn.linear_model
import sklearn.metrics
import torch

import app
import storage
import ui.page
import ui.server
import ui.theme

__all__ = ["alembic", "app", "faiss", "gradio", "open_clip", "sklearn", "storage", "torch", "ui"]
