<?php
// Predis. One argument as README.md in this folder says.

require 'Predis/Autoloader.php';
Predis\Autoloader::register();

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

function address(array $order, array $address): array {
    $files = $order['tls'];
    return ['host' => $address[0], 'port' => $address[1]] + ($files ? [
        'scheme' => 'tls',
        'ssl' => [
            'cafile' => $files['ca'], 'local_cert' => $files['cert'], 'local_pk' => $files['key'],
        ],
    ] : ['scheme' => 'tcp']);
}

function listen(array $order): void {
    $client = new Predis\Client(
        address($order, $order['sentinels'][0])
        + ['password' => $order['sentinel_password'], 'read_write_timeout' => -1],
    );
    $loop = $client->pubSubLoop();
    $loop->subscribe('+switch-master');
    foreach ($loop as $message) {
        $message->kind === 'subscribe' ? say('ready') : say('switch', (string) $message->payload);
    }
}

function client(array $order): Predis\Client {
    $sentinels = array_map(fn($sentinel) => address($order, $sentinel), $order['sentinels']);
    $node = array_diff_key(address($order, ['', 0]), ['host' => 0, 'port' => 0]);
    return new Predis\Client($sentinels, [
        'replication' => 'sentinel',
        'service' => $order['master'],
        'parameters' => $node + [
            'password' => $order['password'],
            'timeout' => TIMEOUT_S,
            'read_write_timeout' => TIMEOUT_S,
        ],
    ]);
}

function write(array $order): void {
    $client = client($order);
    while (!is_over()) {
        try {
            say('ok', (string) $client->incr($order['counter']));
        } catch (Predis\ClientException $error) {
            // It forgets each Sentinel that it could not reach, until none is left.
            say('err', $error->getMessage());
            $client = client($order);
        } catch (Predis\PredisException $error) {
            say('err', $error->getMessage());
        }
        usleep(PAUSE_US);
    }
}

// The packaged version is older than the PHP beside it.
error_reporting(E_ALL & ~E_DEPRECATED);
stream_set_blocking(STDIN, false);
$order['listen'] ? listen($order) : write($order);
say('end');
