/** The least that a function does with a push: it acknowledges. A GET answers how many there were. */
let count = 0;
require('@google-cloud/functions-framework').http('trivial', (req, res) => {
  if (req.method === 'GET') return res.send(String(count));
  count++;
  res.status(204).end();
});
