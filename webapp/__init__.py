"""The web: Flask only here."""
