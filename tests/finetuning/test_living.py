"""A finetune that is there: who may draw with it, what it puts into prompts, and how it ends."""

from pathlib import Path

import pytest

from bot.errors import Refused
from bot.pictures.contact_sheet import Sheet, draw_labelled_grid
from bot.providers.training import TrainedSubject
from bot.workflows.base.types import Origin
from bot.workflows.drawing.generations import choose_seeds, sweep_of
from bot.workflows.drawing.types import ImageRequest
from standins.base.faults import Fault, loses_the_answer
from storage.base.jobs import State
from storage.finetuning.finetunes import FinetuneState, Share, Visibility
from tests.conftest import MakeCommunity
from tests.finetuning.test_training_story import HOUR
from tests.scenes.community import Community, text_of
from tests.scenes.kiln import draft, finetune, interaction_id, ledger_of, news, spec, start, train_finetune

DAY = 24 * HOUR


def origin(community: Community, user_id: int, roles: tuple[int, ...] = ()) -> Origin:
    return Origin(
        interaction_id=interaction_id(),
        user_id=user_id,
        guild_id=community.guild.id,
        channel_id=community.studio.id,
        message_id=None,
        nsfw=False,
        role_ids=roles,
    )


async def drawn_prompt(community: Community, finetune_id: str, prompt: str, **more: object) -> dict[str, object]:
    """What BFL was told to draw."""
    request = ImageRequest(prompt=prompt, model="", finetune=finetune_id).model_copy(update=more)
    await community.app.services.drawing.requests.accept(origin(community, community.ada.id), request)
    await community.pass_time(30)
    return community.bfl.tasks[-1].body


async def test_the_trigger_word_stands_first_and_the_description_last(make_community: MakeCommunity) -> None:
    community = await make_community(trainers=["bfl"])
    view = await train_finetune(community, description="a small brown owl with a blue scarf")

    body = await drawn_prompt(community, view.finetune.id, "sitting on a bench")

    assert body["prompt"] == ("mycstm owl, sitting on a bench. mycstm owl is a small brown owl with a blue scarf.")
    assert body["finetune_strength"] == 1.2
    assert body["finetune_id"] == (view.ref and view.ref.remote_id)


async def test_a_style_is_appended(make_community: MakeCommunity) -> None:
    community = await make_community(trainers=["bfl"])
    view = await train_finetune(community, spec(subject=TrainedSubject.STYLE, trigger="mycstm watercolour"))

    body = await drawn_prompt(community, view.finetune.id, "a kangaroo with ski goggles")

    assert body["prompt"] == "a kangaroo with ski goggles, in the style of mycstm watercolour"


async def test_a_private_finetune_is_its_owners_alone_until_it_is_shared(make_community: MakeCommunity) -> None:
    community = await make_community(trainers=["bfl"])
    view = await train_finetune(community)
    services, request = community.app.services, ImageRequest(prompt="x", model="", finetune=view.finetune.id)

    with pytest.raises(Refused, match="not shared with you"):
        await services.drawing.requests.accept(origin(community, community.ben.id), request)

    await services.finetuning.finetunes.share(
        view, by=community.ada.id, visibility=Visibility.SHARED, shares=[Share("role", community.role.id)]
    )
    await services.drawing.requests.accept(origin(community, community.mia.id, (community.role.id,)), request)
    with pytest.raises(Refused, match="not shared with you"):
        await services.drawing.requests.accept(origin(community, community.ben.id), request)
    with pytest.raises(Refused, match="who made this finetune"):
        await services.finetuning.finetunes.share(view, by=community.ben.id, visibility=Visibility.COMMUNITY)


async def test_a_contributor_who_withdraws_freezes_it_until_a_moderator_keeps_it(make_community: MakeCommunity) -> None:
    community = await make_community(trainers=["bfl"])
    await community.decide(moderator_role_id=community.role.id, review_channel_id=community.review.id)
    view = await train_finetune(community)
    services = community.app.services

    assert await services.finetuning.finetunes.withdraw(view, by=community.ada.id) == 6
    await community.clock.settle()
    with pytest.raises(Refused, match="frozen"):
        await drawn_prompt(community, view.finetune.id, "x")
    question = community.review.history()[-1]
    withdrawn = "has withdrawn 6 of 6 pictures that **Owl** by"
    assert f"<@{community.ada.id}> {withdrawn} <@{community.ada.id}> was trained on." in text_of(question)
    assert "It closes" not in text_of(question), "it waits until somebody decides, and not for 5,214 weeks"
    assert not [each for each in news(community) if "has withdrawn" in each], "its owner did it themselves"
    await community.mia.click(question, label="Keep the finetune")
    await community.clock.settle()

    assert (await finetune(community, view.finetune.id)).usable


async def test_a_moderator_may_delete_what_was_withdrawn_from(make_community: MakeCommunity) -> None:
    community = await make_community(trainers=["bfl"])
    await community.decide(moderator_role_id=community.role.id, review_channel_id=community.review.id)
    view = await train_finetune(community)
    await community.app.services.finetuning.finetunes.withdraw(view, by=community.ada.id)
    await community.clock.settle()

    form = await community.mia.click(community.review.history()[-1], label="Delete the finetune")
    await community.mia.submit_modal(form, {"reason": "She asked for it."})
    await community.pass_time(5)

    gone = await finetune(community, view.finetune.id)
    assert gone.finetune.state is FinetuneState.DELETED
    assert not community.bfl.finetunes


