import assert from 'node:assert/strict';
import { test } from 'node:test';
import { htmlToText } from '../../../functions/mail/mime/html-to-text.ts';

const rows = [
  ['<p>One</p><p>Two</p>', 'One\n\nTwo'],
  ['a<br>b<br/>c', 'a\nb\nc'],
  ['<a href="https://example.com/x?a=1&amp;b=2">Go <b>here</b></a>', 'Go here (https://example.com/x?a=1&b=2)'],
  ['<a href="https://example.com">https://example.com</a>', 'https://example.com'],
  ["<a href='https://example.com'><img src=x></a>", 'https://example.com'],
  ['<a href="#top">Top</a>', 'Top'],
  ['<style>p{}</style><script>alert(1)</script><title>t</title>x', 'x'],
  ['<!-- <p>no</p> -->yes', 'yes'],
  ['<ul><li>a</li><li>b</li></ul>', '- a\n- b'],
  ['<ul><li>a<ul><li>b</ul></ul>', '- a\n  - b'],
  ['&lt;b&gt; &amp;amp; &#228; &#x2713; &nope; &nbsp;!', '<b> &amp; ä ✓ &nope; !'],
  ['  many   blanks\n\n and lines ', 'many blanks and lines'],
  ['<p>5 < 6 and 7 > 3</p>', '5 < 6 and 7 > 3'],
  ['<a href=https://x.example/p>Pay</a> <img src=cid:l alt="Logo">', 'Pay (https://x.example/p) Logo'],
  ['<a href="https://x.example"><img src=x alt="Logo"></a>', 'Logo (https://x.example)'],
  ['<table><tr><td>a</td><td>b</td></tr><tr><td>c<td>d</table>', 'a b\nc d'],
  ['<pre>a\n  b\n\tc</pre>', 'a\n  b\n\tc'],
  ['&Eacute; &notin; &copy &CounterClockwiseContourIntegral;', 'É ∉ © ∳'],
  ['<div>a</div><div>b</div>', 'a\nb'],
  ['<ol><li>x<li>y</ol>', ' 1. x\n 2. y'],
  ['so&shy;ft &zwnj;&nbsp; &nbsp;x', 'soft \u200c x'],
  ['', ''],
] as const;
for (const [html, text] of rows) test(`${html} reads well`, () => assert.equal(htmlToText(html), text));

test('hostile html costs no more than its length', () => {
  for (const piece of ['<a href="x">', '<', '<style>', '<!--', '&#1', '<p ', '<div>', '<td>', '<ul><li>', '<b>x</b>', '<table><tr><td>'])
    assert.equal(typeof htmlToText(piece.repeat(100_000)), 'string'); // quadratic work would run into the time-out
});
