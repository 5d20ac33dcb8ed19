"""Three screens, drawn, and where their labels are; pictures of balls; pictures that are bombs."""

import struct
import zlib
from collections.abc import Mapping
from io import BytesIO
from typing import Any, NamedTuple

SIZE = (1280, 800)


class Screen(NamedTuple):
    """An encoded screenshot, and the centre of each label by its text."""

    png: bytes
    centres: Mapping[str, tuple[float, float]]


class Drawing:
    """A screen that is being drawn."""

    def __init__(self, background: str) -> None:
        from PIL import Image, ImageDraw

        self._image = Image.new("RGB", SIZE, background)
        self._draw = ImageDraw.Draw(self._image)
        self._centres: dict[str, tuple[float, float]] = {}

    def panel(self, box: tuple[int, int, int, int], fill: str) -> None:
        self._draw.rectangle(box, fill=fill, outline="#808080")

    def text(self, x: float, y: float, words: str, size: int, ink: str, font: str = "") -> None:
        """Words whose middle is at (x, y)."""
        self._draw.text((x, y), words, font=_font(font, size), fill=ink, anchor="mm")
        self._centres[words] = (x, y)

    def button(
        self, box: tuple[int, int, int, int], words: str, size: int, colours: str, font: str = ""
    ) -> None:
        """A button, ``colours`` being its fill and its ink."""
        fill, ink = colours.split()
        left, top, right, bottom = box
        self._draw.rounded_rectangle(box, 6, fill=fill, outline="#707070")
        self.text((left + right) / 2, (top + bottom) / 2, words, size, ink, font)

    def finished(self) -> Screen:
        encoded = BytesIO()
        self._image.save(encoded, "PNG")
        return Screen(encoded.getvalue(), self._centres)


def _font(name: str, size: int) -> Any:
    """A font of the system, or where it has none of that name Pillow's own."""
    from PIL import ImageFont

    try:
        return ImageFont.truetype(name, size) if name else ImageFont.load_default(size)
    except OSError:
        return ImageFont.load_default(size)


def dialog() -> Screen:
    """A desktop dialog: "Save" beside "Save as..."."""
    screen = Drawing("#3a6ea5")
    screen.panel((300, 200, 980, 600), "#f4f4f4")
    screen.text(640, 250, "The document has changed since it was opened", 20, "black")
    screen.text(640, 300, "What shall become of the changes?", 16, "#404040")
    screen.button((700, 540, 800, 576), "Save", 16, "#ffffff #101010")
    screen.button((820, 540, 960, 576), "Save as...", 16, "#ffffff #101010")
    screen.button((560, 540, 680, 576), "Cancel", 16, "#ffffff #101010")
    screen.button((330, 540, 470, 576), "Don't save", 15, "#1e64c8 #ffffff")
    return screen.finished()


def form() -> Screen:
    """A web form, in another font, with a large heading and a coloured button."""
    sans = "DejaVuSans.ttf"
    screen = Drawing("white")
    screen.text(640, 90, "Create your account", 36, "#222222", sans)
    for row, label in enumerate(("First name", "Email address", "Password")):
        screen.text(400, 220 + 90 * row, label, 18, "#555555", sans)
        screen.panel((520, 200 + 90 * row, 900, 240 + 90 * row), "#fafafa")
    screen.button((520, 500, 700, 548), "Sign up", 20, "#1a9e4b #ffffff", "DejaVuSans-Bold.ttf")
    screen.button((730, 500, 900, 548), "Reset", 20, "#eeeeee #333333", sans)
    screen.text(640, 620, "Already registered?", 16, "#666666", sans)
    return screen.finished()


def toolbar() -> Screen:
    """A dark editor with a toolbar of small labels, and a line of words of which one is wanted."""
    serif = "LiberationSerif-Regular.ttf"
    screen = Drawing("#1e1e1e")
    screen.panel((0, 0, 1279, 40), "#2d2d30")
    for x, label in ((50, "File"), (130, "Edit"), (220, "View"), (330, "Window"), (430, "Help")):
        screen.text(x, 20, label, 15, "#dddddd")
    for x, label in ((60, "Run"), (160, "Stop"), (290, "Restart"), (460, "Settings")):
        screen.button((x - 45, 60, x + 45, 92), label, 15, "#3e3e42 #f0f0f0")
    screen.text(640, 400, "All tests have passed", 26, "#c8e6c9", serif)
    screen.text(1150, 780, "Line 12, column 5", 14, "#9cdcfe")
    return screen.finished()


def balls(*spots: tuple[str, int, int, int], size: tuple[int, int] = (640, 480)) -> bytes:
    """A JPEG of a grey, noisy room with balls: colour, centre and radius of each."""
    import numpy
    from PIL import Image, ImageDraw, ImageFilter

    noise = numpy.random.default_rng(0).normal(120, 8, (size[1], size[0], 1)).clip(0, 255)
    image = Image.fromarray(numpy.repeat(noise, 3, 2).astype(numpy.uint8))
    draw = ImageDraw.Draw(image)
    for colour, x, y, radius in spots:
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=colour)
    return encoded(image.filter(ImageFilter.GaussianBlur(1)), "JPEG", quality=80)


def plain(colour: str, size: tuple[int, int] = (64, 48), kind: str = "PNG") -> bytes:
    """A picture of one colour."""
    from PIL import Image

    return encoded(Image.new("RGB", size, colour), kind)


def encoded(image: Any, kind: str, **options: Any) -> bytes:
    stream = BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def chunk(kind: bytes, body: bytes) -> bytes:
    """A chunk of a PNG."""
    crc = zlib.crc32(kind + body)
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", crc)


def png(width: int, height: int, *chunks: bytes) -> bytes:
    """A black PNG of one bit a pixel, with ``chunks`` before its pixels: 13,000 × 13,000 in 20 KB."""
    row = b"\0" + bytes((width + 7) // 8)
    packer = zlib.compressobj(9)
    pixels = b"".join([*(packer.compress(row) for _ in range(height)), packer.flush()])
    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    end = chunk(b"IEND", b"")
    body = b"".join((chunk(b"IHDR", header), *chunks, chunk(b"IDAT", pixels), end))
    return b"\x89PNG\r\n\x1a\n" + body
