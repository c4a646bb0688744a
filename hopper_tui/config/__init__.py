"""Configuration files: the addendum's three YAML formats, validated, cached when unchanged."""
