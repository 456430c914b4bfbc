"""What the web server runs."""

from django.core.wsgi import get_wsgi_application
from django.urls import get_resolver

from khue.kernel import collecting

application = get_wsgi_application()
_ = get_resolver().url_patterns  # every view is loaded now, not with the first page asked for
collecting.settle()
