"""Who is looking? Read again at each page, so that a revoked session or role shows at once."""

import reflex as rx

from engine.errors import AiopsError, NotSignedIn
from engine.identity.secrets import csrf_token
from engine.model.vocabulary import Permission
from state.call import actor_of, may, open_to_all, secret_of, show, sign_in_link


class SessionState(rx.State):
    """The person of this tab, as the frame shows it. Never an authority: every handler asks again."""

    name: str = ""
    email: str = ""
    organization: str = ""
    role: str = ""
    time_zone: str = ""
    csrf: str = ""
    permissions: list[str] = []

    @rx.event
    @open_to_all
    async def enter(self) -> rx.event.EventSpec | None:
        """Load who is looking; somebody unknown is led to the sign-in page."""
        try:
            actor = await actor_of(self)
        except NotSignedIn:
            return rx.redirect(sign_in_link(self))
        except AiopsError as error:
            await show(self, error)
            return None
        self.csrf = csrf_token(secret_of(self) or "")
        self.name, self.email, self.organization = actor.name, actor.email, actor.organization
        self.role, self.time_zone = str(actor.role), actor.time_zone
        self.permissions = [str(permission) for permission in Permission if may(actor, permission)]
        return None
