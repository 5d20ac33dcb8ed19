"""What can be asked for, and what is refused in which words."""

import math

import msgspec
import pytest

from agents.image_gen.limits import Limits, check, order_of
from agents.image_gen.order import Order
from agents.runtime.errors import AgentError
from protocols.messages.blob import BlobRef
from protocols.messages.image import ImageRequest

GOOD = ImageRequest(prompt="a red ball")
A_PICTURE = BlobRef(index=0, size_bytes=1)


def asked(**fields: object) -> ImageRequest:
    return msgspec.structs.replace(GOOD, **fields)


@pytest.mark.parametrize(
    "size", [(256, 256), (2048, 2048), (512, 512), (1024, 1024), (1344, 768), (264, 2040)]
)
def test_sizes_in_multiples_of_8_are_taken(size: tuple[int, int]) -> None:
    check(asked(width=size[0], height=size[1]), Limits())


@pytest.mark.parametrize(
    "size", [(248, 256), (256, 2056), (1000, 1001), (0, 512), (-512, 512), (512, 13_000)]
)
def test_other_sizes_are_refused_with_what_is_allowed(size: tuple[int, int]) -> None:
    with pytest.raises(AgentError, match="256 to 2048, in multiples of 8") as caught:
        check(asked(width=size[0], height=size[1]), Limits())
    assert caught.value.code == "bad_size"


def test_a_smaller_limit_of_the_settings_holds() -> None:
    with pytest.raises(AgentError, match="256 to 768"):
        check(asked(width=1024, height=768), Limits(max_side=768))


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"prompt": "  "}, "the prompt has 0 characters"),
        ({"prompt": "x" * 8_001}, "the prompt has 8001 characters"),
        ({"negative_prompt": "x" * 8_001}, "the negative prompt has 8001 characters"),
        ({"steps": 0}, "steps 0 was asked for, 1 to 100 are allowed"),
        ({"steps": 101}, "steps 101 was asked for"),
        ({"count": 0}, "count 0 was asked for, 1 to 4 are allowed"),
        ({"count": 5}, "count 5 was asked for"),
        ({"guidance": 0.5}, "guidance 0.5 was asked for, 1 to 20 are allowed"),
        ({"guidance": math.nan}, "guidance nan was asked for"),
        ({"seed": -1}, "seed -1 was asked for"),
        ({"seed": 1 << 32}, "seed .* was asked for"),
        ({"mask": A_PICTURE}, "a mask says where a picture is made anew, and none was sent"),
        ({"source": A_PICTURE, "strength": 1.1}, "strength 1.1 was asked for"),
        ({"source": A_PICTURE, "strength": math.nan}, "strength nan was asked for"),
        ({"source": A_PICTURE, "strength": 0.0}, "a strength of 0 leaves none of 30 steps"),
        ({"source": A_PICTURE, "strength": 0.1, "steps": 9}, "leaves none of 9 steps"),
    ],
)
def test_what_cannot_be_made_is_refused_before_it_costs_anything(
    fields: dict[str, object], said: str
) -> None:
    with pytest.raises(AgentError, match=said) as caught:
        check(asked(**fields), Limits())
    assert caught.value.code == "bad_image_request"


def test_strength_means_nothing_without_a_picture() -> None:
    check(asked(strength=0.0), Limits())


def test_the_seed_of_each_picture_is_one_more_and_goes_round() -> None:
    request = asked(seed=(1 << 32) - 2, count=4)
    check(request, Limits())
    assert order_of(request, b"", b"").seeds == ((1 << 32) - 2, (1 << 32) - 1, 0, 1)


@pytest.mark.parametrize(("strength", "taken"), [(1.0, 10), (0.55, 5), (0.09, 0)])
def test_strength_is_the_part_of_the_steps_that_is_taken(strength: float, taken: int) -> None:
    assert Order("a", steps=10, strength=strength, source=b"x").steps_taken == taken
    assert Order("a", steps=10, strength=strength).steps_taken == 10
