"""What can go wrong on the robot's side.

::

    HubError
    └── RobotError                robot_error
        ├── UnreadableRecording   unreadable_recording
        ├── UnreadablePictures    unreadable_pictures
        ├── BadScenario           bad_scenario
        ├── BadLoad               bad_load
        ├── NoAudioDevice         no_audio_device
        ├── NoFacePort            no_face_port
        ├── NoCamera              no_camera
        ├── NoWakeWord            no_wake_word
        ├── NoMuteButton          no_mute_button
        ├── NoHubFound            no_hub_found
        ├── BadOrder              bad_order      (the command line asks for what cannot be meant)
        ├── PairingFailed         pairing_failed
        ├── NoDrawing             no_drawing
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


class NoFacePort(RobotError):
    """The port of a face cannot be used."""

    code = "no_face_port"


class NoCamera(RobotError):
    """The camera's program cannot be started, or gives no pictures."""

    code = "no_camera"


class NoWakeWord(RobotError):
    """No wake word can be heard on the robot."""

    code = "no_wake_word"


class NoMuteButton(RobotError):
    """The button of the microphone cannot be read."""

    code = "no_mute_button"


class NoHubFound(RobotError):
    """No hub announces itself in this network, or not the one that the robot is paired with."""

    code = "no_hub_found"


class BadOrder(RobotError):
    """The command line asks for what cannot be meant."""

    code = "bad_order"


class PairingFailed(RobotError):
    """The hub did not take this robot: nobody confirmed its code in time, or it does not pair."""

    code = "pairing_failed"


class NoDrawing(RobotError):
    """A face cannot be drawn into a file here."""

    code = "no_drawing"


class HubNotReady(RobotError):
    """The hub did not become ready in time."""

    code = "hub_not_ready"


class LinkGone(RobotError):
    """The hub closed the connection with a code after which a robot must not come back.

    ``close_code`` is that code, 0 where another hub than the robot's own answered.
    """

    code = "link_gone"

    def __init__(self, reason: str, close_code: int = 0) -> None:
        super().__init__(reason)
        self.close_code = close_code
