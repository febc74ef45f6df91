"""The file any shop can export: JSON Lines, read into typed lines. ``docs/import-format.md`` is its page."""
