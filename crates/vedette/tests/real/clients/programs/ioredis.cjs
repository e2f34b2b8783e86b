// ioredis. One argument as README.md in this folder says.
'use strict';
const fs = require('fs');
const { Redis } = require('ioredis');

const PAUSE_MS = 5;
const order = JSON.parse(process.argv[2]);
const say = (...words) => fs.writeSync(1, words.join(' ').replace(/\n/g, ' ') + '\n');

const tls = order.tls && {
  ca: fs.readFileSync(order.tls.ca),
  cert: fs.readFileSync(order.tls.cert),
  key: fs.readFileSync(order.tls.key),
};

async function listen() {
  const [host, port] = order.sentinels[0];
  const client = new Redis({
    host, port, password: order.sentinel_password || undefined, tls: tls || undefined,
  });
  client.on('error', (error) => say('err', error.message));
  client.on('message', (channel, payload) => say('switch', payload));
  await client.subscribe('+switch-master');
  say('ready');
}

async function write() {
  const client = new Redis({
    sentinels: order.sentinels.map(([host, port]) => ({ host, port })),
    name: order.master,
    password: order.password || undefined,
    sentinelPassword: order.sentinel_password || undefined,
    tls: tls || undefined,
    sentinelTLS: tls || undefined,
    enableTLSForSentinelMode: Boolean(tls),
  });
  client.on('error', (error) => say('err', error.message));
  for (;;) {
    try {
      say('ok', await client.incr(order.counter));
    } catch (error) {
      say('err', error.message);
    }
    await new Promise((done) => setTimeout(done, PAUSE_MS));
  }
}

process.stdin.on('end', () => {
  say('end');
  process.exit(0);
});
process.stdin.resume();
(order.listen ? listen : write)();
