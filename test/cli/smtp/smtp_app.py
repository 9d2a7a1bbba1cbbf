"""Mail programs in Python that know nothing of mailgrant: smtplib and Django's own SMTP backend."""

import os
import smtplib
import sys
from email.message import EmailMessage

host, port, key = "127.0.0.1", int(os.environ["PORT"]), os.environ["KEY"]


def plain():
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Bcc"] = "Grün <notices@example.com>", "you@example.net", "hidden@example.net"
    mail["Subject"] = "Grüße canary-subject"
    mail.set_content("canary-body äöü\n.\n..dots\n")
    mail.add_attachment(bytes(range(256)) * 40, maintype="application", subtype="octet-stream", filename="ü.bin")
    with smtplib.SMTP(host, port, local_hostname="localhost") as server:
        for method in ("PLAIN", "LOGIN"):
            server.user, server.password = "resend", key
            server.ehlo()
            server.auth(method, getattr(server, "auth_" + method.lower()))
            server.send_message(mail)
            server.quit()
            server.connect(host, port)
    return "ok"


def django():
    from django.conf import settings

    settings.configure(
        EMAIL_HOST=host, EMAIL_PORT=port, EMAIL_HOST_USER="resend", EMAIL_HOST_PASSWORD=key, DEFAULT_FROM_EMAIL="notices@example.com"
    )
    from django.core.mail import EmailMultiAlternatives, get_connection

    mails = []
    for n in range(3):
        mail = EmailMultiAlternatives("Grüße %d" % n, "canary-body ä", to=["you@example.net"], bcc=["hidden@example.net"])
        mail.attach_alternative("<p>ä</p>", "text/html")
        mail.attach("ü.txt", "a\n.\nb", "text/plain")
        mails.append(mail)
    mails[1].from_email = "ceo@example.com" if os.environ.get("BAD") else mails[1].from_email
    return get_connection().send_messages(mails)


try:
    print(globals()[sys.argv[1]]())
except smtplib.SMTPException as error:
    print(type(error).__name__, error.smtp_code, error.smtp_error.decode())
