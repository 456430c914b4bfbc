"""What every template has without loading: marks, icons, forms, and the components that hold other content.

Components that only show data are plain `{% include "components/….html" with … %}`; those that wrap content are
block tags here: `{% card title=… %} … {% endcard %}`, `{% alert "warn" %} … {% endalert %}`, `{% table %} … {% endtable %}`,
`{% filter_bar %} … {% endfilter_bar %}`.
"""

from __future__ import annotations

import uuid
from datetime import date, datetime
from typing import Any
from urllib.parse import urlencode

from django import forms, template
from django.middleware.csrf import get_token
from django.template import Context
from django.template.base import Node, Parser, Token
from django.template.context import RequestContext
from django.template.loader import render_to_string
from django.template.loader_tags import BLOCK_CONTEXT_KEY
from django.templatetags.static import static
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext

from khue.kernel import quantities
from khue.kernel import text as texts
from khue.kernel.permissions import allowed as is_allowed
from khue.kernel.permissions import holds as does_hold

register = template.Library()

TONES = {
    "good": "circle-check", "warn": "alert-triangle", "bad": "alert-circle", "info": "info-circle",
    "accent": "circle-dashed", "": "circle",
}  # fmt: skip
"""The five tones and the icon that goes with each, so that colour never stands alone."""


# --- values ---------------------------------------------------------------------------------------


@register.filter
def tenths(value: int | None) -> str:
    """Return a mark as a teacher writes it: 8,5."""
    return quantities.format_tenths(value)


@register.filter
def average(value: int | None) -> str:
    """Return an average with its decimal: 8,0."""
    return quantities.format_average(value)


@register.filter
def day(value: date | datetime | None) -> str:
    """Return a day as 05/09/2026, or a dash."""
    if value is None or value == "":
        return "–"
    if isinstance(value, datetime):
        value = timezone.localtime(value).date() if timezone.is_aware(value) else value.date()
    return f"{value:%d/%m/%Y}"


@register.filter
def partial(value: date | None, precision: str = "day") -> str:
    """Return a date as much of it as is known: 05/09/2012, 09/2012 or 2012; nothing for none."""
    return texts.partial_date(value, precision)


@register.filter
def moment(value: datetime | None) -> str:
    """Return a moment in Vietnam as 05/09/2026 07:30, or a dash."""
    if value is None or value == "":
        return "–"
    value = timezone.localtime(value) if timezone.is_aware(value) else value
    return f"{value:%d/%m/%Y %H:%M}"


@register.filter
def grouped(value: int | None) -> str:
    """Return a whole number with points between thousands: 1.234.567."""
    return "–" if value is None or value == "" else f"{value:,}".replace(",", ".")


@register.filter
def initial(name: str) -> str:
    """Return the first letter of the given name, which stands last."""
    return (name.split() or ["?"])[-1][:1].upper()


_BROWSERS = (("Edg", "Edge"), ("OPR", "Opera"), ("coc_coc", "Cốc Cốc"), ("Firefox", "Firefox"), ("Chrome", "Chrome"), ("Safari", "Safari"))
_SYSTEMS = (("Android", "Android"), ("iPhone", "iPhone"), ("iPad", "iPad"), ("Windows", "Windows"), ("Mac OS", "Mac"), ("Linux", "Linux"))


@register.filter
def device(user_agent: str) -> str:
    """Return a browser's long name as a person says it: Chrome, Windows."""
    found = [next((name for mark, name in names if mark in user_agent), "") for names in (_BROWSERS, _SYSTEMS)]
    return ", ".join(filter(None, found)) or user_agent[:60] or gettext("Thiết bị không rõ")


@register.filter
def get(mapping: Any, key: Any) -> Any:
    """Return the value of a key of a dict, for tables whose columns are data."""
    return mapping.get(key, "") if hasattr(mapping, "get") else ""


# --- shell ----------------------------------------------------------------------------------------


class _Again(Node):
    def __init__(self, name: str) -> None:
        self.name = name

    def render(self, context: Context) -> str:
        blocks = context.render_context.get(BLOCK_CONTEXT_KEY)
        block = blocks.get_block(self.name) if blocks is not None else None
        return block.render(context) if block is not None else ""


@register.tag
def again(parser: Parser, token: Token) -> Node:
    """Render a block once more: `{% again title %}`, so that a page writes its title once."""
    return _Again(token.split_contents()[1])


@register.simple_tag
def icon(name: str, label: str = "", css: str = "") -> SafeString:
    """Return an icon of the sprite; `label` where it stands alone, else it is hidden from readers."""
    return format_html(
        '<svg class="icon{}" {} focusable="false"><use href="{}#{}"></use></svg>',
        f" {css}" if css else "",
        format_html('role="img" aria-label="{}"', label) if label else mark_safe('aria-hidden="true"'),
        static("build/icons.svg"),
        name,
    )


