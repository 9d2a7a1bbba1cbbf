import assert from 'node:assert/strict';
import { test } from 'node:test';
import { plainText } from '../../../functions/mail/message/html-to-text.ts';

const rows = [
  ['<p>One</p><p>Two</p>', 'One\n\nTwo'],
  ['a<br>b<br/>c', 'a\nb\nc'],
  ['<a href="https://example.com/x?a=1&amp;b=2">Go <b>here</b></a>', 'Go here (https://example.com/x?a=1&b=2)'],
  ['<a href="https://example.com">https://example.com</a>', 'https://example.com'],
  ["<a href='https://example.com'><img src=x></a>", 'https://example.com'],
  ['<a href="#top">Top</a>', 'Top'],
  ['<style>p{}</style><script>alert(1)</script><title>t</title>x', 'x'],
  ['<!-- <p>no</p> -->yes', 'yes'],
  ['<ul><li>a</li><li>b</li></ul>', '- a\n\n- b'],
  ['&lt;b&gt; &amp;amp; &#228; &#x2713; &nope; &nbsp;!', '<b> &amp; ä ✓ &nope; !'],
  ['  many   blanks\n\n and lines ', 'many blanks and lines'],
  ['5 < 6 and text', '5'],
  ['', ''],
] as const;
for (const [html, text] of rows) test(`${html} reads well`, () => assert.equal(plainText(html), text));

test('hostile html costs no more than its length', () => {
  for (const piece of ['<a href="x">', '<', '<style>', '<!--', '&#1', '<p '])
    assert.equal(typeof plainText(piece.repeat(200_000)), 'string'); // quadratic work would run into the time-out
});
