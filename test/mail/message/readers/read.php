<?php
// Reads the headers of messages (base64, one a line) as PHP's iconv does; answers JSON, one line each.
while (($line = fgets(STDIN)) !== false) {
  $head = explode("\r\n\r\n", base64_decode($line), 2)[0];
  $control = [];
  $names = [];
  foreach (preg_split('/\r\n(?![ \t])/', $head) as $field) {
    [$name, $value] = explode(':', $field, 2);
    $names[] = strtolower($name);
    foreach ([0, ICONV_MIME_DECODE_CONTINUE_ON_ERROR] as $mode) {
      $text = @iconv_mime_decode(ltrim($value), $mode, 'UTF-8');
      if ($text !== false && preg_match('/[\x00-\x1f\x7f]/', $text)) $control[] = $name;
    }
  }
  $all = iconv_mime_decode_headers($head, ICONV_MIME_DECODE_CONTINUE_ON_ERROR, 'UTF-8');
  echo json_encode(['names' => $names, 'control' => $control, 'read' => $all === false ? null : array_map('strtolower', array_keys($all))]), "\n";
}
