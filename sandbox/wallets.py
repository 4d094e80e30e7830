"""A wallet for each of the sandbox's people, as a page: it signs what they paste into it.

It stands in for the wallet program that a member has of their own. Its keys are known to everybody.
"""

import html

from aiohttp import web
from eth_account import Account as Keys
from eth_account.messages import encode_defunct

from standins.chain.accounts import ADA, BEN, MIA, OLGA, Account

PEOPLE = (ADA, BEN, MIA, OLGA)
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'"
_PAGE = """<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>Sandbox wallet</title>
    <style>
      body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 44rem; margin: 2rem auto; padding: 0 1rem; color: #222 }}
      textarea {{ width: 100%; height: 16rem; font: 13px/1.4 monospace }}
      code {{ font-size: 13px; overflow-wrap: anywhere }}
      output {{ display: block; background: #eef6ee; padding: .75rem; border-radius: 6px }}
      label {{ display: block; margin: .75rem 0 .25rem }}
    </style>
  </head>
  <body>
    <h1>Sandbox wallet</h1>
    <p>A wallet program shows a message and signs it. This one signs for the people of the sandbox; anybody knows its
      keys.</p>
    <ul>{people}</ul>
    <form method="post">
      <label for="who">Who signs</label>
      <select id="who" name="who">{options}</select>
      <label for="message">The message, exactly as the bot has given it</label>
      <textarea id="message" name="message" required spellcheck="false">{message}</textarea>
      <p><button>Sign it</button></p>
    </form>
    {signed}
  </body>
</html>
"""


class Wallets:
    """The page: GET shows it, POST signs."""

    def app(self) -> web.Application:
        app = web.Application(client_max_size=64 * 1024)
        app.router.add_get("/", self._show)
        app.router.add_post("/", self._sign)
        return app

    async def _show(self, _request: web.Request) -> web.Response:
        return _page()

    async def _sign(self, request: web.Request) -> web.Response:
        form = await request.post()
        message, who = str(form.get("message", "")), str(form.get("who", ""))
        account = next((each for each in PEOPLE if each.name == who), None)
        if account is None or not message.strip():
            raise web.HTTPBadRequest(text="Choose who signs, and paste a message.")
        return _page(message, signed_by=account)


def signature(account: Account, message: str) -> str:
    """What a wallet answers when it is asked to sign this text (EIP-191), as 0x and 130 hex digits.

    A browser sends the line ends of a form as CR LF; the message has LF alone.
    """
    text = message.replace("\r\n", "\n").strip("\n")
    return "0x" + bytes(Keys.sign_message(encode_defunct(text=text), account.key).signature).hex()


def _page(message: str = "", *, signed_by: Account | None = None) -> web.Response:
    signed = ""
    if signed_by is not None:
        made = html.escape(signature(signed_by, message))
        signed = f"<h2>The signature</h2><output><code id=signature>{made}</code></output>"
    people = "".join(f"<li>{each.name.capitalize()}: <code>{each.address}</code></li>" for each in PEOPLE)
    options = "".join(
        f"<option value={each.name}{' selected' if each is signed_by else ''}>{each.name.capitalize()}</option>"
        for each in PEOPLE
    )
    text = _PAGE.format(people=people, options=options, message=html.escape(message), signed=signed)
    return web.Response(text=text, content_type="text/html", headers={"Content-Security-Policy": _POLICY})
