"""Errors of the wire, each with a stable ``code`` that a client may match on.

::

    HubError                     internal_error
    ├── BusError                 bus_error
    │   ├── UnknownPeer          unknown_peer
    │   └── PeerOverrun          peer_overrun
    └── ProtocolError            protocol_error
        ├── MalformedFrame       malformed_frame
        ├── UnknownVersion       unknown_version
        ├── UnknownTopic         unknown_topic      (counted and skipped, never fatal)
        ├── FrameTooLarge        frame_too_large
        ├── BadAudio             bad_audio
        ├── BadPicture           bad_picture
        │   └── PictureTooLarge  picture_too_large
        └── BadIdentity          bad_identity       (a robot_id outside its alphabet)
"""

from typing import ClassVar


class HubError(Exception):
    """Anything Robot Hub raises on purpose; ``code`` is stable, the text is for people."""

    code: ClassVar[str] = "internal_error"


class ProtocolError(HubError):
    """What came over a wire is not what the protocol allows."""

    code = "protocol_error"


class MalformedFrame(ProtocolError):
    """A frame that cannot be decoded, or whose fields have the wrong types."""

    code = "malformed_frame"


class UnknownVersion(ProtocolError):
    """A frame of a wire version that this build does not speak."""

    code = "unknown_version"


class UnknownTopic(ProtocolError):
    """A topic that this build's catalog does not hold; tolerant readers count and skip it."""

    code = "unknown_topic"


class FrameTooLarge(ProtocolError):
    """A frame above the limit of its lane."""

    code = "frame_too_large"


class BadAudio(ProtocolError):
    """Audio bytes that are not whole samples of the declared format."""

    code = "bad_audio"


class BadPicture(ProtocolError):
    """A camera picture that is not what its header or its robot's ``hello`` says."""

    code = "bad_picture"


class PictureTooLarge(BadPicture):
    """A camera picture of too many bytes or pixels."""

    code = "picture_too_large"


class BadIdentity(ProtocolError):
    """A robot_id that is missing, too long or outside ``[A-Za-z0-9._-]``."""

    code = "bad_identity"


class BusError(HubError):
    """The bus cannot do what was asked of it."""

    code = "bus_error"


class UnknownPeer(BusError):
    """A command for an instance that is not linked."""

    code = "unknown_peer"


class PeerOverrun(BusError):
    """A control queue is at its bound: its peer does not keep up and is disconnected."""

    code = "peer_overrun"
