"""Slow readers, slow writers and many polls against one service, and their effect on others. Run by `hostile`.

Those who are slow are a process of their own, so that the clock of the ordinary requests does not wait for them.
"""

import asyncio
import hashlib
import json
import multiprocessing
import os
import random
import socket
import sys
import time
import uuid

PORT = int(os.environ["BASE_PORT"])
TOKEN, SLOW = os.environ["TOKEN"], os.environ["SLOW_TOKEN"]
SECONDS = float(os.environ.get("SECONDS_EACH", 20))
READERS, WRITERS = int(os.environ.get("READERS", 8)), int(os.environ.get("WRITERS", 200))
UPLOADS, POLLS = int(os.environ.get("UPLOADS", 40)), int(os.environ.get("POLLS", 1100))
PIPELINES = int(os.environ.get("PIPELINES", 0))
LIMIT = 3.0


def head(method, path, token, *fields):
    lines = [f"{method} {path} HTTP/1.1", "Host: club", f"Authorization: Bearer {token}", *fields]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


async def answer(reader):
    """One response with a length: its status, its body, and the seconds in Retry-After."""
    status = int((await reader.readline()).split()[1])
    length, pause = 0, 1
    while (line := await reader.readline()) not in (b"\r\n", b""):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            length = int(value)
        if name.lower() == b"retry-after":
            pause = int(value)
    return status, await reader.readexactly(length), pause


async def ordinary(seconds, rate):
    """Reads and writes at a steady rate; each is timed from when it was due, so that a late one delays the next ones."""
    connections = asyncio.Queue()
    for _ in range(8):
        connections.put_nowait(None)
    times, wrong, tasks = [], [], []
    start = time.monotonic()

    async def one(due, number):
        connection = await connections.get()
        try:
            if connection is None:
                connection = await asyncio.open_connection("127.0.0.1", PORT)
            if number % 5:
                expert = uuid.UUID(hashlib.md5(str(random.randint(1, 7000)).encode()).hexdigest())
                data, good = head("GET", f"/v1/experts/{expert}", TOKEN), 200
            else:
                body = json.dumps({"subKind": "reseller", "name": f"Atelier {uuid.uuid4()}", "postalCode": "64000",
                                   "commune": "Pau", "topics": ["webSite"]}).encode()
                data = head("POST", "/v1/experts", TOKEN, "Content-Type: application/json", f"Content-Length: {len(body)}") + body
                good = 201
            connection[1].write(data)
            status, text, _ = await asyncio.wait_for(answer(connection[0]), 30)
            if status != good:
                wrong.append((status, text[:200]))
        except Exception as error:
            wrong.append((type(error).__name__, str(error)))
            connection = None
        finally:
            connections.put_nowait(connection)
        times.append(time.monotonic() - due)

    number = 0
    while (due := start + number / rate) < start + seconds:
        await asyncio.sleep(max(0, due - time.monotonic()))
        tasks.append(asyncio.create_task(one(due, number)))
        number += 1
    await asyncio.gather(*tasks)
    return sorted(times), wrong


async def slow_reader():
    """Reads an export at some hundred bytes a second, through the smallest possible window."""
    loop = asyncio.get_running_loop()
    while True:
        connection = socket.socket()
        try:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
            connection.setblocking(False)
            await loop.sock_connect(connection, ("127.0.0.1", PORT))
            await loop.sock_sendall(connection, head("GET", "/v1/experts.csv", SLOW))
            while await loop.sock_recv(connection, 64):
                await asyncio.sleep(0.2)
        except OSError:
            pass
        finally:
            connection.close()
        await asyncio.sleep(1)


