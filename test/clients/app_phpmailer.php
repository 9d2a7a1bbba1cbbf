<?php
// PHPMailer, as WordPress and many shops use it: SMTP with a user name and a password.
require '/usr/share/php/libphp-phpmailer/autoload.php';
$mail = new PHPMailer\PHPMailer\PHPMailer(true);
if (($argv[1] ?? '') === 'version') exit($mail::VERSION);
$mail->isSMTP();
[$mail->Host, $mail->Port, $mail->SMTPAuth, $mail->SMTPAutoTLS] = ['127.0.0.1', (int) getenv('SMTP_PORT'), true, false];
[$mail->Username, $mail->Password, $mail->CharSet] = ['any', getenv('KEY'), 'utf-8'];
$mail->setFrom(getenv('FROM'), 'Grün');
$mail->addAddress('you@example.net');
$mail->addBCC('hidden@example.net');
[$mail->Subject, $mail->Body, $mail->AltBody] = [getenv('SUBJECT'), '<p>Grüße</p>', 'Grüße'];
$mail->isHTML();
$mail->addStringAttachment(file_get_contents(getenv('FILE')), 'ü.bin');
$mail->send();