async def test_a_deleted_finetune_is_gone_at_its_provider_and_on_the_disk(make_community: MakeCommunity) -> None:
    community = await make_community(trainers=["bfl"])
    view = await train_finetune(community)
    assert community.bfl.finetunes

    await community.app.services.finetuning.finetunes.delete(view, by=community.ada.id)
    await community.clock.settle()

    assert not community.bfl.finetunes
    assert not community.files
    again = await draft(community)
    assert again.finetune.name == "Owl"


async def test_strengths_are_compared_on_the_same_seeds_and_the_best_is_kept(make_community: MakeCommunity) -> None:
    community = await make_community(trainers=["bfl"])
    view = await train_finetune(community)
    services = community.app.services
    model = view.trainer.models[0]
    request = ImageRequest(
        prompt="on a bench",
        model=model,
        finetune=view.finetune.id,
        sweep=sweep_of([0.8, 1.2], choose_seeds(model, 2)),
    )
    checked = await services.drawing.requests.check(origin(community, community.ada.id), request)
    assert (checked.price, checked.request.count) == (70_000, 4)

    job = await services.drawing.requests.accept(origin(community, community.ada.id), checked.request)
    await community.pass_time(60)

    bodies = [task.body for task in community.bfl.tasks[1:]]
    assert [body["finetune_strength"] for body in bodies] == [0.8, 0.8, 1.2, 1.2]
    assert bodies[0]["seed"] == bodies[2]["seed"] != bodies[1]["seed"]
    swept = await community.view(job.id)
    assert swept.sheet
    await services.finetuning.finetunes.keep(view, by=community.ada.id, model=None, strength=0.8)
    assert (await drawn_prompt(community, view.finetune.id, "x"))["finetune_strength"] == 0.8


@pytest.mark.parametrize("damage", ["missing", "cut"])
async def test_a_sweep_of_which_a_picture_is_damaged_is_shown_without_its_sheet(
    make_community: MakeCommunity, monkeypatch: pytest.MonkeyPatch, damage: str
) -> None:
    def draw_damaged(sources: list[Path | None], **labels: list[str]) -> Sheet:
        assert sources[0]
        content = sources[0].read_bytes()
        sources[0].unlink()
        if damage == "cut":
            sources[0].write_bytes(content[:40])
        return draw_labelled_grid(sources, **labels)

    community = await make_community(trainers=["bfl"])
    services = community.app.services
    view = await train_finetune(community)
    monkeypatch.setattr("bot.workflows.drawing.job.draw_labelled_grid", draw_damaged)
    model = view.trainer.models[0]
    sweep = sweep_of([0.8, 1.2], choose_seeds(model, 2))
    request = ImageRequest(prompt="on a bench", model=model, finetune=view.finetune.id, sweep=sweep)
    checked = await services.drawing.requests.check(origin(community, community.ada.id), request)
    job = await services.drawing.requests.accept(origin(community, community.ada.id), checked.request)
    await community.pass_time(60)

    swept = await community.view(job.id)
    assert swept.sheet is None
    assert swept.job.state is State.DONE
    assert swept.job.message_id is not None
    assert any("The sheet of this comparison could not be made." in text_of(each) for each in community.cards)


async def test_an_expiring_finetune_is_announced_in_time_and_its_end_too(make_community: MakeCommunity) -> None:
    community = await make_community(trainers=["astria"])
    view = await train_finetune(community, spec("astria"))
    assert view.finetune.expires_at

    await community.clock.leap(27.5 * DAY)
    await community.skip(HOUR)
    assert len(news(community)) == 2
    await community.clock.leap(3 * DAY)
    await community.skip(HOUR)

    assert (await finetune(community, view.finetune.id)).finetune.state is FinetuneState.EXPIRED
    assert len(news(community)) == 3
    with pytest.raises(Refused, match="expired"):
        await drawn_prompt(community, view.finetune.id, "x")


async def test_a_draft_that_nobody_comes_back_to_is_deleted_with_its_pictures(make_community: MakeCommunity) -> None:
    community = await make_community(trainers=["bfl"])
    await draft(community)
    assert community.files

    await community.clock.leap(31 * DAY)
    await community.skip(HOUR)

    assert not community.files


async def test_an_admin_who_looked_at_the_bill_settles_what_nobody_knew(make_community: MakeCommunity) -> None:
    """Vimmerse lists nothing, so a lost receipt can only be settled by a person."""
    community = await make_community(trainers=["vimmerse"])
    assert community.vimmerse
    community.vimmerse.faults.append(Fault("submit", loses_the_answer()))
    view = await start(community, await draft(community, spec("vimmerse-flux")))
    assert view.finetune.state is FinetuneState.UNKNOWN
    (asset,) = community.vimmerse.trainings
    trigger = asset.trigger

    await community.app.services.finetuning.finetunes.charge_outcome(
        f"{view.finetune.id}-1", by=1, charged=None, reference=trigger, refunded=None
    )
    await community.skip(HOUR)

    view = await finetune(community, view.finetune.id)
    assert view.finetune.state is FinetuneState.READY
    assert view.ref
    assert view.ref.trigger == trigger
    assert (await ledger_of(community, f"{view.finetune.id}-1"))[0] == ("estimate", 0)
