"""The stand-in of Astria, asked as its documentation says, without our client."""

import base64
import contextlib
from collections.abc import AsyncGenerator
from io import BytesIO
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from PIL import Image
from yarl import URL

from standins.astria import FLUX_DEV, AstriaServer, Tune
from standins.base.faults import Fault, answers, fails_after
from tests.scenes.clock import Clock

Client = TestClient[web.Request, web.Application]

HEADERS = {"Authorization": "Bearer sandbox-key"}
PROMPTS = f"/tunes/{FLUX_DEV}/prompts"
DAY = 86_400.0


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def service(clock: Clock) -> AstriaServer:
    return AstriaServer(clock=clock, picture_size=64)


@contextlib.asynccontextmanager
async def asking(service: AstriaServer) -> AsyncGenerator[Client]:
    async with TestClient(TestServer(service.app()), headers=HEADERS) as client:
        yield client


@pytest.fixture
async def client(service: AstriaServer) -> AsyncGenerator[Client]:
    async with asking(service) as made:
        yield made


def picture(colour: str = "teal") -> bytes:
    file = BytesIO()
    Image.new("RGB", (64, 64), colour).save(file, "JPEG")
    return file.getvalue()


def a_form(count: int = 4, /, **fields: str) -> aiohttp.FormData:
    form = aiohttp.FormData(quote_fields=False, default_to_multipart=True)
    for name, value in {"title": "Mimi", "name": "cat", "base_tune_id": str(FLUX_DEV), "model_type": "lora"}.items():
        form.add_field(f"tune[{name}]", fields.pop(name, value))
    for name, value in fields.items():
        form.add_field(f"tune[{name}]", value)
    for number in range(count):
        form.add_field("tune[images][]", picture(), filename=f"{number}.jpg", content_type="image/jpeg")
    return form


def a_prompt(text: str = "ohwx cat", **fields: Any) -> dict[str, Any]:
    return {"prompt": {"text": text, **fields}}


async def ask_ok(client: Client, method: str, path: str, **sent: Any) -> Any:
    """What a request that succeeds answers."""
    async with client.request(method, path, **sent) as answer:
        assert answer.status in {200, 201}, await answer.text()
        return await answer.json()


async def refused(client: Client, path: str, **sent: Any) -> tuple[int, Any]:
    """What a POST that does not succeed answers."""
    async with client.post(path, **sent) as answer:
        assert answer.status >= 400
        return answer.status, await answer.json()


async def a_lora(client: Client, clock: Clock, **fields: str) -> int:
    """A finetune whose training is over."""
    tune = await ask_ok(client, "POST", "/tunes", data=a_form(**fields))
    clock.time += 300
    return int(tune["id"])


async def test_a_tune_has_no_status_and_goes_from_null_to_started_to_trained(client: Client, clock: Clock) -> None:
    async with client.post("/tunes", data=a_form(preset="flux-lora-portrait", unknown="passed over")) as answer:
        assert answer.status == 201
        tune = await answer.json()
    assert "status" not in tune
    assert "unknown" not in tune
    assert (tune["started_training_at"], tune["trained_at"], tune["expires_at"]) == (None, None, None)
    assert (tune["cost_mc"], tune["token"], tune["branch"]) == (150_000, "ohwx", "flux1")

    clock.time += 10
    tune = await ask_ok(client, "GET", f"/tunes/{tune['id']}.json")
    assert tune["started_training_at"]
    assert tune["trained_at"] is None
    clock.time += 274
    tune = await ask_ok(client, "GET", f"/tunes/{tune['id']}")
    assert tune["started_training_at"] < tune["trained_at"] < tune["eta"]
    assert tune["trained_at"][:5] == "2025-"
    assert tune["expires_at"]


async def test_the_same_is_understood_as_a_form_and_as_json(client: Client, clock: Clock) -> None:
    links = ["https://pictures.example/1.jpg", "https://pictures.example/2.jpg"]
    tune = {"title": "Mimi", "name": "cat", "base_tune_id": FLUX_DEV, "model_type": "lora", "image_urls": links}
    assert len((await ask_ok(client, "POST", "/tunes", json={"tune": tune}))["orig_images"]) == 2

    lora = await a_lora(client, clock)
    text = f"<lora:{lora}:0.5> ohwx cat"
    as_json = await ask_ok(client, "POST", PROMPTS, json=a_prompt(text, seed=7))
    as_plain = await ask_ok(client, "POST", PROMPTS, data={"prompt[text]": text, "prompt[seed]": "7"})
    multipart = aiohttp.FormData({"prompt[text]": text, "prompt[seed]": "7"}, quote_fields=False)
    multipart.add_field("prompt[input_image]", picture(), filename="input.jpg", content_type="image/jpeg")
    as_form = await ask_ok(client, "POST", PROMPTS, data=multipart)
    inline = "data:image/jpeg;base64," + base64.b64encode(picture()).decode()
    as_link = await ask_ok(client, "POST", PROMPTS, json=a_prompt(text, seed=7, input_image_base64=inline))
    assert {made["seed"] for made in (as_json, as_plain, as_form, as_link)} == {7}


