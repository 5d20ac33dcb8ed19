"""Errors of the memory agent.

::

    AgentError
    ├── BadName              bad_name          of a knowledge base or a document
    ├── BadQuery             bad_query
    ├── BadTexts             bad_texts         what is to be embedded is no list of texts
    ├── NotText              not_text          a document is not UTF-8 text
    ├── EmptyDocument        empty_document
    ├── UnknownBase          unknown_base      no knowledge base has that name
    ├── BaseFull             base_full         a limit of ``limits.py`` is reached
    ├── NoRobot              no_robot          a robot's memory is asked for without its name
    └── StoreFailed          memory_failed     the file cannot be read or written
        ├── DiskFull         disk_full
        ├── StoreLocked      memory_locked     another program holds the file
        └── StoreTooNew      memory_too_new    a newer Robot Hub wrote it
"""

from agents.runtime.errors import AgentError


class BadName(AgentError):
    """The name of a knowledge base or of a document is not one that may be given."""

    code = "bad_name"


class BadQuery(AgentError):
    """There is nothing in the query that could be looked for, or too much of it."""

    code = "bad_query"


class BadTexts(AgentError):
    """What is to be embedded is no JSON array of texts, or too many of them."""

    code = "bad_texts"


class NotText(AgentError):
    """The bytes of a document are not UTF-8 text."""

    code = "not_text"


class EmptyDocument(AgentError):
    """A document has no words."""

    code = "empty_document"


class UnknownBase(AgentError):
    """No knowledge base has that name: one begins with its first document and ends with its last."""

    code = "unknown_base"


class BaseFull(AgentError):
    """A knowledge base, or the number of them, is at its limit. What it holds stays as it was."""

    code = "base_full"


class NoRobot(AgentError):
    """An order on a robot's memory does not say which robot's."""

    code = "no_robot"


class StoreFailed(AgentError):
    """The file cannot be read or written, or is damaged."""

    code = "memory_failed"


class DiskFull(StoreFailed):
    """Its disk has no room, or fails. Nothing of the order was kept."""

    code = "disk_full"


class StoreLocked(StoreFailed):
    """Another program holds the file. Nothing of the order was kept; it may be given again."""

    code = "memory_locked"


class StoreTooNew(StoreFailed):
    """A newer Robot Hub wrote the file."""

    code = "memory_too_new"
