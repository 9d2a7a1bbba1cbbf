import smtplib

import pytest
from django.core.mail import EmailMultiAlternatives, mail_admins, send_mail


def test_an_order_is_confirmed(mailgrant):
    message = EmailMultiAlternatives("Your order", "It left us today.", to=["ann@example.net"], bcc=["archive@example.net"])
    message.attach_alternative("<p>It left us <b>today</b>.</p>", "text/html")
    message.attach("bill.pdf", b"%PDF-1.4", "application/pdf")
    assert message.send() == 1
    email = mailgrant.wait("to:ann@example.net")
    assert (email["Subject"], email["Text"].strip()) == ("Your order", "It left us today.")
    assert "<b>today</b>" in email["HTML"]
    assert [one["FileName"] for one in email["Attachments"]] == ["bill.pdf"]


def test_admins_hear_of_errors(mailgrant, settings):
    settings.ADMINS = [("Ada", "ada@example.net")]
    mail_admins("Broken", "Something broke.")
    assert mailgrant.wait("to:ada@example.net")["Subject"] == "[Django] Broken"


def test_a_dead_grant_is_an_exception_with_a_code(mailgrant):
    mailgrant.fault("dead-grant", standing=True)
    with pytest.raises(smtplib.SMTPException) as caught:
        send_mail("s", "t", None, ["ann@example.net"])
    assert caught.value.code == "grant_revoked"
