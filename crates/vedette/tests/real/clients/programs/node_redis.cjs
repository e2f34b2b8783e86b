// node-redis, the package `redis`. One argument as README.md in this folder says.
'use strict';
const fs = require('fs');
const { createClient, createSentinel } = require('redis');

const PAUSE_MS = 5;
const order = JSON.parse(process.argv[2]);
const say = (...words) => fs.writeSync(1, words.join(' ').replace(/\n/g, ' ') + '\n');

const tls = order.tls && {
  tls: true,
  ca: fs.readFileSync(order.tls.ca),
  cert: fs.readFileSync(order.tls.cert),
  key: fs.readFileSync(order.tls.key),
};

async function listen() {
  const [host, port] = order.sentinels[0];
  const client = createClient({
    socket: { host, port, ...tls }, password: order.sentinel_password || undefined,
  });
  client.on('error', (error) => say('err', error.message));
  await client.connect();
  await client.subscribe('+switch-master', (payload) => say('switch', payload));
  say('ready');
}

async function write() {
  const socket = { ...tls };
  const client = createSentinel({
    name: order.master,
    sentinelRootNodes: order.sentinels.map(([host, port]) => ({ host, port })),
    nodeClientOptions: { password: order.password || undefined, socket },
    sentinelClientOptions: { password: order.sentinel_password || undefined, socket },
  });
  client.on('error', (error) => say('err', error.message));
  await client.connect();
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
