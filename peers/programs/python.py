"""One GET by one of Python's libraries: LIBRARY [URL AUTHORITY [CERTIFICATE KEY]]; without a URL its version."""

import platform
import ssl
import sys

library, rest = sys.argv[1], sys.argv[2:]


def context():
    made = ssl.create_default_context(cafile=rest[1])
    if len(rest) == 4:
        made.load_cert_chain(rest[2], rest[3])
    return made


def urllib():
    import urllib.request

    if not rest:
        return platform.python_version()
    with urllib.request.urlopen(rest[0], context=context()) as answer:
        return answer.read().decode()


def requests():
    import requests

    if not rest:
        return requests.__version__
    return requests.get(rest[0], verify=rest[1], cert=tuple(rest[2:]) or None).text


def httpx():
    import httpx

    if not rest:
        return httpx.__version__
    return httpx.get(rest[0], verify=context()).text


def aiohttp():
    import asyncio

    import aiohttp

    if not rest:
        return aiohttp.__version__

    async def get():
        async with aiohttp.ClientSession() as session:
            async with session.get(rest[0], ssl=context()) as answer:
                return await answer.text()

    return asyncio.run(get())


text = {"urllib": urllib, "requests": requests, "httpx": httpx, "aiohttp": aiohttp}[library]()
if not rest:
    of_python = f"Python {platform.python_version()}, {ssl.OPENSSL_VERSION}"
    text = of_python if library == "urllib" else f"{library} {text}, {of_python}"
print(text)
