"""What may a vandal send over the live socket?"""

_STATES = "reflex___state____state.state___"
PEOPLE = f"{_STATES}people____people_state"
AUDIT = f"{_STATES}audit____audit_state"
INCIDENTS = f"{_STATES}incidents____incidents_state"
INCIDENT = f"{_STATES}incident____incident_state"
SOURCE = f"{_STATES}source____source_state"
NEW_SOURCE = f"{_STATES}sources____new_source_state"
OVERVIEW = f"{_STATES}overview____overview_state"
FRAME = f"{_STATES}frame____frame_state"
ALERT = f"{_STATES}alert____alert_state"
RULE = f"{_STATES}rule____rule_state"
RULES = f"{_STATES}rules____rules_state"
MAPPING = f"{_STATES}enrichment____mapping_state"
SILENCES = f"{_STATES}silences____silences_state"
SILENCE = f"{_STATES}silence____silence_state"
CALENDAR = f"{_STATES}silences____calendar_state"
IMPORTS = f"{_STATES}imports____imports_state"


def deep(levels: int) -> str:
    """JSON that is nested so deeply."""
    return "[" * levels + "]" * levels


def event(inside: str) -> str:
    """A frame with an event, its data as raw text."""
    return f"42/_event,{inside}"


def call(state: str, name: str, payload: str) -> str:
    """A frame that calls a handler, its payload as raw text."""
    return event(f'["event",{{"name":"{state}.{name}","payload":{payload},"router_data":{{}}}}]')


def at(path: str, state: str, name: str) -> str:
    """A frame that calls a handler without arguments on a page with this address."""
    return event(
        f'["event",{{"name":"{state}.{name}","payload":{{}},"router_data":{{"pathname":"{path}","query":{{}},"asPath":"{path}"}}}}]'
    )


