/** Images as `data:` addresses: whatever a browser shows of them becomes a part of the message. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { withInlineImages } from '../../../functions/mail/mime/inline-images.ts';

const PNG = 'iVBORw0KGgo=';
const DATA = `data:image/png;base64,${PNG}`;
const read = (html: string) => withInlineImages(html, (number) => `image.${number}@example.com`);

const parts: [name: string, html: string, filename?: string][] = [
  ['in quotes', `<img src="${DATA}">`],
  ['in single quotes', `<img src='${DATA}'>`],
  ['without quotes', `<img src=${DATA}>`],
  ['behind a blank', `<img src=" ${DATA}">`],
  ['behind line breaks and tabs', `<img src="\r\n\t${DATA}\n">`],
  ['with a line break within', `<img src="da\nta:image/png;base64,iVBO\r\nRw0KGgo=">`],
  ['in capitals', `<IMG SRC="DATA:IMAGE/PNG;BASE64,${PNG}">`],
  ['with entities', '<img src="data&colon;image&sol;png;base64,iVBORw0KGgo&#61;">'],
  ['behind an attribute with a >', `<img alt="a > b" src="${DATA}">`],
  ['of a button', `<input type=image src="${DATA}">`],
  ['with a parameter', `<img src="data:image/png;charset=utf-8;base64,${PNG}">`],
  ['with blanks around base64', `<img src="data:image/png; base64 ,${PNG}">`],
  ['whose type is not said', `<img src="data:;base64,${PNG}">`],
  ['whose type is any file', `<img src="data:application/octet-stream;base64,${PNG}">`],
  ['as percent signs', '<img src="data:image/svg+xml,%3Csvg%20xmlns=%22x%22/%3E">', 'image-1.svg'],
  ['as text', '<img src=\'data:image/svg+xml;utf8,<svg xmlns="x"/>\'>', 'image-1.svg'],
  ['as an icon', `<img src="data:image/x-icon;base64,${PNG}">`, 'image-1.ico'],
  ['as jpg', `<img src="data:image/jpg;base64,${PNG}">`, 'image-1.jpg'],
];
for (const [name, html, filename = 'image-1.png'] of parts)
  test(`an image ${name} is a part`, () => {
    const { html: written, images } = read(html);
    assert.deepEqual(
      images.map((image) => image.filename),
      [filename],
    );
    assert.match(written, /src\s*=\s*"cid:image\.1@example\.com"/i);
    assert.doesNotMatch(written, /data/i);
    if (filename.endsWith('png')) assert.equal(Buffer.from(images[0]?.content ?? []).toString('base64'), PNG);
  });

const left: [name: string, html: string][] = [
  ['in a comment', `<!-- <img src="${DATA}"> -->`],
  ['in a text field', `<textarea><img src="${DATA}"></textarea>`],
  ['in a script', `<script>"<img src='${DATA}'>"</script>`],
  ['of another attribute', `<img data-src="${DATA}" src="https://example.com/a.png">`],
  ['of a link', `<a href="${DATA}">x</a>`],
  ['that is no image', '<img src="data:text/html;base64,PGI+">'],
  ['that cannot be decoded', '<img src="data:image/png;base64,@@@">'],
  ['without a comma', '<img src="data:image/png">'],
];
for (const [name, html] of left) test(`what is ${name} stays`, () => assert.deepEqual(read(html), { html, images: [] }));

test('the same image is one part', () => {
  const { html, images } = read(`<img src="${DATA}"><img src=" ${DATA}">`);
  assert.equal(images.length, 1);
  assert.equal(html, '<img src="cid:image.1@example.com"><img src="cid:image.1@example.com">');
});

test('whatever stands around an image, nothing but its address is changed', () => {
  const around = fc
    .array(fc.constantFrom('<p>', 'a', '"', "'", '>', '</p>', '<b title="x>">', ' ', '\n', '&amp;', '<!-- x -->', 'é', '<br/>'), {
      maxLength: 12,
    })
    .map((all) => all.join(''));
  fc.assert(
    fc.property(around, around, (before, after) => {
      const closed = `${before}">'><p></p>`; // ends what a quote in it may have opened
      const { html, images } = read(`${closed}<img src="${DATA}">${after}`);
      if (images.length === 0) assert.equal(html, `${closed}<img src="${DATA}">${after}`);
      else assert.equal(html, `${closed}<img src="cid:image.1@example.com">${after}`);
    }),
    { seed: 7, numRuns: 300 },
  );
});
