"""The vectors of each model, and which of them are nearest. The database is the truth, FAISS a copy."""
