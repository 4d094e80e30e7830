"""What the admin sets, read once at the start."""

import re
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AnyHttpUrl, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from bot.errors import Broken


class Settings(BaseSettings):
    """Environment variables, or lines of a file `.env`. Each description says what it is for and where to get it."""

    model_config = SettingsConfigDict(
        env_file=".env", env_file_encoding="utf-8", extra="ignore", frozen=True, env_ignore_empty=True
    )

    discord_token: SecretStr = Field(
        min_length=20,
        description="The bot's token. Discord Developer Portal (discord.com/developers) > your application > Bot > "
        "Reset Token.",
    )
    bfl_api_key: SecretStr = Field(
        min_length=1,
        description="Your key at Black Forest Labs, who draw the pictures. dashboard.bfl.ai > API keys.",
    )
    bfl_region: Literal["global", "eu", "us"] = Field(
        default="global",
        description="Where pictures are drawn: global (fastest), eu or us (they stay in that region).",
    )
    bfl_api_url: AnyHttpUrl | None = Field(
        default=None,
        description="Another address for Black Forest Labs' API, e.g. a proxy of yours. It is given the key.",
    )
    bfl_us1_url: AnyHttpUrl | None = Field(
        default=None,
        description="The same for their host in the US where finetunes are trained and drawn with (api.us1.bfl.ai).",
    )
    bfl_eu1_url: AnyHttpUrl | None = Field(
        default=None,
        description="The same for their host in the EU where finetunes are trained and drawn with (api.eu1.bfl.ai).",
    )
    bfl_active_tasks: int = Field(
        default=24,
        ge=1,
        le=1000,
        description="Pictures that your account may have drawn at once. 24 unless Black Forest Labs has told you "
        "otherwise.",
    )
    bfl_kontext_max_tasks: int = Field(
        default=6, ge=1, le=1000, description="How many of those may be of the model flux-kontext-max."
    )
    astria_api_key: SecretStr | None = Field(
        default=None,
        description="Your key at Astria, where finetunes can be trained. www.astria.ai > Account > API. Without it, "
        "Astria is not offered.",
    )
    astria_api_url: AnyHttpUrl | None = Field(
        default=None, description="Another address for Astria's API. It is given the key."
    )
    vimmerse_api_key: SecretStr | None = Field(
        default=None,
        description="Your key at Vimmerse, where finetunes can be trained, too; by request to support@vimmerse.net. "
        "Without it, Vimmerse is not offered.",
    )
    vimmerse_api_url: AnyHttpUrl | None = Field(
        default=None, description="Another address for Vimmerse's API. It is given the key."
    )
    wallet_private_key: SecretStr | None = Field(
        default=None,
        description="The private key of the wallet that mints and registers on Story, 64 hex digits; a wallet for the "
        "bot alone. Without it, and without the next settings, images cannot be registered. On the test network its "
        "coins are free (aeneid.faucet.story.foundation).",
    )
    story_network: Literal["aeneid", "mainnet"] = Field(
        default="aeneid", description="Where images are registered: aeneid (the test network) or mainnet (for good)."
    )
    rpc_provider_url: SecretStr | None = Field(
        default=None,
        description="The node that the bot speaks to. Without it, Story's public one: https://aeneid.storyrpc.io or "
        "https://mainnet.storyrpc.io. It may hold a key, and is kept out of the log.",
    )
    spg_nft_contract_address: str | None = Field(
        default=None,
        pattern=r"^0x[0-9a-fA-F]{40}$",
        description="The collection that images are minted in. Made once, and printed, by: python -m bot collection "
        "create.",
    )
    pinata_jwt: SecretStr | None = Field(
        default=None,
        description="Your key (JWT) at Pinata, who keep images and metadata on IPFS. app.pinata.cloud > API Keys > New "
        "Key, with Files: Write.",
    )
    kubo_rpc_url: AnyHttpUrl | None = Field(
        default=None,
        description="The RPC address of an IPFS node of yours (Kubo), or of Filebase or Lighthouse: instead of Pinata, "
        "or beside it as a second place.",
    )
    kubo_rpc_token: SecretStr | None = Field(default=None, description="The bearer token for it, where it wants one.")
    pin_first: Literal["pinata", "kubo"] = Field(
        default="pinata", description="Which of the two is asked first, where both are set; the other one is a mirror."
    )
    ipfs_gateway_url: AnyHttpUrl = Field(
        default=AnyHttpUrl("https://ipfs.io"),
        description="The gateway whose address is written into the metadata, for good: <this>/ipfs/<CID>.",
    )
    pinata_gateway_url: AnyHttpUrl = Field(
        default=AnyHttpUrl("https://gateway.pinata.cloud"),
        description="The gateway through which the bot reads back what Pinata has; your own one answers soonest. "
        "app.pinata.cloud > Gateways.",
    )
    pinata_api_url: AnyHttpUrl | None = Field(
        default=None, description="Another address for Pinata's API. It is given the key."
    )
    pinata_uploads_url: AnyHttpUrl | None = Field(
        default=None, description="Another address for Pinata's uploads. It is given the key."
    )
    story_max_fee_gwei: float = Field(
        default=100.0,
        gt=0,
        le=100_000,
        description="The most that may be paid for a unit of gas, in gwei; while the network asks more, the bot waits.",
    )
    story_confirmations: int = Field(
        default=2, ge=1, le=100, description="Blocks after which a registration counts as final."
    )
    story_explorer_url: AnyHttpUrl | None = Field(
        default=None, description="Another explorer for the links to registered images; usually Story's own."
    )
    story_undo_seconds: float = Field(
        default=60.0,
        ge=0,
        le=86_400,
        description="Seconds for which a moderator can take an approval back, before anything is pinned or minted.",
    )
    public_url: AnyHttpUrl | None = Field(
        default=None,
        description="The https address at which the world reaches the bot's own web server (below), where you have a "
        "reverse proxy: trainers call there (/callbacks/) when they are done, and members' wallets sign on a page "
        "(/wallet/). Without it, the bot asks the trainers, which takes up to a minute longer, and members sign a text "
        "elsewhere.",
    )
    web_host: str = Field(
        default="127.0.0.1", description="Where the web server listens; it runs only where PUBLIC_URL is set."
    )
    web_port: int = Field(default=8080, ge=0, le=65_535, description="The port that it listens on.")
    data_dir: Path = Field(
        default=Path("var"),
        description="The folder for the database and the pictures. Back this folder up (python -m bot backup).",
    )
    min_free_disk_mb: int = Field(
        default=200,
        ge=0,
        le=1_000_000,
        description="Megabytes that must be free on the disk of DATA_DIR before anything new is ordered: what is paid "
        "for has to be kept. A picture takes 1 to 5.",
    )
    admin_user_ids: Annotated[frozenset[int], NoDecode] = Field(
        default=frozenset(),
        description="Discord ids of those who may use /admin drain, /admin doctor and /admin settle, beside the "
        "application's owner; commas between them. "
        "Discord > Settings > Advanced > Developer Mode, then right-click a person > Copy User ID.",
    )
    admin_channel_id: int | None = Field(
        default=None,
        description="Id of a channel that is told of failures and of what happened while the bot was away.",
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        default="INFO", description="How much is written to the log: DEBUG, INFO, WARNING or ERROR."
    )

    @field_validator(
        "bfl_api_url",
        "bfl_us1_url",
        "bfl_eu1_url",
        "astria_api_url",
        "vimmerse_api_url",
        "kubo_rpc_url",
        "ipfs_gateway_url",
        "pinata_gateway_url",
        "pinata_api_url",
        "pinata_uploads_url",
        "story_explorer_url",
        "public_url",
    )
    @classmethod
    def _origin_alone(cls, value: AnyHttpUrl | None) -> AnyHttpUrl | None:
        if value is not None and (value.path not in {None, "/"} or value.query or value.username or value.password):
            raise ValueError("must be an address such as https://api.example.com, with nothing behind the host")
        if value is not None and value.scheme == "http" and value.host not in {"127.0.0.1", "localhost", "[::1]"}:
            raise ValueError("must begin with https: plain http is for this machine only")
        return value

    @field_validator("wallet_private_key")
    @classmethod
    def _private_key(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not re.fullmatch(r"(0x)?[0-9a-fA-F]{64}", value.get_secret_value().strip()):
            raise ValueError("must be 64 hex digits, with or without 0x before them")
        return value

    @field_validator("admin_user_ids", mode="before")
    @classmethod
    def _split(cls, value: Any) -> Any:
        if isinstance(value, str):
            return [part for part in value.replace(",", " ").split() if part]
        return value


def read_settings(env_file: Path | None = None) -> Settings:
    """The settings of this process.

    Raises:
        Broken: some are missing or malformed; the message names all of them, what they are for and where to get them.
    """
    try:
        if env_file is not None:
            return Settings(_env_file=env_file)  # pyright: ignore[reportCallIssue] - filled from the environment
        return Settings()  # pyright: ignore[reportCallIssue] - filled from the environment
    except ValidationError as error:
        raise Broken(explain(error)) from None  # its input is secret


def explain(error: ValidationError) -> str:
    """One paragraph a setting that is wrong. Never shows a value: it may be a secret."""
    problems: list[str] = []
    for each in error.errors(include_input=False, include_url=False):
        name = str(each["loc"][0])
        field = Settings.model_fields[name]
        what = "is missing" if each["type"] == "missing" else f"is not right: {each['msg'][0].lower()}{each['msg'][1:]}"
        problems.append(f"{name.upper()} {what}.\n    {field.description}")
    return "These settings (in .env, or in the environment) need your attention:\n\n" + "\n\n".join(problems)


def example() -> str:
    """The text of .env.example: every setting with its description; optional ones commented out with their default."""
    lines = ["# Copy this file to .env and fill it in. Lines that begin with # are optional."]
    for name, field in Settings.model_fields.items():
        lines += ["", *(f"# {line}" for line in _wrap(field.description or ""))]
        if field.is_required():
            lines.append(f"{name.upper()}=")
        else:
            default = field.get_default(call_default_factory=True)
            lines.append(f"#{name.upper()}={default if default not in (None, frozenset()) else ''}")
    return "\n".join(lines) + "\n"


def _wrap(text: str) -> list[str]:
    lines: list[str] = [""]
    for word in text.split():
        if len(lines[-1]) + len(word) > 100:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return lines
