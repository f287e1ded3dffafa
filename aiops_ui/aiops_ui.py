"""The app."""

from engine.start import Web
