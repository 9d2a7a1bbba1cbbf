"""A Django app that does one thing with mail, named by the first argument, and prints what came of it as JSON."""

import json
import os
import pickle
import smtplib
import sys
import urllib.request

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "clients", "django"))

import django
from django.conf import settings

sys.argv.append("{}")
options = json.loads(sys.argv[2])
if django.VERSION < (6, 1) or "MAILERS" not in options:
    options["EMAIL_BACKEND"] = "mailgrant_django.EmailBackend"
settings.configure(
    DEFAULT_FROM_EMAIL="Bestellungen Grün <notices@example.com>",
    **{"MAILGRANT_URL": os.environ["URL"], "MAILGRANT_API_KEY": os.environ.get("KEY"), **options},
)

from email.mime.image import MIMEImage

from django.core import mail as django_mail
from django.core.mail import EmailMessage, EmailMultiAlternatives, get_connection, send_mail
from django.core.mail.backends.base import BaseEmailBackend

import mailgrant_django


def told(error):
    """What an app can read of an exception, also after a task queue has pickled it."""
    same = pickle.loads(pickle.dumps(error))
    return {
        "class": type(same).__name__,
        "smtplib": [base.__name__ for base in type(same).__mro__ if base.__module__ == "smtplib"],
        "smtp_code": same.smtp_code,
        "status": same.status,
        "code": same.code,
        "fix": same.fix,
        "mail": same.mail_id,
        "retry_after": same.retry_after,
        "recipients": sorted(same.recipients),
        "sender": same.sender,
        "text": str(same),
    }


def attempt(run):
    try:
        return {"sent": run()}
    except smtplib.SMTPException as error:
        return told(error)


def script(fault):
    urllib.request.urlopen(os.environ["GOOGLE"] + "/control/faults", json.dumps(fault).encode())


def rich():
    mail = EmailMultiAlternatives(
        "Grüße canary-subject ✓",
        "canary-body: äöü €\n.\n..two dots\n" + "lang " * 400,
        to=["Jörg Müller <you@example.net>", "b@bücher.example"],
        cc=['"Doe, Jane" <cc@example.net>'],
        bcc=["hidden@example.net"],
        reply_to=["Frage <reply@example.net>"],
        headers={"X-Order": "Nr. 7 – ä"},
    )
    mail.attach_alternative("<p>Grüße <img src='cid:logo'></p>", "text/html")
    image = MIMEImage(b"\x89PNG\r\n\x1a\n" + bytes(range(256)), "png")
    image.add_header("Content-ID", "<logo>")
    mail.attach(image)
    mail.attach("rechnung-ü.csv", "a;ä\nb;ö\n", "text/csv")
    mail.attach("daten.bin", bytes(range(256)) * 40, "application/octet-stream")
    return mail.send()


def simple():
    return send_mail("Hallo", "canary-body", None, ["you@example.net"])


def bcc_only():
    return EmailMessage("Hallo", "canary-body", bcc=["a@example.net", "b@example.net"]).send()


def nobody():
    return [EmailMessage("Hallo", "canary-body").send(), get_connection().send_messages([])]


def thirty(bad=None, silent=False):
    mails = [EmailMessage("Nr. %d" % n, "canary-body", to=["n%d@example.net" % n]) for n in range(30)]
    if bad is not None:
        mails[bad].from_email = "ceo@example.com"
    return get_connection(fail_silently=silent).send_messages(mails)


def one_bad():
    return attempt(lambda: thirty(bad=10))


def one_bad_silently():
    return thirty(bad=10, silent=True)


def kept_open():
    """One connection for several calls, as `with get_connection()` does it."""
    backend = get_connection()
    seen = [backend.open(), backend.open()]
    for n in range(3):
        seen.append(EmailMessage("Nr. %d" % n, "canary-body", to=["you@example.net"], connection=backend).send())
    seen.append(backend.open())
    backend.close()
    backend.close()
    return seen + [backend.connection is None]


def refused():
    return attempt(simple)


def other_sender():
    return attempt(lambda: send_mail("Hallo", "canary-body", "ceo@example.com", ["you@example.net"]))


def no_sender():
    return attempt(lambda: send_mail("Hallo", "canary-body", "nobody", ["you@example.net"]))


def no_address():
    return attempt(lambda: send_mail("Hallo", "canary-body", None, ["jörg@example.net"]))


def crowd(size=600):
    return attempt(EmailMessage("Hallo", "canary-body", bcc=["somebody-number-%d@example.net" % n for n in range(size)]).send)


def silent():
    return send_mail("Hallo", "canary-body", None, ["you@example.net"], fail_silently=True)


def again(mail):
    """First attempt, then the same object until it is sent, as a task queue would."""
    first = attempt(mail.send)
    script({"on": "token", "times": 0})
    for _ in range(500):
        last = attempt(lambda: mail.send())
        if last == {"sent": 1}:
            break
    return [first, last]


