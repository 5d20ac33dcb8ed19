"""Random bytes for the face protocol: ``python -m tests.protocols.face_streams [STREAMS]``."""

import random
import sys

from protocols.codecs.face import FaceReader, encode_telemetry, read_command
from protocols.codecs.serial import Deframer
from protocols.errors import ProtocolError
from protocols.face import Touch


def survived(numbers: random.Random, streams: int) -> int:
    """How many random streams a face and a host have read without an exception, in step after
    each."""
    reader, told = FaceReader(), Touch(0, 1, 2)
    good = encode_telemetry(told, 1)
    for _ in range(streams):
        data = numbers.randbytes(numbers.randrange(1, 48))
        reader.feed(data + b"\0")
        for frame in Deframer().feed(data + b"\0"):
            for version in (1, 2):
                try:
                    read_command(frame, version)
                except ProtocolError:
                    continue
        assert [one for one, _ in reader.feed(good)] == [told]
    return streams


if __name__ == "__main__":
    streams = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    print(f"{survived(random.Random(0), streams)} random streams, in step after each")  # noqa: T201