@register.simple_tag(takes_context=True)
def holds(context: Context, right: str) -> bool:
    """Return whether the actor's role has a right anywhere: `{% holds "gradebook.open" as may %}`."""
    return does_hold(context["actor"], right)


@register.simple_tag(takes_context=True)
def may(context: Context, right: str, thing: Any) -> bool:
    """Return whether the actor may do this to this thing now: `{% may "gradebook.record" register as can %}`."""
    return is_allowed(context["actor"], right, on=thing, at=timezone.now())


@register.simple_tag(takes_context=True)
def query(context: Context, **changes: Any) -> str:
    """Return `?…` of this page with some parameters changed; None takes one away."""
    parameters = context["request"].GET.copy()
    for name, value in changes.items():
        parameters.pop(name, None)
        if value is not None and value != "":
            parameters[name] = value
    return f"?{parameters.urlencode()}" if parameters else context["request"].path


@register.simple_tag
def with_query(address: str, **values: Any) -> str:
    """Return an address with parameters."""
    return f"{address}?{urlencode({key: value for key, value in values.items() if value is not None})}"


# --- forms ----------------------------------------------------------------------------------------


@register.simple_tag(takes_context=True)
def form_guard(context: Context, version: int | None = None) -> SafeString:
    """Return what every form that writes carries: CSRF token, a key against repeats, the version it was read at."""
    fields = [("csrfmiddlewaretoken", get_token(context["request"])), ("_key", uuid.uuid4().hex)]
    if version is not None:
        fields.append(("version", str(version)))
    return format_html_join("", '<input type="hidden" name="{}" value="{}">', fields)


_CHECKS = (forms.CheckboxInput,)
_GROUPS = (forms.RadioSelect, forms.CheckboxSelectMultiple)


@register.simple_tag
def field(bound: forms.BoundField, wide: bool = False) -> SafeString:
    """Render a form field with label, help and errors; every kind of widget."""
    widget = bound.field.widget
    if widget.is_hidden:
        return bound.as_widget()
    if isinstance(widget, _GROUPS):
        kind = "group"
    elif isinstance(widget, _CHECKS):
        kind = "check"
    elif isinstance(widget, forms.FileInput):
        kind = "file"
    else:
        kind = "plain"
    css = {"check": "form-check-input", "group": "form-check-input", "file": "form-control"}.get(kind, "form-control")
    if isinstance(widget, forms.Select) and kind == "plain":
        css = "form-select"
    widget.attrs.pop("placeholder", None)  # the label says it, and stays
    attributes: dict[str, str | bool] = {"class": f"{widget.attrs.get('class', '')} {css}".strip()}
    if isinstance(widget, forms.Textarea) and str(widget.attrs.get("rows")) == "10":  # Django's own default
        attributes["rows"] = "4"
    if kind == "group":
        widget.attrs["class"] = attributes["class"]
    return SafeString(
        render_to_string(
            "components/field.html",
            {"field": bound, "kind": kind, "control": bound.as_widget(attrs=attributes), "wide": wide},
        )
    )


# --- components that hold content -----------------------------------------------------------------


def _wrap(name: str, context: Context, content: str, **values: Any) -> SafeString:
    request = context.get("request")
    values["content"] = content  # a rendered node list: safe already
    return SafeString(render_to_string(f"components/{name}.html", values, request=request))


@register.simple_block_tag(takes_context=True)
def card(context: RequestContext, content: str, title: str = "", body: bool = True, level: int = 2, id: str = "") -> str:
    """Wrap content in a card; body=False where a table fills it to the edge."""
    return _wrap("card", context, content, title=title, body=body, level=level, id=id)


@register.simple_block_tag(takes_context=True)
def alert(context: RequestContext, content: str, tone: str = "info", title: str = "") -> str:
    """Wrap a sentence that must be seen; tone info, good, warn or bad."""
    return _wrap("alert", context, content, tone=tone, title=title, icon_name=TONES[tone])


@register.simple_block_tag(takes_context=True)
def table(context: RequestContext, content: str, caption: str = "", dense: bool = False, keep: bool = False, label: str = "") -> str:
    """Wrap thead and tbody. Cells carry data-label="…" so that rows become cards on a phone; keep=True scrolls instead."""
    return _wrap("table", context, content, caption=caption, dense=dense, keep=keep, label=label)


@register.simple_block_tag(takes_context=True)
def filter_bar(context: RequestContext, content: str, target: str = "", submit: str = "") -> str:
    """Wrap fields that narrow a list: a GET form; with `target` (a selector) htmx swaps just that part."""
    return _wrap("filter_bar", context, content, target=target, submit=submit, path=context["request"].path)


@register.inclusion_tag("components/state.html")
def state(text: str, tone: str = "") -> dict[str, Any]:
    """Show a state as a pill: word, tone and icon."""
    return {"text": text, "tone": tone, "icon_name": TONES[tone]}
