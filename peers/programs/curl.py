"""One GET by a libcurl with another TLS back end: LIBRARY [URL [AUTHORITY [CERTIFICATE [KEY]]]]; without a URL its version.

Of NSS the authority is in a database, and CERTIFICATE is a name there: its module for PEM reads no ECDSA keys.
"""

import ctypes
import sys

# Values of the options, as curl/curl.h has them.
URL, CAINFO, SSLCERT, SSLKEY, ERRORBUFFER = 10002, 10065, 10025, 10087, 10010

library, rest = ctypes.CDLL(sys.argv[1]), sys.argv[2:]
library.curl_version.restype = ctypes.c_char_p
if not rest:
    print(library.curl_version().decode())
    sys.exit()
library.curl_easy_init.restype = ctypes.c_void_p
curl = ctypes.c_void_p(library.curl_easy_init())
error = ctypes.create_string_buffer(256)


def option(name, value):
    library.curl_easy_setopt(curl, ctypes.c_int(name), value)


option(ERRORBUFFER, error)
for name, value in zip((URL, CAINFO, SSLCERT, SSLKEY), rest):
    if value == "-":
        continue
    option(name, ctypes.c_char_p(value.encode()))
code = library.curl_easy_perform(curl)
library.curl_easy_cleanup(curl)
if code:
    sys.exit(f"curl: ({code}) {error.value.decode()}")
