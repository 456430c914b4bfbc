"""What a page rests on: links to the legal shelf from the forms and screens that registered with `kernel.citing`."""

from __future__ import annotations

from django import template
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from khue.kernel import citing
from regulations import shelf

register = template.Library()


@register.simple_tag
def basis(*codes: str) -> SafeString:
    """Return a line with the instruments that these things rest on, each a link: `{% basis "transcripts.secondary" %}`."""
    numbers = dict.fromkeys(number for code in codes for number in citing.RESTING[code].instruments)
    links = format_html_join(
        ", ", '<a href="{}">{}</a>',
        ((reverse("law:instrument", args=[shelf.slug_of(number)]), shelf.instrument(number).name) for number in numbers),
    )  # fmt: skip
    return format_html('<p class="k-soft kl-basis">{} {}</p>', _("Căn cứ:"), links)
