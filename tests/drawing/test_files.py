"""What stays on the disk, and what is deleted from it, when requests are refused, deleted and asked again."""

import io
from pathlib import Path

import pytest
from PIL import Image

from bot.errors import Refused
from bot.workflows.base.types import Origin, Upload
from bot.workflows.drawing.generations import choose_seeds, sweep_of
from bot.workflows.drawing.types import ImageRequest
from storage.base.jobs import Job
from tests.conftest import MakeCommunity
from tests.scenes.community import Community
from tests.scenes.kiln import interaction_id, train_finetune

EDITOR = "flux-kontext-pro"
ROLE = "input_image"
HOUR = 3600.0


def origin(community: Community) -> Origin:
    return Origin(
        interaction_id(), community.ada.id, community.guild.id, community.studio.id, message_id=None, nsfw=False
    )


def photo(path: Path) -> None:
    content = io.BytesIO()
    Image.new("RGB", (640, 480), (30, 200, 30)).save(content, "PNG")
    path.write_bytes(content.getvalue())


async def attach(path: Path) -> None:
    photo(path)


async def drawn_from_upload(community: Community) -> Job:
    """A finished request, made from an attached photo: the same photo each time."""
    request = ImageRequest(prompt="make it night", model=EDITOR)
    upload = Upload("house.png", 1000, attach)
    job = await community.app.services.drawing.requests.accept(origin(community), request, {ROLE: upload})
    await community.pass_time(40)
    view = await community.view(job.id)
    assert view.images
    return view.job


async def input_of(community: Community, job: Job) -> Path:
    request = (await community.view(job.id)).request
    return community.app.services.kit.files.path(request.inputs[ROLE])


async def test_an_upload_of_a_request_that_is_refused_in_its_transaction_is_deleted_at_once(
    community: Community,
) -> None:
    requests = community.app.services.drawing.requests
    await community.decide(member_pictures=1)

    async def attach_late(path: Path) -> None:
        await requests.accept(origin(community), ImageRequest(prompt="the last place", model="flux-dev"))
        photo(path)

    with pytest.raises(Refused, match="1 pictures under way"):
        await requests.accept(
            origin(community),
            ImageRequest(prompt="one too many", model=EDITOR),
            {ROLE: Upload("house.png", 1000, attach_late)},
        )

    assert community.files == []


async def test_an_upload_stays_as_long_as_another_finished_request_is_made_from_it(community: Community) -> None:
    requests = community.app.services.drawing.requests
    first, second = await drawn_from_upload(community), await drawn_from_upload(community)
    upload = await input_of(community, first)
    assert upload == await input_of(community, second)

    await requests.delete(first, by=community.ada.id)
    assert upload.exists()

    await requests.delete(second, by=community.ada.id)
    assert not upload.exists()


async def test_the_bytes_of_an_image_are_deleted_with_it_though_a_finished_request_is_made_from_it(
    community: Community,
) -> None:
    requests = community.app.services.drawing.requests
    parent = await drawn_from_upload(community)
    image = (await community.view(parent.id)).images[0]
    edit = ImageRequest(prompt="now in winter", model=EDITOR).made_from(image, role=ROLE)
    child = await requests.accept(origin(community), edit)
    await community.pass_time(40)
    original = community.app.services.kit.files.path(image.sha256)

    await requests.delete(parent, by=community.ada.id)
    assert not original.exists()

    await requests.delete(child, by=community.ada.id)
    assert community.files == []


async def test_the_input_of_a_finished_request_is_there_for_another_try_when_the_files_are_swept(
    community: Community,
) -> None:
    job = await drawn_from_upload(community)
    upload = await input_of(community, job)

    await community.clock.leap(2 * HOUR)
    await community.app.services.kit.files.sweep()

    assert upload.exists()
    again = await community.app.services.drawing.requests.accept(
        origin(community), (await community.view(job.id)).request
    )
    await community.pass_time(40)
    assert (await community.view(again.id)).images


async def test_the_sheet_of_a_comparison_is_deleted_with_its_pictures_and_not_before(
    make_community: MakeCommunity,
) -> None:
    community = await make_community(trainers=["bfl"])
    finetune = await train_finetune(community)
    services, before = community.app.services, set(community.files)
    model = finetune.trainer.models[0]
    compared = sweep_of([0.8, 1.2], choose_seeds(model, 2))
    request = ImageRequest(prompt="on a bench", model=model, finetune=finetune.finetune.id, sweep=compared)
    job = await services.drawing.requests.accept(origin(community), request)
    await community.pass_time(60)
    view = await community.view(job.id)
    assert view.sheet
    sheet = services.kit.files.path(view.sheet)

    await services.kit.files.discard([view.sheet])
    assert sheet.exists(), "its pictures are there"

    await services.drawing.requests.delete(view.job, by=community.ada.id)
    assert set(community.files) == before