async def test_pictures_beside_the_tune_are_not_seen(client: Client) -> None:
    tune = {"title": "Mimi", "name": "cat", "base_tune_id": FLUX_DEV, "model_type": "lora"}
    status, body = await refused(client, "/tunes", json={"tune": tune, "images": ["https://pictures.example/1.jpg"]})
    assert (status, body) == (422, {"images": ["must contain at least one image"]})


@pytest.mark.parametrize(
    ("fields", "blamed"),
    [
        ({"title": ""}, {"title": ["can't be blank"]}),
        ({"preset": "none"}, {"preset": ["is not included in the list"]}),
        ({"model_type": ""}, {"model_type": ["must be lora for flux"]}),
    ],
)
async def test_a_tune_that_is_wrong_is_a_hash_of_what_is_wrong(
    client: Client, service: AstriaServer, fields: dict[str, str], blamed: object
) -> None:
    assert await refused(client, "/tunes", data=a_form(**fields)) == (422, blamed)
    assert service.tunes == []


async def test_captions_come_as_files_of_the_same_stem(client: Client, service: AstriaServer) -> None:
    form = a_form(1)
    form.add_field("tune[images][]", b"ohwx cat, asleep", filename="0.txt", content_type="text/plain")
    assert len((await ask_ok(client, "POST", "/tunes", data=form))["orig_images"]) == 1
    assert service.tunes[0].captions == {"0": "ohwx cat, asleep"}


async def test_an_order_has_no_images_until_it_is_drawn(client: Client, clock: Clock) -> None:
    lora = await a_lora(client, clock)
    ordered = await ask_ok(client, "POST", PROMPTS, json=a_prompt(f"<lora:{lora}:1> ohwx cat", num_images=2))
    assert "images" not in ordered
    assert ordered["tune_id"] == FLUX_DEV
    clock.time += 20
    done = await ask_ok(client, "GET", f"{PROMPTS}/{ordered['id']}")
    assert done == await ask_ok(client, "GET", f"/prompts/{ordered['id']}.json")
    assert len(done["images"]) == 2
    drawn: list[bytes] = []
    for link in done["images"]:
        assert len(link.rpartition("/")[2]) == 28
        async with aiohttp.ClientSession() as stranger, stranger.get(link) as answer:
            assert (answer.status, answer.content_type) == (200, "image/jpeg")
            drawn.append(await answer.read())
    assert drawn[0] != drawn[1]


@pytest.mark.parametrize(
    ("fields", "blamed"),
    [
        ({"negative_prompt": "hands"}, {"negative_prompt": ["is not supported for flux"]}),
        ({"cfg_scale": 5}, {"cfg_scale": ["must be less than 5"]}),
        ({"num_images": 9}, {"num_images": ["must be between 1 and 8"]}),
        ({"style": "cinematic"}, {"style": ["is not included in the list"]}),
        ({"controlnet": "canny"}, {"controlnet": ["needs an input image"]}),
        ({"hires_fix": True}, {"hires_fix": ["needs super_resolution"]}),
        ({"w": 1001}, {"w": ["must be a multiple of 8"]}),
        ({"text": ""}, {"text": ["can't be blank"]}),
        ({"text": "<lora:5:1> a cat"}, {"text": ["lora 5 does not exist"]}),
    ],
)
async def test_an_order_that_is_wrong_is_a_hash_of_what_is_wrong(
    client: Client, service: AstriaServer, fields: dict[str, Any], blamed: object
) -> None:
    assert await refused(client, PROMPTS, json=a_prompt(**{"text": "a cat", **fields})) == (422, blamed)
    assert service.prompts == []


async def test_a_lora_is_no_tune_to_order_on_unless_it_is_a_mock(client: Client, clock: Clock) -> None:
    real, mock = await a_lora(client, clock), await a_lora(client, clock, title="mock", branch="fast")
    status, body = await refused(client, f"/tunes/{real}/prompts", json=a_prompt())
    assert (status, body) == (422, {"model_type": ["lora is not supported. Use a checkpoint instead"]})
    for path, text in ((f"/tunes/{mock}/prompts", "a cat"), (PROMPTS, f"<lora:{mock}:1> a cat")):
        assert (await ask_ok(client, "POST", path, json=a_prompt(text)))["cost_mc"] == 0
    assert (await refused(client, "/tunes/5/prompts", json=a_prompt()))[0] == 404


