"""What can go wrong on the robot's side.

::

    HubError
    └── RobotError                robot_error
        ├── UnreadableRecording   unreadable_recording
        ├── UnreadablePictures    unreadable_pictures
        ├── BadScenario           bad_scenario
        ├── BadLoad               bad_load
        ├── NoAudioDevice         no_audio_device
        ├── HubNotReady           hub_not_ready
        └── LinkGone              link_gone      (the hub will not have this robot back)
"""

from protocols.errors import HubError


class RobotError(HubError):
    """Anything the simulated robot raises on purpose."""

    code = "robot_error"


class UnreadableRecording(RobotError):
    """An audio file is missing or cannot be decoded."""

    code = "unreadable_recording"


class UnreadablePictures(RobotError):
    """A folder holds no pictures that a camera could send."""

    code = "unreadable_pictures"


class BadScenario(RobotError):
    """A scenario file does not say what a scenario must say."""

    code = "bad_scenario"


class BadLoad(RobotError):
    """A load is asked for that cannot be meant, or of a hub that cannot bear it."""

    code = "bad_load"


class NoAudioDevice(RobotError):
    """The real microphone or loudspeaker cannot be used."""

    code = "no_audio_device"


class HubNotReady(RobotError):
    """The hub did not become ready in time."""

    code = "hub_not_ready"


class LinkGone(RobotError):
    """The hub closed the connection with a code after which a robot must not come back."""

    code = "link_gone"
