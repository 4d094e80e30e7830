"""The trouble that is BFL's own; the others are those of `standins.base.faults`."""

from standins.base.faults import Trouble, answers


def giant_refusal(size: int = 8_000_000) -> Trouble:
    """Refuse with a 422 that echoes a request of `size` bytes."""
    detail = {
        "type": "value_error",
        "loc": ["body", "image"],
        "msg": "Value error, Invalid base64 image",
        "input": {"prompt": "a secret prompt", "image": "A" * size},
        "ctx": {},
        "url": "https://errors.pydantic.dev/2.10/v/value_error",
    }
    return answers(422, {"detail": [detail]})
