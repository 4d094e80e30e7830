"""The private cards about a member's own wallet."""

from bot.cards.base.layout import Card, compose, row, text
from bot.cards.base.lines import DONE, PRIMARY, WAITING
from bot.cards.base.words import moment
from bot.cards.registering.parts import address_link
from bot.discord.buttons import button
from bot.story.node.networks import Network
from bot.workflows.registering.wallets import Challenge, Linked
from storage.registering.wallets import LinkedWallet

WHY = (
    "What you register belongs to your linked wallet, unless you name another one for a registration; members without "
    "one register for the community's wallet."
)


def wallet_card(challenge: Challenge, user_id: int) -> Card:
    """What to sign, and how: on the bot's own page where there is one, or anywhere."""
    on_page = (
        [
            text(
                f"**[Open the page that asks your wallet]({challenge.page})**, in the browser where your wallet is. It "
                "shows what you sign, and links the wallet when you have signed. The link is yours alone: give it to "
                "nobody.",
                "-# Without a wallet in a browser, sign this text instead, all of it:",
            )
        ]
        if challenge.page
        else [text("Sign exactly this text, all of it:")]
    )
    return compose(
        [
            text(
                "### Prove that this wallet is yours",
                f"With the account `{challenge.address}`, before {moment(challenge.expires_at, 't')} "
                f"({moment(challenge.expires_at, 'R')}):",
            ),
            *on_page,
            text(f"```\n{challenge.message}\n```"),
            text(
                "- MetaMask, Rabby and other wallets of a browser sign on a website only: “Sign Message” at "
                "[etherscan.io/verifiedSignatures](https://etherscan.io/verifiedSignatures) asks them to.\n"
                "- With Foundry: `cast wallet sign --ledger 'the text'`, or with `--account` or `--interactive`.\n"
                "Then copy what you get, and press the button. It is no transaction: it costs nothing and moves "
                "nothing."
            ),
            text(
                "The bot never asks for your private key or your secret words. Nobody else sees this.",
            ),
            *row([button("wal:sign", str(user_id), "I have signed it", style=PRIMARY)]),
        ],
        colour=WAITING,
    )


def wallet_linked_card(linked: Linked, network: Network) -> Card:
    """What has changed, and what follows from it."""
    lines = [
        "### Your wallet is linked",
        f"{address_link(linked.wallet.address, network)} is yours: you have signed for it.",
        WHY,
    ]
    if linked.before:
        lines.append(f"It takes the place of {address_link(linked.before, network)}.")
    if linked.taken_from is not None:
        lines.append(
            f"<@{linked.taken_from}> had linked it before. A wallet is one member's at a time, and the newest proof "
            "counts, so it is not theirs any more."
        )
    lines.append("What you have submitted already goes where its card says.")
    return compose([text(*lines)], colour=DONE)


def wallet_text(wallet: LinkedWallet | None, network: Network) -> str:
    """What is linked, if anything."""
    if wallet is None:
        return f"You have linked no wallet. {WHY} `/wallet link` links yours."
    return (
        f"Your wallet is {address_link(wallet.address, network)}, linked {moment(wallet.linked_at, 'f')}. {WHY} "
        "`/wallet unlink` forgets it; what is registered already stays where it is."
    )
