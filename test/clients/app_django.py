"""Django, with mailgrant's backend or with its own SMTP backend as it comes."""

import os
import sys

import django
from django.conf import settings

if sys.argv[1] == "version":
    print(django.get_version())
    sys.exit()
BACKENDS = {
    "mailgrant": {
        "EMAIL_BACKEND": "mailgrant_django.EmailBackend",
        "MAILGRANT_URL": os.environ["API"],
        "MAILGRANT_API_KEY": os.environ["KEY"],
    },
    "smtp": {
        "EMAIL_HOST": "127.0.0.1",
        "EMAIL_PORT": int(os.environ["SMTP_PORT"]),
        "EMAIL_HOST_USER": "any",
        "EMAIL_HOST_PASSWORD": os.environ["KEY"],
    },
}
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "clients", "django"))
settings.configure(DEFAULT_FROM_EMAIL="Grün <%s>" % os.environ["FROM"], **BACKENDS[sys.argv[1]])

from django.core.mail import EmailMultiAlternatives

mail = EmailMultiAlternatives(os.environ["SUBJECT"], "Grüße", to=["you@example.net"], bcc=["hidden@example.net"])
mail.attach_alternative("<p>Grüße</p>", "text/html")
mail.attach("ü.bin", open(os.environ["FILE"], "rb").read(), "application/octet-stream")
if os.environ.get("ITS_KEY"):
    mail.extra_headers["Resend-Idempotency-Key"] = os.environ["ITS_KEY"]
mail.send()
