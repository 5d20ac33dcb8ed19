"""Which book feelings keep the day in."""

from pkgutil import resolve_name

from agents.feelings.backends.base import BOOKS, DayBook
from agents.feelings.settings import FeelingsSettings


def chosen(settings: FeelingsSettings) -> DayBook:
    """The book that ``settings`` name."""
    kind = resolve_name(BOOKS[settings.backend])
    book: DayBook = kind(settings.directory) if settings.backend == "file" else kind()
    return book