def retried():
    return again(EmailMessage("Hallo", "canary-body", to=["you@example.net"]))


def timed_out():
    mail = EmailMessage("Hallo", "canary-body", to=["you@example.net"])
    mail.connection = get_connection(timeout=0.2)
    first = attempt(mail.send)
    mail.connection = get_connection(timeout=30)
    return [first, again(mail)[1]]


def task(n=7):
    """A task that builds its mail anew each time it runs, under a key of its own."""
    mail = EmailMultiAlternatives("Hallo", "canary-body", to=["you@example.net"], headers={"Resend-Idempotency-Key": "order/%d" % n})
    mail.attach_alternative("<p>canary-body</p>", "text/html")
    mail.attach("a.txt", "a", "text/plain")
    return mail


def celery():
    """The README's task, under as much of Celery as it uses: called again, without pauses, after the exceptions it names."""

    def shared_task(autoretry_for, max_retries, **backoff):
        def task(run):
            def until_done(*args):
                for left in range(max_retries, -1, -1):
                    try:
                        return run(*args)
                    except autoretry_for as error:
                        failed.append(error.code)
                        if not left:
                            raise

            return until_done

        return task

    failed = []
    sys.modules["celery"] = type(sys)("celery")
    sys.modules["celery"].shared_task = shared_task
    names = {}
    exec(os.environ["TASK"], names)
    names["confirm"](8, "you@example.net")
    refused = attempt(lambda: names["confirm"](9, "nobody"))
    return [failed, refused["class"]]


def task_twice():
    other = task()
    other.body = "another"
    return [task().send(), task().send(), attempt(other.send)]


def changed():
    """The same object with another recipient, or another body, is another mail."""
    mail = EmailMessage("Hallo", "canary-body", to=["you@example.net"])
    sent = [mail.send(), mail.send()]
    mail.to = ["b@example.net"]
    sent.append(mail.send())
    mail.body = "canary-body, changed"
    return sent + [mail.send()]


def identity():
    backend = get_connection(identity=lambda audience: os.environ["TOKEN"])
    return EmailMessage("Hallo", "canary-body", to=["you@example.net"], connection=backend).send()


def adc():
    try:
        return attempt(simple)
    except django.core.exceptions.ImproperlyConfigured:
        return {"improper": True}


def mailers():
    """A mailer by its alias; an older Django is given the base class of 6.1, as far as this matters."""
    if django.VERSION >= (6, 1):
        backend = django_mail.mailers["default"]
    else:

        def strict(self, *, alias=None, **unknown):
            assert not unknown, unknown
            self.alias = alias

        BaseEmailBackend.__init__ = strict
        backend = mailgrant_django.EmailBackend(alias="default", **settings.MAILERS["default"]["OPTIONS"])
    sent = backend.send_messages([EmailMessage("Hallo", "canary-body", to=["you@example.net"])])
    return [backend.alias, backend.timeout, backend.fail_silently, sent]


def wrong_settings():
    wrong = []
    for change in [
        {"MAILGRANT_URL": "http://mailgrant.example"},
        {"MAILGRANT_URL": None},
        {"MAILGRANT_URL": "https://canary:canary@mailgrant.example"},
        {"MAILGRANT_URL": "https://mailgrant.example:canary"},
        {"MAILGRANT_URL": "https://[canary"},
        {"MAILGRANT_API_KEY": None},
        {"MAILGRANT_API_KEY": "mg_shop_canary\r\nX-Injected: 1"},
        {"MAILGRANT_API_KEY": "mg_shop_canary\u2026"},
    ]:
        before = {name: getattr(settings, name) for name in change}
        for name, value in change.items():
            setattr(settings, name, value)
        try:
            get_connection()
        except django.core.exceptions.ImproperlyConfigured as error:
            wrong.append(str(error).split()[0] + (" canary" if "canary" in str(error) else ""))
        for name, value in before.items():
            setattr(settings, name, value)
    return wrong


def odd_headers():
    """What cannot stand in a header is refused before it is near one, in words that do not quote it."""
    mail = {"subject": "Hallo", "body": "canary-body"}
    tried = [
        EmailMessage(**mail, to=["you@example.net"], connection=get_connection(identity=lambda audience: "canary\ntoken")),
        EmailMessage(**mail, to=["you@example.net"], headers={"Resend-Idempotency-Key": "canary\u2026"}),
        EmailMessage(**mail, bcc=["canary\n@example.net"]),
    ]
    told = [attempt(one.send) for one in tried]
    return [[one["smtp_code"], one["code"], "canary" in one["text"]] for one in told]


def version():
    return [django.get_version(), sys.version.split()[0], mailgrant_django.__version__]


print(json.dumps(globals()[sys.argv[1]]()))
