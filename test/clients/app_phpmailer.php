<?php
// PHPMailer, as WordPress uses it: what docs/sidecar.md tells WordPress is asked for in WordPress's words.
require '/usr/share/php/libphp-phpmailer/autoload.php';
$mail = new PHPMailer\PHPMailer\PHPMailer(true);
if (($argv[1] ?? '') === 'version') exit($mail::VERSION);
$asked = [];
function add_filter($name, $answer) { global $asked; $asked[$name] = $answer; }
function add_action($name, $do) { add_filter($name, $do); }
eval(preg_replace('/^<\?php/', '', getenv('WORDPRESS')));
$mail->CharSet = 'utf-8';
$mail->setFrom($asked['wp_mail_from'](), 'Grün');
$mail->addAddress('you@example.net');
$mail->addBCC('hidden@example.net');
[$mail->Subject, $mail->Body, $mail->AltBody] = [getenv('SUBJECT'), '<p>Grüße</p>', 'Grüße'];
$mail->isHTML();
$mail->addStringAttachment(file_get_contents(getenv('FILE')), 'ü.bin');
if (getenv('ITS_KEY')) $mail->addCustomHeader('Resend-Idempotency-Key', getenv('ITS_KEY'));
$asked['phpmailer_init']($mail);
$mail->send();
