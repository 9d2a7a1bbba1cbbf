"""The standard library of Python, over SMTP."""

import os
import smtplib
from email.message import EmailMessage

mail = EmailMessage()
mail["From"], mail["To"], mail["Bcc"] = "Grün <%s>" % os.environ["FROM"], "you@example.net", "hidden@example.net"
mail["Subject"] = os.environ["SUBJECT"]
if os.environ.get("ITS_KEY"):
    mail["Resend-Idempotency-Key"] = os.environ["ITS_KEY"]
mail.set_content("Grüße")
mail.add_attachment(open(os.environ["FILE"], "rb").read(), maintype="application", subtype="octet-stream", filename="ü.bin")
with smtplib.SMTP("127.0.0.1", int(os.environ["SMTP_PORT"]), local_hostname="localhost") as server:
    server.login("any", os.environ["KEY"])
    server.send_message(mail)
