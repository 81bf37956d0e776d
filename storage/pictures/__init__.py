"""Pictures come and go, and are read back: folders, records, thumbnails, copies of one another."""
