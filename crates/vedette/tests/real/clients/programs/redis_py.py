"""redis-py, the blocking client. One argument as README.md in this folder says."""

import json
import sys
import threading
import time

import redis
from redis.sentinel import Sentinel

PAUSE_S = 0.005
TIMEOUT_S = 1.0


def say(*words):
    print(*words, flush=True)


def tls(order):
    files = order["tls"]
    if not files:
        return {}
    return {
        "ssl": True,
        "ssl_ca_certs": files["ca"],
        "ssl_certfile": files["cert"],
        "ssl_keyfile": files["key"],
    }


def sentinel_options(order):
    return {"password": order["sentinel_password"], **tls(order)}


def listen(order):
    host, port = order["sentinels"][0]
    client = redis.Redis(host, port, **sentinel_options(order))
    subscription = client.pubsub()
    subscription.subscribe("+switch-master")
    for message in subscription.listen():
        if message["type"] == "subscribe":
            say("ready")
        else:
            say("switch", message["data"].decode())


def write(order, ended):
    sentinel = Sentinel(
        [tuple(address) for address in order["sentinels"]],
        sentinel_kwargs={"socket_timeout": TIMEOUT_S, **sentinel_options(order)},
    )
    master = sentinel.master_for(
        order["master"], socket_timeout=TIMEOUT_S, password=order["password"], **tls(order)
    )
    while not ended.is_set():
        try:
            say("ok", master.incr(order["counter"]))
        except redis.RedisError as error:
            say("err", type(error).__name__, str(error).replace("\n", " "))
        time.sleep(PAUSE_S)


def main():
    order = json.loads(sys.argv[1])
    ended = threading.Event()
    work = (listen, order) if order["listen"] else (write, order, ended)
    thread = threading.Thread(target=work[0], args=work[1:], daemon=True)
    thread.start()
    sys.stdin.read()
    ended.set()
    if not order["listen"]:
        thread.join()
    say("end")


main()
