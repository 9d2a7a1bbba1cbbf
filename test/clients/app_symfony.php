<?php
// Symfony Mailer, which Laravel's mail is built on.
require '/usr/share/php/Symfony/Component/Mailer/autoload.php';
require_once '/usr/share/php/Symfony/Component/Mime/autoload.php';
use Symfony\Component\Mailer\{Mailer, Transport};
use Symfony\Component\Mime\{Address, Email};
$dsn = sprintf('smtp://any:%s@127.0.0.1:%s', rawurlencode(getenv('KEY')), getenv('SMTP_PORT'));
$mail = (new Email())->from(new Address(getenv('FROM'), 'Grün'))->to('you@example.net')->bcc('hidden@example.net')
    ->subject(getenv('SUBJECT'))->text('Grüße')->html('<p>Grüße</p>')->attach(file_get_contents(getenv('FILE')), 'ü.bin');
if (getenv('ITS_KEY')) $mail->getHeaders()->addTextHeader('Resend-Idempotency-Key', getenv('ITS_KEY'));
(new Mailer(Transport::fromDsn($dsn)))->send($mail);
