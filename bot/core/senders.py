"""Who is behind an event: us, another bot, or a person. Decided by ids and GitHub's own type, never by how a login is spelt."""

from bot.core.events import Actor, Me


def is_us(actor: Actor, me: Me, app_id: int | None = None) -> bool:
    """Whether our bot account, or our App on a person's behalf, did it."""
    return actor.id == me.bot_user_id or (app_id is not None and app_id == me.app_id)


def is_person(actor: Actor, me: Me, app_id: int | None = None) -> bool:
    """Whether a person did it, the only kind of sender that may ask for anything."""
    return actor.type == "User" and actor.id > 0 and not is_us(actor, me, app_id)