async def test_a_lora_draws_only_when_it_is_trained(client: Client) -> None:
    tune = await ask_ok(client, "POST", "/tunes", data=a_form())
    status, body = await refused(client, PROMPTS, json=a_prompt(f"<lora:{tune['id']}:1> a cat"))
    assert (status, body) == (422, {"text": [f"lora {tune['id']} is not trained yet"]})


async def test_a_callback_has_to_be_an_address(client: Client) -> None:
    assert (await refused(client, PROMPTS, json=a_prompt(callback="here")))[0] == 400
    assert (await refused(client, "/tunes", data=a_form(callback="here")))[0] == 400


async def test_what_is_accepted_is_charged_and_what_is_not_is_not(client: Client, service: AstriaServer) -> None:
    service.balance_mc = 202_500 + 2 * 2_500
    await ask_ok(client, "POST", "/tunes", data=a_form(15, preset="flux-lora-focus"))
    assert (await ask_ok(client, "GET", "/users"))["usd_balance_mc"] == 5_000
    await refused(client, PROMPTS, json=a_prompt(cfg_scale=9))
    await ask_ok(client, "POST", PROMPTS, json=a_prompt(num_images=2))
    assert (await ask_ok(client, "GET", "/users"))["usd_balance_mc"] == 0
    assert (await refused(client, PROMPTS, json=a_prompt()))[0] == 402


async def test_a_flag_in_the_text_is_obeyed_and_paid(client: Client) -> None:
    plain = await ask_ok(client, "POST", PROMPTS, json=a_prompt("a cat"))
    video = await ask_ok(client, "POST", PROMPTS, json=a_prompt("a cat --video"))
    assert video["cost_mc"] > 10 * plain["cost_mc"]


async def test_lists_come_newest_first_in_pages_with_limits(client: Client, service: AstriaServer) -> None:
    for number in range(25):
        await ask_ok(client, "POST", "/tunes", data=a_form(1, title=f"t{number}"))
    titles = [tune["title"] for tune in await ask_ok(client, "GET", "/tunes")]
    assert titles == [f"t{number}" for number in range(24, 4, -1)]
    assert len(await ask_ok(client, "GET", "/tunes?limit=500")) == 25
    oldest = service.tunes[5].id
    assert [tune["title"] for tune in await ask_ok(client, "GET", f"/tunes?before_id={oldest}&limit=2")] == ["t4", "t3"]
    assert len(await ask_ok(client, "GET", "/tunes?offset=20")) == 5
    for path in ("/tunes?offset=201", "/prompts?offset=10001"):
        async with client.get(path) as answer:
            assert answer.status == 400
    titled = await ask_ok(client, "GET", "/tunes?title=t2")
    assert [tune["title"] for tune in titled] == ["t2"]
    assert await ask_ok(client, "GET", "/tunes?branch=sd15") == []


async def test_a_page_has_at_most_a_hundred_and_twenty(client: Client, service: AstriaServer, clock: Clock) -> None:
    for id_ in range(1, 131):
        service.accept(Tune(id=id_, title="", name="cat", created=clock.time, waits=0, duration=0))
    listed = await ask_ok(client, "GET", "/tunes?limit=500")
    assert [tune["id"] for tune in listed] == list(range(130, 10, -1))


async def test_the_same_order_is_the_same_object_only_where_idempotency_is_on(
    client: Client, service: AstriaServer
) -> None:
    async def ids(**fields: str) -> set[int]:
        return {(await ask_ok(client, "POST", PROMPTS, json=a_prompt(seed=1, **fields)))["id"] for _ in range(2)}

    assert len(await ids()) == 2
    service.quirks.idempotent = True
    hook = "https://bot.example/hook?token="
    first, second = await ids(callback=f"{hook}1"), await ids(callback=f"{hook}2")
    assert len(first) == len(second) == 1
    assert first != second
    assert await ids(callback=f"{hook}2", aspect_ratio="16:9") == second  # it is not among what is compared


async def test_a_504_has_made_the_object_and_others_have_not(client: Client, service: AstriaServer) -> None:
    service.faults += [Fault("submit", answers(500)), Fault("submit", fails_after(504))]
    for status, made in ((500, 0), (504, 1)):
        async with client.post("/tunes", data=a_form()) as answer:
            assert answer.status == status
        assert len(service.tunes) == made


async def test_whoever_polls_tightly_is_told_to_use_callbacks(
    client: Client, service: AstriaServer, clock: Clock
) -> None:
    lora = await a_lora(client, clock)
    service.quirks.polling_gap = 2
    statuses: list[int] = []
    for seconds in (0, 1, 2):
        clock.time += seconds
        async with client.get(f"/tunes/{lora}") as answer:
            statuses.append(answer.status)
    assert statuses == [200, 429, 200]


async def test_nothing_is_told_without_the_key(service: AstriaServer) -> None:
    async with TestClient(TestServer(service.app())) as stranger:
        for header in ("", "sandbox-key", "Bearer another"):
            async with stranger.get("/tunes", headers={"Authorization": header}) as answer:
                assert answer.status == 401


