"""Which handlers may be called without a permission, and why is that safe? A new one needs a reason here."""

from engine.model.vocabulary import Permission

# Neither asks for a permission nor is marked as open.
UNGUARDED = {
    "ToastState.dismiss": "forgets a line of the caller's own tab",
    "ToastState.say_failed": "adds a fixed line to the caller's own tab",
}
# Marked `@open_to_all`: signed in or not, each shows nothing of a tenant to who may not see it.
OPEN_TO_ALL = {
    "FrontState.open_sign_in": "the sign-in page: whether there is an owner yet, and what the caller's own form was told",
    "FrontState.open_set_up": "the set-up page: whether there is an owner yet, and the caller's own link",
    "FrontState.open_join": "the join page: what the one-time link in the caller's hands is for",
    "SessionState.enter": "who the caller is, from the caller's own cookie",
    "LiveState.listen": "asks who is looking itself, and then only calls the page's own guarded refresh",
}
# The framework's own.
OF_FRAMEWORK = {
    "State.hydrate": "sends the state of the caller's own tab, which is bound to the session",
    "State.hydrate_and_load": "the same, and begins the page, whose handlers are guarded",
    "State.set_is_hydrated": "a flag of the caller's own tab",
    "OnLoadInternalState.on_load_internal": "begins the page, whose handlers are guarded",
    "OnLoadInternalState.set_is_hydrated": "a flag of the caller's own tab",
    "UpdateVarsInternalState.update_vars_internal": "sets only what is kept in the browser, and nothing of ours is",
    "FrontendEventExceptionState.handle_frontend_exception": "writes one cut line to our log",
}
# On every state; it calls `set_…`, of which the framework's flag is the only one.
SETVAR = "setvar"
# A handler that anybody on the page may call, as it reads the rows again and so puts back what was refused: whether the act
# itself is allowed, the operation asks of the very things.
ASKED_BY_OPERATION = {
    "IncidentsState.act acknowledge": Permission.RESPOND,
    "IncidentsState.act resolve": Permission.RESPOND,
    "IncidentsState.act reopen": Permission.RESPOND,
    "IncidentsState.act assign:me": Permission.RESPOND,
    "IncidentsState.act merge": Permission.RESPOND,
    "AlertsState.act acknowledge": Permission.RESPOND,
    "AlertsState.act resolve": Permission.RESPOND,
    "AlertsState.act delete": Permission.CONFIGURE,
    "AlertState.act delete": Permission.CONFIGURE,
}
# Guarded by a permission that a team's role may give, but about no thing of any team: there is nothing to refuse.
ABOUT_NO_TEAM = {
    "NewSourceState.arrive": "reads the kinds, which are the product's, and the teams that the caller sees",
    "NewSourceState.choose": "draws the form of a kind",
    "NewSourceState.choose_auth": "remembers a choice in the caller's own tab",
    "ImportsState.arrive": "forgets what was looked at in the caller's own tab",
}
