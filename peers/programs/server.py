"""An HTTPS server of Python's standard library: PORT AUTHORITY CERTIFICATE KEY VERIFY_MODE."""

import http.server
import ssl
import sys

port, authority, certificate, key, mode = sys.argv[1:]


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "8")
        self.end_headers()
        self.wfile.write(b"answered")

    def log_message(self, *_):
        pass


context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(certificate, key)
context.load_verify_locations(authority)
context.verify_mode = ssl.VerifyMode[mode]
server = http.server.ThreadingHTTPServer(("127.0.0.1", int(port)), Handler)
# The handshake is each connection's own thread's: one that fails ends no other.
server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
server.serve_forever()
