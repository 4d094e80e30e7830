"""Opens every part, joins them, and closes them in reverse. The one module that imports all others."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

from bot.assembly.kit import make_kit, open_files
from bot.assembly.providers import homes_of, lanes_of
from bot.assembly.publishing import registering_of
from bot.clock import Clock, SystemClock
from bot.config import Settings
from bot.discord.alarm import tell_admin
from bot.discord.client import Client, Services
from bot.discord.delivery import DiscordDelivery
from bot.http import client as http
from bot.jobs.machine import MEGABYTE, Machine
from bot.jobs.rounds import Round
from bot.jobs.watch import Watch
from bot.jobs.worker import Worker, new_holder
from bot.kinds import Features, faces_of, question_kinds, recipes_of, views_of
from bot.pictures.decode import Decoder
from bot.running import App
from bot.wallet_page.serving import WalletPage
from bot.web import Web
from bot.workflows.base.forms import Forms
from bot.workflows.base.progress import CardRefresher, Changes
from bot.workflows.base.types import DAY
from bot.workflows.base.undelivered import Undelivered
from bot.workflows.community.feature import CommunityFeature
from bot.workflows.drawing.feature import Drawing
from bot.workflows.finetuning.feature import Finetuning
from bot.workflows.reviewing.feature import Reviewing
from storage.database import open_database


@asynccontextmanager
async def assemble(
    settings: Settings, *, clock: Clock | None = None, origins: Sequence[str] = ()
) -> AsyncGenerator[App]:
    """The bot, ready to be connected; nothing runs yet.

    `origins` are further places that results and polling addresses may lie on (the sandbox's own servers).

    Raises:
        Broken: another bot runs on this folder, or its database is of a newer version.
    """
    clock = clock or SystemClock()
    async with AsyncExitStack() as stack:
        database = await open_database(settings.data_dir / "bot.db")
        stack.push_async_callback(database.close)
        files = await open_files(settings, database, clock)
        decoder = Decoder()
        stack.push_async_callback(decoder.close)
        session = await stack.enter_async_context(http.session())
        client, changes, lanes = Client(), Changes(), lanes_of(settings)
        questions = question_kinds(undo_seconds=settings.story_undo_seconds)
        faces = faces_of(questions, files)
        delivery = DiscordDelivery(client, clock=clock, files=files, decoder=decoder, database=database, faces=faces)

        async def tell(sentence: str) -> bool:
            return await tell_admin(client, settings, sentence)

        async def alarm(sentence: str) -> None:
            await tell(sentence)

        margin = settings.min_free_disk_mb * MEGABYTE
        machine = Machine(folder=settings.data_dir, margin=margin, clock=clock, alarm=tell)
        kit = await make_kit(
            settings,
            clock=clock,
            database=database,
            files=files,
            decoder=decoder,
            session=session,
            origins=origins,
            delivery=delivery,
            changed=changes.note,
            alarm=alarm,
            machine=machine,
        )
        reviewing = Reviewing(kit, rules={name: kind.rules for name, kind in questions.items()}, reminders=delivery)
        finetuning = Finetuning(kit, homes=homes_of(settings))
        drawing = Drawing(kit, lanes={lane.name: lane for lane in lanes}, finetuning=finetuning)
        registering = registering_of(settings, session, kit, decisions=reviewing.decisions)
        features = Features(drawing, finetuning, registering)
        views = views_of(features, database)
        worker = Worker(
            database,
            recipes_of(features),
            clock=clock,
            lanes=lanes,
            holder=new_holder(),
            signals=kit.signals,
            changed=changes.note,
            alarm=alarm,
            machine=machine,
        )
        client.services = Services(
            kit=kit,
            drawing=drawing,
            finetuning=finetuning,
            registering=registering,
            reviewing=reviewing,
            community=CommunityFeature(kit),
            forms=Forms(kit),
            undelivered=Undelivered(kit),
            views=views,
            faces=faces,
            delivery=delivery,
            worker=worker,
            admin_user_ids=settings.admin_user_ids,
        )
        yield App(
            settings=settings,
            clock=clock,
            database=database,
            client=client,
            worker=worker,
            progress=CardRefresher(database=database, clock=clock, views=views, delivery=delivery, changes=changes),
            rounds=(
                *finetuning.rounds,
                *reviewing.rounds(views),
                *registering.rounds,
                Round("attempts", DAY, delivery.attempts.sweep),
                Round("undelivered", DAY, Undelivered(kit).sweep),
            ),
            services=client.services,
            watch=Watch(clock, alarm, kit.signals),
            web=Web(kit.callbacks, clock, wallet_page=WalletPage(registering.wallets)) if settings.public_url else None,
        )
