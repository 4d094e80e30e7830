"""The messages that tell a finetune's owner by name what has happened to it."""

from bot.cards.base.faces import News
from bot.cards.base.layout import compose, gallery, row, text
from bot.cards.base.lines import DANGER, DONE, FAILED, PRIMARY, UNSURE
from bot.cards.base.words import counted, escaped, moment, money, sentence
from bot.cards.finetuning.parts import (
    card_link,
    cost_of_try,
    name_of,
    once_more,
    price_of,
    samples_of,
    shown_subject,
    strength_of,
)
from bot.discord.buttons import PressButton, button
from bot.workflows.base.files import FilePaths
from bot.workflows.finetuning.types import FinetuneView
from storage.finetuning.transitions import FinetuneState


def finetune_news(view: FinetuneView, about: str, once: str, paths: FilePaths) -> News:
    """A short message that begins with the owner's name: `ready`, `failed`, `unknown`, `expiring`, `expired`, `frozen`
    or `kept`; `added` begins with a contributor's, whose id is `once`.

    `once` names the occasion. One of its buttons carries it, so that after a crash this very message is found again,
    and not an older one that says the same of an earlier try.
    """
    samples = samples_of(view, paths) if about == "ready" else ()
    sentences, buttons = _news(view, about, button("fin:show", f"{view.finetune.id}:{about}.{once}", "Details"))
    colours = {"ready": DONE, "kept": DONE, "failed": FAILED}
    recipient = int(once) if about == "added" else view.finetune.owner_id
    card = compose(
        [
            text(f"<@{recipient}> {sentences}", card_link(view)),
            *([gallery(samples)] if samples else []),
            *row(buttons),
        ],
        colour=colours.get(about, UNSURE),
        files=samples,
    )
    return News(card, recipient)


def _news(view: FinetuneView, about: str, show: PressButton) -> tuple[str, list[PressButton]]:
    finetune, name, label = view.finetune, f"**{name_of(view)}**", escaped(view.trainer.label)
    draw = button("fin:try", finetune.id, "Draw with it", style=PRIMARY)
    inferred = sentence(view.progress.inferred, 300) if view.progress.inferred else ""
    match about:
        case "ready":
            if view.cost is None:
                paid = " What its training was charged is not known here."
            else:
                paid = f" Its training was charged ({money(view.cost)})." if view.cost else " Nothing was charged."
            sweep = [button("fin:sweep", finetune.id, "Compare strengths")] if strength_of(view) else []
            return f"Your finetune {name} is ready to draw with.{paid}", [draw, *sweep, show]
        case "failed":
            others = [
                button("fin:other", f"{finetune.id}:{each.key}", f"Use {each.label} instead")
                for each in view.others[:1]
            ]
            advice = (
                "Its pictures and settings are still there: change what was wrong and start it again from its card."
            )
            why = inferred or "The trainer did not say why."
            sentences = f"The training of {name} failed. {why} {cost_of_try(view.training)} {advice}"
            return sentences, [*others, show]
        case "unknown":
            sentences = (
                f"Nobody can tell whether {label} is training {name}: it may have been charged. {inferred} "
                f"{once_more(view)}"
            )
            again = "Train again (may be charged twice)"
            return sentences, [
                button("fin:again", shown_subject(view), again, style=DANGER, disabled=view.blocked),
                show,
            ]
        case "expiring":
            when = f" {moment(finetune.expires_at, 'R')}" if finetune.expires_at else " soon"
            sentences = f"{label} deletes {name}{when}. Draw with it until then; afterwards it can be trained again."
            return f"{sentences} Nothing is charged for that by itself.", [draw, show]
        case "expired":
            sentences = f"{label} has deleted {name}, or does not know it any more. Nothing more was charged."
            if not view.pictures:
                return sentences, [show]
            price = "nobody here knows what that costs" if view.price is None else price_of(view)
            sentences += f" Its pictures are still here, and it can be trained again: {price}."
            return sentences, [button("fin:anew", finetune.id, "Train it again", style=PRIMARY), show]
        case _:
            return _consent_news(view, about, show)


def _consent_news(view: FinetuneView, about: str, show: PressButton) -> tuple[str, list[PressButton]]:
    finetune, name = view.finetune, f"**{name_of(view)}**"
    match about:
        case "frozen":
            who = f"<@{finetune.frozen_by}>" if finetune.frozen_by else "A contributor"
            sentences = (
                f"{who} has withdrawn {counted(view.withdrawn)} that {name} was trained on. Nobody can draw with it"
            )
            return f"{sentences} until a moderator has decided whether it is kept. Nothing is charged.", [show]
        case "added":
            sentences = (
                f"<@{finetune.owner_id}> has put pictures of yours into the training set {name}. They have to confirm"
            )
            sentences += (
                " that you agree before it is trained. If you do not, take them out here: nothing is charged for that."
            )
            return sentences, [show, button("fin:withdraw", finetune.id, "Withdraw my pictures")]
        case "kept" if finetune.state is FinetuneState.DELETED:
            inferred = sentence(view.progress.inferred, 300) if view.progress.inferred else ""
            return f"{name} is deleted here, but {escaped(view.trainer.label)} still has it. {inferred}", [show]
        case "kept":
            return f"A moderator has decided that {name} is kept. It can be drawn with again.", [
                button("fin:try", finetune.id, "Draw with it", style=PRIMARY),
                show,
            ]
        case _:
            return f"There is something new about {name}.", [show]
