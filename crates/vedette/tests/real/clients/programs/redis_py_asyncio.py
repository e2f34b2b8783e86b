"""redis-py on asyncio. One argument as README.md in this folder says."""

import asyncio
import json
import sys

import redis
import redis.asyncio
from redis.asyncio.sentinel import Sentinel

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


async def listen(order):
    host, port = order["sentinels"][0]
    client = redis.asyncio.Redis(host=host, port=port, **sentinel_options(order))
    subscription = client.pubsub()
    await subscription.subscribe("+switch-master")
    async for message in subscription.listen():
        if message["type"] == "subscribe":
            say("ready")
        else:
            say("switch", message["data"].decode())


async def write(order, ended):
    sentinel = Sentinel(
        [tuple(address) for address in order["sentinels"]],
        sentinel_kwargs={"socket_timeout": TIMEOUT_S, **sentinel_options(order)},
    )
    master = sentinel.master_for(
        order["master"], socket_timeout=TIMEOUT_S, password=order["password"], **tls(order)
    )
    while not ended.done():
        try:
            say("ok", await master.incr(order["counter"]))
        except redis.RedisError as error:
            say("err", type(error).__name__, str(error).replace("\n", " "))
        await asyncio.sleep(PAUSE_S)


async def main():
    order = json.loads(sys.argv[1])
    ended = asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    if order["listen"]:
        await listen(order)
    else:
        await write(order, ended)
        say("end")


asyncio.run(main())