PARTS, QUOTE = '{\\"not\\":', '\\"'  # inside text in JSON
GARBAGE: dict[str, str | bytes] = {
    "nothing": "",
    "no protocol": "hello",
    "bytes": b"\x00\xff\xfe",
    "an unknown packet": "9",
    "an unknown kind of event": "49/_event,[]",
    "no space": "42",
    "another space": '42/admin,["event",{}]',
    "an event without a name": event("[]"),
    "an event that is no list": event('{"a":1}'),
    "an event without data": event('["event"]'),
    "a number": event('["event",5]'),
    "null": event('["event",null]'),
    "text": event('["event","not json"]'),
    "a list": event('["event",[1,2]]'),
    "too many": event('["event",{},{},{}]'),
    "a name that is a number": event('["event",{"name":5,"payload":{}}]'),
    "an unknown name": event('["event",{"name":"no.such.handler","payload":{},"router_data":{}}]'),
    "a name of a private method": event(f'["event",{{"name":"{PEOPLE}._read","payload":{{}},"router_data":{{}}}}]'),
    "a dunder": event(f'["event",{{"name":"{PEOPLE}.__init__","payload":{{}},"router_data":{{}}}}]'),
    "no place": event(f'["event",{{"name":"{PEOPLE}.refresh","payload":{{}}}}]'),
    "a place that is text": event(f'["event",{{"name":"{PEOPLE}.refresh","payload":{{}},"router_data":"/"}}]'),
    "a path that is a number": event(f'["event",{{"name":"{PEOPLE}.refresh","payload":{{}},"router_data":{{"pathname":5}}}}]'),
    "a payload that is a list": event(f'["event",{{"name":"{PEOPLE}.search","payload":[1],"router_data":{{}}}}]'),
    "a payload that lacks all": event(f'["event",{{"name":"{PEOPLE}.search","payload":{{}},"router_data":{{}}}}]'),
    "a payload with more": event(f'["event",{{"name":"{PEOPLE}.refresh","payload":{{"self":1,"x":2}},"router_data":{{}}}}]'),
    "words that are an object": event(f'["event",{{"name":"{PEOPLE}.search","payload":{{"words":{{"a":1}}}},"router_data":{{}}}}]'),
    "a form that is text": event(f'["event",{{"name":"{PEOPLE}.invite","payload":{{"form":"x"}},"router_data":{{}}}}]'),
    "a team that is no id": event(f'["event",{{"name":"{PEOPLE}.invite","payload":{{"form":{{"team":"x"}}}},"router_data":{{}}}}]'),
    "an outcome that is none": event(f'["event",{{"name":"{AUDIT}.only_outcome","payload":{{"outcome":"x"}},"router_data":{{}}}}]'),
    "a zero byte": event(f'["event",{{"name":"{PEOPLE}.search","payload":{{"words":"\\u0000"}},"router_data":{{}}}}]'),
    "half a surrogate": event(f'["event",{{"name":"{PEOPLE}.search","payload":{{"words":"\\ud800"}},"router_data":{{}}}}]'),
    "a variable of the framework": event(
        '["event",{"name":"reflex___state____state.setvar","payload":{"var_name":"is_hydrated","value":[]},"router_data":{}}]'
    ),
    "a variable of ours": event(f'["event",{{"name":"{PEOPLE}.setvar","payload":{{"var_name":"rows","value":[]}},"router_data":{{}}}}]'),
    "a filter that is a list": call(INCIDENTS, "narrow", '{"name":["severity"],"value":{}}'),
    "rows that are no ids": call(INCIDENTS, "act", '{"name":"resolve","ids":["x",5,null]}'),
    "rows that are no list": call(INCIDENTS, "act", '{"name":"merge","ids":5}'),
    "an act that is none": call(INCIDENTS, "act", '{"name":{},"ids":[]}'),
    "an owner who is no id": call(INCIDENTS, "act", '{"name":"assign:x","ids":[]}'),
    "a view that is no form": call(INCIDENTS, "save_view", '{"form":[]}'),
    "an incident of no page": call(INCIDENT, "comment", '{"form":{"text":"x"}}'),
    "a severity that is none": call(INCIDENT, "change", '{"form":{"severity":"purple","status":"asleep"}}'),
    "a source of no page": call(SOURCE, "rotate", '{"form":{"hours":"x"}}'),
    "a kind that was not chosen": call(NEW_SOURCE, "create", '{"form":{}}'),
    "a sample of no kind": call(NEW_SOURCE, "try_out", '{"form":{"sample":5}}'),
    "a range that is none": call(OVERVIEW, "look_back", '{"hours":[]}'),
    "a path that is a list": call(FRAME, "go", '{"path":["/"]}'),
    "a rule that is a list": call(RULE, "said", '{"form":[]}'),
    "a rule of lists": call(RULE, "save", '{"form":{"name":[],"when":{},"then":5,"labels":[1],"group_by":{"a":1},"count":"x"}}'),
    "a condition that is nested": call(RULE, "said", f'{{"form":{{"name":"x","when":"{deep(200_000)}"}}}}'),
    "nested parts of a condition": call(RULE, "said", f'{{"form":{{"when":"{PARTS * 900}true{"}" * 900}"}}}}'),
    "days that are none": call(RULE, "ask_history", '{"form":{"days":"1e400"}}'),
    "a job of no page": call(RULE, "cancel", "{}"),
    "a version that is none": call(RULE, "roll_back", '{"to":-1e300}'),
    "a rule of no page": call(RULE, "delete", "{}"),
    "a rule that is none": call(RULES, "move", '{"id":"x","before":5}'),
    "a step that is huge": call(RULES, "step", f'{{"id":"x","by":{"9" * 4000}}}'),
    "a switch that is none": call(RULES, "switch", '{"id":[],"on":"maybe"}'),
    "a table that is a number": call(MAPPING, "said", '{"form":{"rows":5}}'),
    "a table of quotes": call(MAPPING, "said", f'{{"form":{{"rows":"a,b\\n{QUOTE * 100_000}"}}}}'),
    "hours without end": call(SILENCES, "extend", f'{{"id":"x","hours":{"9" * 4000}}}'),
    "hours that are none": call(ALERT, "silence", '{"hours":{"a":1}}'),
    "a silence that is a list": call(SILENCE, "said", '{"form":["x"]}'),
    "a silence of nonsense": call(
        SILENCE, "save", f'{{"form":{{"matchers":"{"{" * 9000}","lasts":"{"9" * 400}","zone":"../../etc","team":"x"}}}}'
    ),
    "a silence of no page": call(SILENCE, "end", "{}"),
    "a month after the last": at("/silences/calendar?at=9999-12-31", CALENDAR, "arrive"),
    "its days": at("/silences/calendar?at=9999-12-31", CALENDAR, "refresh"),
    "a day that is none": at("/silences/calendar?view=week&at=%00%ff-['", CALENDAR, "arrive"),
    "a turn that is huge": call(CALENDAR, "turn", f'{{"by":{"9" * 4000}}}'),
    "a file that is nested": call(IMPORTS, "look", f'{{"form":{{"kind":"rules","text":"{deep(200_000)}"}}}}'),
    "a file of no kind": call(IMPORTS, "look", '{"form":{"kind":[],"text":{}}}'),
    "nothing looked at": call(IMPORTS, "take", "{}"),
    "deep nesting": event(f'["event",{{"name":"{PEOPLE}.search","payload":{{"words":{deep(50_000)}}},"router_data":{{}}}}]'),
    "nothing but nesting": event(deep(200_000)),
    "half a megabyte": event(f'["event",{{"name":"{PEOPLE}.search","payload":{{"words":"{"x" * 500_000}"}},"router_data":{{}}}}]'),
    "five megabytes": event(f'["event",{{"name":"{PEOPLE}.search","payload":{{"words":"{"x" * 5_000_000}"}},"router_data":{{}}}}]'),
    "attachments that never come": '4599999-/_event,["event",{"_placeholder":true,"num":0}]',
    "an endless number": event('["event",' + "9" * 100_000 + "]"),
    "an error of the page": event('["client_error",{"error":5}]'),
    "an unknown event": event('["shutdown",{}]'),
    "a second connection": "40/_event,[]",
    "an acknowledgement": '43/_event,1["x"]',
}
