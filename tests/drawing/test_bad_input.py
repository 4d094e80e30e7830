"""What cannot be drawn is answered with one clear private sentence, and leaves nothing anywhere."""

import io
import struct
import zlib
from typing import Any

import pytest
from PIL import Image
from simcord import SetupError

from tests.scenes.community import Community, job_of, private, text_of

WHITE = (255, 255, 255)


def picture(kind: str = "PNG", size: tuple[int, int] = (64, 48), **options: Any) -> bytes:
    content = io.BytesIO()
    Image.new("RGB", size, WHITE).save(content, kind, **options)
    return content.getvalue()


def animated(kind: str) -> bytes:
    frames = [Image.new("RGB", (32, 32), colour) for colour in ("red", "green", "blue")]
    content = io.BytesIO()
    frames[0].save(content, kind, save_all=True, append_images=frames[1:], duration=100)
    return content.getvalue()


def claimed(width: int, height: int) -> bytes:
    """A PNG that says it has so many pixels, in very few bytes."""
    header = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = b"IDAT" + zlib.compress(b"\0" * 1000)
    chunks = [header, body, b"IEND"]
    framed = [struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk)) for chunk in chunks]
    return b"\x89PNG\r\n\x1a\n" + b"".join(framed)


async def assert_nothing_is_left(community: Community) -> None:
    await community.pass_time(10)
    assert community.env.errors, "SimCord notes every refusal"
    assert community.studio.history() == []
    assert await community.counted("jobs") == 0
    assert community.files == []
    assert community.ordered() == 0


async def test_words_and_numbers_that_cannot_be_drawn(community: Community) -> None:
    ratio = "Aspect ratio must be a ratio such as 16:9, between 21:9 and 9:21."
    cases: list[tuple[dict[str, Any], str]] = [
        ({"prompt": " "}, "Say what to draw: the prompt is empty."),
        ({"prompt": " \t\u00a0\u3000 "}, "Say what to draw: the prompt is empty."),
        ({"prompt": "x" * 4001}, "The prompt has 4,001 characters; FLUX.1 [dev] reads at most 2,500."),
        ({"aspect_ratio": "0:0"}, ratio),
        ({"aspect_ratio": "wide"}, ratio),
        ({"reference_strength": 0.5}, "“reference_strength” needs a “reference”: attach an image."),
    ]
    await community.decide(default_model="flux-dev")
    for options, sentence in cases:
        for model in ({}, {"model": "flux-dev"}):
            asked: dict[str, Any] = {"prompt": "a cat", **model, **options}
            assert private(await community.imagine(**asked)) == sentence
    await assert_nothing_is_left(community)


NO_PICTURES = {
    "60 MB": (bytes(60_000_000), "“60 MB” has 60 MB, and the most is 20 MB. Attach a smaller one."),
    "JPEG cut": (picture("JPEG", (600, 600), quality=95)[:1500], "damaged or cut short"),
    "PNG cut": (picture()[:60], "damaged or cut short"),
    "GIF": (animated("GIF"), "GIF"),
    "WebP moves": (animated("WEBP"), "animat"),
    "PNG moves": (animated("PNG"), "animat"),
    "170 MP": (claimed(13_000, 13_077), "which is 170 megapixels, and the most is 20."),
    "BMP": (picture("BMP"), "only JPEG, PNG and WebP pictures are understood"),
    "HTML": (b"<!DOCTYPE html><title>Just a moment</title>", "it is a web page"),
    "empty": (b"", "empty"),
}


@pytest.mark.parametrize("command", ["imagine", "edit"])
async def test_a_reference_that_is_no_usable_picture(community: Community, command: str) -> None:
    for name, (content, why) in NO_PICTURES.items():
        options: dict[str, Any] = {"instruction": "x", "image": (name, content)}
        if command == "imagine":
            options = {"prompt": "a cat", "reference": (name, content)}
        answer = private(await community.ada.slash(community.studio, command, **options))
        assert why in answer, name
        assert answer.endswith(".")
        assert len(answer) < 250
    await assert_nothing_is_left(community)