async def test_a_restart_changes_nothing(tmp_path: Path, clock: Clock) -> None:
    state = tmp_path / "state" / "astria.db"
    service = AstriaServer(clock=clock, picture_size=64, state=state)
    async with asking(service) as client:
        lora = await a_lora(client, clock)
        ordered = await ask_ok(client, "POST", PROMPTS, json=a_prompt(f"<lora:{lora}:1> ohwx cat", seed=7))
        balance = service.balance_mc
        clock.time += 60
        done = await ask_ok(client, "GET", f"/prompts/{ordered['id']}")
        async with client.get(URL(done["images"][0]).path) as answer:
            before = await answer.read()

    service = AstriaServer(clock=clock, picture_size=64, state=state)
    async with asking(service) as client:
        again = await ask_ok(client, "GET", f"/prompts/{ordered['id']}")
        async with client.get(URL(again["images"][0]).path) as answer:
            assert await answer.read() == before
        assert service.balance_mc == balance
        assert (await ask_ok(client, "POST", PROMPTS, json=a_prompt()))["id"] > ordered["id"]
        assert (await ask_ok(client, "POST", "/tunes", data=a_form()))["id"] > lora


async def test_a_deleted_order_is_gone_with_its_pictures(client: Client, clock: Clock) -> None:
    ordered = await ask_ok(client, "POST", PROMPTS, json=a_prompt())
    clock.time += 60
    done = await ask_ok(client, "GET", f"/prompts/{ordered['id']}")
    assert "deleted" in (await ask_ok(client, "DELETE", f"/prompts/{ordered['id']}"))["message"]
    for path in (f"/prompts/{ordered['id']}", URL(done["images"][0]).path):
        async with client.get(path) as answer:
            assert answer.status == 404


async def test_orders_that_come_with_a_training_are_drawn_after_it(client: Client, clock: Clock) -> None:
    form = a_form()
    for text in ("ohwx cat on the moon", "ohwx cat at sea"):
        form.add_field("tune[prompts_attributes][][text]", text)
    tune = await ask_ok(client, "POST", "/tunes", data=form)
    listed = await ask_ok(client, "GET", f"/tunes/{tune['id']}/prompts")
    assert [prompt["text"].partition("> ")[2] for prompt in listed] == ["ohwx cat at sea", "ohwx cat on the moon"]
    clock.time += 284
    assert not any("images" in prompt for prompt in await ask_ok(client, "GET", "/prompts"))
    clock.time += 20
    assert all(prompt["images"] for prompt in await ask_ok(client, "GET", "/prompts"))


async def test_a_pack_tells_once_that_all_its_pictures_are_there(
    client: Client, service: AstriaServer, clock: Clock
) -> None:
    came: list[Any] = []

    async def listen(request: web.Request) -> web.Response:
        came.append(await request.json())
        return web.Response()

    app = web.Application()
    app.router.add_post("/hook", listen)
    async with TestServer(app) as ours:
        tune = await ask_ok(client, "POST", "/p/911/tunes", data=a_form(prompts_callback=str(ours.make_url("/hook"))))
        assert tune["base_pack_id"] == 911
        assert service.balance_mc == 10_000_000 - tune["cost_mc"] - 20_000
        clock.time += 284
        assert await service.deliver_callbacks() == 0
        clock.time += 20
        assert await service.deliver_callbacks() == 1
        assert await service.deliver_callbacks() == 0
    assert [len(prompt["images"]) for prompt in came[0]] == [1, 1]


async def test_a_failed_training_and_a_lost_callback_call_nobody(
    client: Client, service: AstriaServer, clock: Clock
) -> None:
    hook = "http://127.0.0.1:9/hook"
    failed = await ask_ok(client, "POST", "/tunes", data=a_form(callback=hook))
    await ask_ok(client, "POST", "/tunes", data=a_form(callback=hook))
    service.fail(service.tunes[0], "Too few faces")
    service.quirks.callbacks = "lost"
    clock.time += 300
    assert await service.deliver_callbacks() == 0
    service.quirks.callbacks = "wrapped"
    assert await service.deliver_callbacks() == 0
    tune = await ask_ok(client, "GET", f"/tunes/{failed['id']}")
    assert (tune["trained_at"], tune["user_error"]) == (None, "Too few faces")
    assert tune["failed_at"]


async def test_a_title_may_be_changed(client: Client, clock: Clock) -> None:
    lora = await a_lora(client, clock)
    assert (await ask_ok(client, "PATCH", f"/tunes/{lora}", json={"tune": {"title": "Tiger"}}))["title"] == "Tiger"
    assert (await ask_ok(client, "GET", f"/tunes/{lora}"))["title"] == "Tiger"