async def slow_writer(path, kind, length):
    while True:
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", PORT)
            # The first half at once, so that it occupies memory too.
            writer.write(head("POST", path, SLOW, f"Content-Type: {kind}", f"Content-Length: {length}") + b" " * (length // 2))
            while not reader.at_eof():
                writer.write(b" ")
                await writer.drain()
                await asyncio.sleep(1 / 30)
            writer.close()
        except OSError:
            pass
        await asyncio.sleep(1)


async def pipeline():
    """Pipelines a thousand requests on one connection, reads the responses, and repeats."""
    questions = head("GET", "/v1/topics", SLOW) * 1000
    while True:
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", PORT)
            while True:
                writer.write(questions)
                for _ in range(1000):
                    await answer(reader)
        except (OSError, IndexError, ValueError, asyncio.IncompleteReadError):
            await asyncio.sleep(1)


async def changes(reader, writer, after, wait):
    """One poll for changes: whether it got a response, the next cursor, and whether there were any; after a refusal, once
    Retry-After has passed."""
    path = f"/v1/changes?wait={wait}" + (f"&after={after}" if after else "")
    writer.write(head("GET", path, SLOW))
    status, body, pause = await answer(reader)
    if status in (429, 503):
        await asyncio.sleep(pause)
    batch = json.loads(body) if status == 200 else {}
    return batch.get("next") or after, bool(batch.get("items"))


async def end_of_changes():
    reader, writer = await asyncio.open_connection("127.0.0.1", PORT)
    after, goes_on = None, True
    while goes_on:
        after, goes_on = await changes(reader, writer, after, 0)
    writer.close()
    return after


async def poll(after):
    """Polls for changes for ever, as a follower does."""
    while True:
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", PORT)
            while True:
                after, _ = await changes(reader, writer, after, 30)
        except (OSError, IndexError, ValueError, asyncio.IncompleteReadError):
            await asyncio.sleep(1)


def memory():
    with open(f"/proc/{os.environ['DIRECTORY_PID']}/status") as status:
        return next(int(line.split()[1]) // 1024 for line in status if line.startswith("VmHWM"))


async def hostile(is_begun):
    after = await end_of_changes()
    tasks = [asyncio.create_task(slow_reader()) for _ in range(READERS)]
    tasks += [asyncio.create_task(slow_writer("/v1/experts", "application/json", 900_000)) for _ in range(WRITERS)]
    tasks += [asyncio.create_task(slow_writer("/v1/imports/experts?mode=dryRun", "text/csv", 900_000)) for _ in range(UPLOADS)]
    tasks += [asyncio.create_task(poll(after)) for _ in range(POLLS)]
    tasks += [asyncio.create_task(pipeline()) for _ in range(PIPELINES)]
    await asyncio.sleep(5)
    is_begun.set()
    await asyncio.gather(*tasks)


def main():
    rate = 50
    asyncio.run(ordinary(3, rate))
    quiet, wrong_quiet = asyncio.run(ordinary(SECONDS, rate))
    is_begun = multiprocessing.Event()
    others = multiprocessing.Process(target=lambda: asyncio.run(hostile(is_begun)), daemon=True)
    others.start()
    is_begun.wait(60)
    loud, wrong_loud = asyncio.run(ordinary(SECONDS, rate))
    alive = others.is_alive()
    others.terminate()
    p99 = [times[int(len(times) * 0.99)] * 1000 for times in (quiet, loud)]
    ratio = p99[1] / p99[0]
    print(f"quiet    p99 {p99[0]:7.1f} ms of {len(quiet)} requests, {len(wrong_quiet)} not answered as they should be")
    print(f"hostile  p99 {p99[1]:7.1f} ms of {len(loud)} requests, {len(wrong_loud)} not answered as they should be")
    print(f"ratio {ratio:.2f} (limit {LIMIT:.0f}); most memory of the directory: {memory()} MB RSS")
    for wrong in (wrong_quiet + wrong_loud)[:5]:
        print("wrong:", *wrong)
    if not is_begun.is_set() or not alive:
        sys.exit("those who are slow have not worked: the figures say nothing")
    sys.exit(1 if wrong_quiet or wrong_loud or ratio > LIMIT else 0)


if __name__ == "__main__":
    main()
