"""Discord's REST API: routes for the bot and for interactions, and how each request is read and answered."""
