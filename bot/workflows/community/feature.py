"""Communities and their members, put together."""

from bot.workflows.base.kit import Kit
from bot.workflows.community.verbs import Communities, Members


class CommunityFeature:
    """The parts of communities that the rest of the bot uses."""

    def __init__(self, kit: Kit) -> None:
        self.communities = Communities(kit)
        self.members = Members(kit)
