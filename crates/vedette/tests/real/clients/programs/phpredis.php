<?php
// phpredis, the extension. One argument as README.md in this folder says.
// It has no Sentinel mode of its own: an application asks with RedisSentinel and connects.

const PAUSE_US = 5000;
const TIMEOUT_S = 1.0;
$order = json_decode($argv[1], true);

function say(string ...$words): void {
    fwrite(STDOUT, str_replace("\n", ' ', implode(' ', $words)) . "\n");
}

function is_over(): bool {
    fread(STDIN, 1);
    return feof(STDIN);
}

function host(array $order, string $host): string {
    return ($order['tls'] ? 'tls://' : '') . $host;
}

function tls(array $order): array {
    $files = $order['tls'];
    return $files ? ['stream' => [
        'cafile' => $files['ca'], 'local_cert' => $files['cert'], 'local_pk' => $files['key'],
    ]] : [];
}

function listen(array $order): void {
    [$host, $port] = $order['sentinels'][0];
    $client = new Redis();
    $client->connect(host($order, $host), $port, TIMEOUT_S, null, 0, 0, tls($order));
    if ($order['sentinel_password']) {
        $client->auth($order['sentinel_password']);
    }
    $client->setOption(Redis::OPT_READ_TIMEOUT, -1);
    say('ready');
    $client->subscribe(['+switch-master'], fn($client, $channel, $payload) => say('switch', $payload));
}

function connect(array $order): Redis {
    foreach ($order['sentinels'] as [$host, $port]) {
        try {
            $sentinel = $order['sentinel_password']
                ? new RedisSentinel(host($order, $host), $port, TIMEOUT_S, null, 0, TIMEOUT_S,
                    $order['sentinel_password'])
                : new RedisSentinel(host($order, $host), $port, TIMEOUT_S, null, 0, TIMEOUT_S);
            $address = $sentinel->getMasterAddrByName($order['master']);
        } catch (RedisException $error) {
            say('err', $error->getMessage());
            continue;
        }
        if ($address) {
            $client = new Redis();
            $client->connect(host($order, $address[0]), (int) $address[1], TIMEOUT_S, null, 0,
                TIMEOUT_S, tls($order));
            if ($order['password']) {
                $client->auth($order['password']);
            }
            return $client;
        }
    }
    throw new RedisException('no Sentinel knows the master');
}

function write(array $order): void {
    $client = null;
    while (!is_over()) {
        try {
            $client = $client ?? connect($order);
            $value = $client->incr($order['counter']);
            // A reply such as READONLY is no exception here, and the connection stays.
            $value === false ? say('err', (string) $client->getLastError()) : say('ok', (string) $value);
        } catch (RedisException $error) {
            say('err', $error->getMessage());
            $client = null;
        }
        usleep(PAUSE_US);
    }
}

if ($order['tls']) {
    // RedisSentinel of this version takes no files: the authority comes from outside, and there is
    // no certificate to show.
    putenv('SSL_CERT_FILE=' . $order['tls']['ca']);
}
stream_set_blocking(STDIN, false);
$order['listen'] ? listen($order) : write($order);
say('end');
