"""A site: answers every request at PORT with 502, as the server it is told to be.

    site.py PORT [SERVER]

SERVER `hang` says nothing; `trickle` a byte a second; `endless` has no end; `loop` redirects slowly; `away:URL` there.
"""
import http.server
import socketserver
import sys
import time

PORT = int(sys.argv[1])
SERVER = sys.argv[2] if len(sys.argv) > 2 else "nginx/1.22.1"


class Site(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if SERVER == "hang":
            time.sleep(600)
        if SERVER == "loop":
            time.sleep(4)
            self.send_response(302)
            self.send_header("Location", f"/{time.monotonic_ns()}")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        if SERVER.startswith("away:"):
            self.send_response(302)
            self.send_header("Location", SERVER[5:])
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        if SERVER == "endless":
            self.send_response(502)
            self.end_headers()
            while True:
                self.wfile.write(b"x" * 65536)
        if SERVER == "trickle":
            for byte in b"HTTP/1.1 502 Bad Gateway\r\n" + b"X-A: b\r\n" * 100:
                self.wfile.write(bytes([byte]))
                time.sleep(1)
        body = (
            "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n<center><h1>502 Bad Gateway</h1></center>\r\n"
            f"<hr><center>{SERVER}</center>\r\n</body>\r\n</html>\r\n"
        ).encode()
        self.send_response(502, "Bad Gateway")
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_HEAD = do_GET

    def version_string(self):
        return SERVER

    def log_message(self, *_):
        print(PORT, self.requestline, flush=True)


class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True
    request_queue_size = 2048


Server(("", PORT), Site).serve_forever()
