"""What may I change about myself?"""

from zoneinfo import available_timezones

from pydantic import SecretStr

from engine.errors import Invalid, NotFound, Stale
from engine.identity import throttle
from engine.model.people import ProfileView, User
from engine.model.vocabulary import LinkKind, Permission
from engine.operations.door import Context, operation
from engine.operations.tries import count_tries, forgive_tries
from engine.operations.words import Name
from engine.storage import accounts, links, people, sessions


@operation("profile.show", Permission.PROFILE, reads=True)
def show(ctx: Context) -> ProfileView:
    """Show my account."""
    return _view(ctx, _me(ctx))


@operation("profile.change", Permission.PROFILE)
def change(ctx: Context, name: Name | None = None, time_zone: str | None = None, version: int | None = None) -> ProfileView:
    """Change my name or time zone (IANA; empty: that of the browser)."""
    user = _me(ctx, lock=True)
    if version is not None and version != user.version:
        raise Stale("Your account was changed meanwhile. Load it again and repeat your change.")
    if time_zone and time_zone not in available_timezones():
        raise Invalid.field("time_zone", f"“{time_zone}” is not a time zone such as Europe/Berlin.")
    user.name = user.name if name is None else name
    user.time_zone = user.time_zone if time_zone is None else time_zone
    user.version += 1
    ctx.work.session.add(user)
    ctx.note(user.name)
    ctx.work.touch("people", user.id)
    return _view(ctx, user)


@operation("profile.change_password", Permission.PROFILE)
def change_password(ctx: Context, current: SecretStr, password: SecretStr) -> int:
    """Change my password; all my other sessions end. Answers with how many did. Raises Invalid."""
    user = _me(ctx)
    subjects = throttle.sign_in(user.email, ctx.actor.request.address)
    count_tries(subjects)
    if not accounts.password_is(ctx.work, user.id, current.get_secret_value()):
        raise Invalid.field("current", "This is not your current password.")
    forgive_tries(subjects)
    accounts.set_password(ctx.work, user, password.get_secret_value())
    links.withdraw(ctx.work, user.email, LinkKind.PASSWORD)
    ctx.note(user.name)
    others = [id for id in sessions.of_user(ctx.work, user.id, all_organizations=True) if id != ctx.actor.session_id]
    return len(sessions.end(ctx.work, user.id, others))


def _me(ctx: Context, lock: bool = False) -> User:
    user = ctx.work.session.get(User, ctx.actor.id, with_for_update=lock or None)
    if user is None:
        raise NotFound("This account does not exist any more.")
    return user


def _view(ctx: Context, user: User) -> ProfileView:
    assert ctx.actor.role is not None, "a person has a role"
    organizations = tuple(people.organizations_of(ctx.work, user.id))
    admin = user.instance_admin
    return ProfileView(user.id, user.email, user.name, user.time_zone, ctx.actor.role, admin, organizations, user.version)