async def test_a_file_that_discord_no_longer_has_is_asked_for_again(
    community: Community, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = await community.imagine(model="flux-dev", advanced=True, reference=("cat.png", picture()))
    community.env.backend.cdn._blobs.clear()  # pyright: ignore[reportPrivateUsage] - SimCord forgets no file by itself
    answer = private(await community.ada.submit_modal(opened, {"steps": "12"}))
    assert answer == "Discord no longer has “cat.png”. Please attach it again."


async def test_discord_itself_refuses_a_seed_or_count_out_of_range(community: Community) -> None:
    wrong: list[dict[str, Any]] = [{"seed": -1}, {"seed": 2**32}, {"count": 5}, {"count": 0}, {"safety_tolerance": 7}]
    for options in wrong:
        with pytest.raises(SetupError):
            await community.imagine(**options)


async def test_a_form_with_a_wrong_number_is_refused_in_the_same_words(community: Community) -> None:
    cases = [
        ({"steps": "999"}, "Steps must be a whole number between 1 and 50."),
        ({"steps": "12.5"}, "Steps must be a whole number between 1 and 50."),
        ({"guidance": "lots"}, "Guidance must be a number between 1.5 and 5."),
        ({"width": "1000"}, "Width must be a multiple of 32 between 256 and 1440."),
    ]
    for given, sentence in cases:
        opened = await community.imagine(model="flux-dev", advanced=True)
        assert private(await community.ada.submit_modal(opened, given)) == sentence
    assert community.studio.history() == []
    assert await community.counted("jobs") == 0


async def test_any_words_are_drawn_as_they_were_typed(community: Community) -> None:
    prompts = [
        "מגדלור בסערה",
        "منارة في العاصفة \u202eevil\u202c",
        "🌊🗼👨‍👩‍👧‍👦",
        "@everyone <@1> <@&2> <#3> </imagine:4> [a](https://example.com) # big\n> quote",
        "**bold** `code` ||hidden|| ~~gone~~ __under__",
        "x" * 2500,
    ]
    for prompt in prompts:
        await community.imagine(prompt=prompt)
    await community.pass_time(15)
    assert sorted(task.prompt for task in community.bfl.tasks) == sorted(prompts)
    for card, prompt in zip(community.cards, prompts, strict=True):
        assert len(card.attachments) == 1
        assert (await community.view(job_of(card))).request.prompt == prompt
    hebrew, arabic, emoji, mentions, markdown, _ = map(text_of, community.cards)
    assert "> \u2068מגדלור בסערה\u2069\n" in hebrew
    assert "\u202e" not in arabic.partition("-#")[0].partition("\n")[2].partition("\n")[0]
    assert "> 🌊🗼👨‍👩‍👧‍👦\n" in emoji
    assert "\\[a\\](https\\://example.com) # big > quote" in mentions
    assert "\\*\\*bold\\*\\*" in markdown


async def test_a_prompt_full_of_mentions_pings_nobody(community: Community) -> None:
    await community.decide(confirm_above=0, moderator_role_id=community.role.id, review_channel_id=community.review.id)
    await community.imagine(prompt="@everyone @here <@1> <@&2>")
    await community.clock.settle()
    await community.mia.click(community.review.history()[-1], label="Approve")
    await community.pass_time(15)
    await community.ben.click(community.card, label="Details")
    await community.ben.click(community.card, label="Again")
    await community.clock.settle()

    assert "> \\@everyone \\@here \\<\\@1> \\<\\@&2>" in text_of(community.cards[0])
    assert "\\@everyone" in text_of(community.review.history()[0])
    bodies: list[tuple[str, Any]] = [(each.path, each.json) for each in community.env.http_requests]
    messages: list[tuple[str, dict[str, Any]]] = [
        (path, body) for path, body in bodies if isinstance(body, dict) and {"content", "components"} & {*body}
    ]
    assert len(messages) >= 8
    for path, body in messages:
        assert body.get("allowed_mentions") == {"parse": []}, path
