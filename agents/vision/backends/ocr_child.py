"""The child process that reads text: rapidocr, one picture at a time."""

import logging
from typing import Any

from agents.engines.pictures import decode
from agents.runtime.errors import AgentError, BackendUnavailable

MAX_SIDE = 4_096
"""Larger screens are read at this size; their letters stay large enough."""
MIN_SIDE = 64
MAX_RATIO = 4
"""Narrower ones get a white margin: the reader enlarges what is small by its short side, and would
take a minute for a strip."""
MAX_LINES = 1_000


class OcrChild:
    """See ``agents/runtime/worker.py``: what its methods take and give is msgpack's."""

    def __init__(self, threads: int) -> None:
        try:
            from rapidocr import RapidOCR
        except ImportError as error:
            raise BackendUnavailable(
                f"rapidocr is not installed; install robot-hub[vision] ({error})"
            ) from error
        logging.getLogger("RapidOCR").setLevel(logging.ERROR)
        onnx = "EngineConfig.onnxruntime"
        self._engine: Any = RapidOCR(
            params={
                "Global.log_level": "error",
                "Global.use_cls": False,
                "Global.return_word_box": True,
                f"{onnx}.intra_op_num_threads": threads,
                f"{onnx}.inter_op_num_threads": 1,
            }
        )
        self._selftest()

    def read(self, picture: bytes) -> list[Any]:
        """Width and height of the picture, and its lines: each as a whole and its words, each a
        text, left, top, right, bottom and the confidence.

        Raises:
            AgentError: ``bad_picture``, or ``ocr_failed``: rapidocr cannot do anything with it.
        """
        image = decode(picture, 0)
        width, height = image.size
        image.thumbnail((MAX_SIDE, MAX_SIDE))
        scale = width / image.width
        try:
            found = self._engine(_pixels(image))
        except Exception as error:  # its own classes, OpenCV's and onnxruntime's
            raise AgentError(f"rapidocr failed: {error!r}", "ocr_failed") from error
        if found.boxes is None:
            return [width, height, []]
        words = found.word_results or ((),) * len(found.boxes)
        parts = zip(found.boxes, found.txts, found.scores, words, strict=True)
        lines = [
            [
                _word(text, box, score, scale),
                [_word(w, corners, sure, scale) for w, sure, corners in of if corners is not None],
            ]
            for box, text, score, of in parts
        ]
        return [width, height, lines[:MAX_LINES]]

    def _selftest(self) -> None:
        """Read a page, so that the first who asks waits no longer than the next."""
        import numpy

        self._engine(numpy.full((64, 256, 3), 255, numpy.uint8))


def _pixels(image: Any) -> Any:
    """An image as OpenCV has it: blue, green, red."""
    import numpy
    from PIL import Image

    width, height = image.size
    least = max(MIN_SIDE, max(width, height) // MAX_RATIO)
    if min(width, height) < least:
        padded = Image.new("RGB", (max(width, least), max(height, least)), "white")
        padded.paste(image, (0, 0))
        image = padded
    return numpy.ascontiguousarray(numpy.asarray(image)[:, :, ::-1])


def _word(text: str, corners: Any, score: float, scale: float) -> list[Any]:
    xs = [float(point[0]) * scale for point in corners]
    ys = [float(point[1]) * scale for point in corners]
    return [text, min(xs), min(ys), max(xs), max(ys), round(float(score), 4)]
