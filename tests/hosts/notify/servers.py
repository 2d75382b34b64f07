# Receives mails (SMTP on 25, STARTTLS on 587, TLS on 465) and requests (HTTPS on 9443); each goes into a file of its own.
import base64, socketserver, ssl, threading

PASSWORD = open("/srv/password").read().strip()
TLS = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
TLS.load_cert_chain("/srv/tls.crt", "/srv/tls.key")
LOCK, COUNT = threading.Lock(), [0]


def keep(kind, content):
    with LOCK:
        COUNT[0] += 1
        with open("/srv/got/%03d-%s" % (COUNT[0], kind), "wb") as file:
            file.write(content)


class Smtp(socketserver.BaseRequestHandler):
    def setup(self):
        self.secure, self.known, self.envelope = False, False, []
        if self.server.server_address[1] == 465:
            self.wrap()
        self.lines = self.request.makefile("rb")

    def wrap(self):
        self.request = TLS.wrap_socket(self.request, server_side=True)
        self.secure, self.lines = True, self.request.makefile("rb")

    def say(self, *lines):
        self.request.sendall(b"".join(line.encode() + b"\r\n" for line in lines))

    def handle(self):
        port = self.server.server_address[1]
        self.say("220 mail.example.com ESMTP")
        while line := self.lines.readline():
            words = line.decode().split()
            verb = words[0].upper() if words else ""
            if verb == "EHLO":
                offers = ["mail.example.com"]
                offers += ["STARTTLS"] if port == 587 and not self.secure else []
                offers += ["AUTH PLAIN"] if self.secure else []
                self.say(*["250-" + offer for offer in offers], "250 8BITMIME")
            elif verb == "STARTTLS":
                self.say("220 go ahead")
                self.wrap()
            elif verb == "AUTH":
                _, user, password = base64.b64decode(words[2]).decode().split("\0")
                self.known = (user, password) == ("robot", PASSWORD)
                self.say("235 welcome" if self.known else "535 5.7.8 not with these credentials")
            elif verb in ("MAIL", "RCPT") and port != 25 and not self.known:
                self.say("530 5.7.0 authentication required")
            elif verb in ("MAIL", "RCPT"):
                self.envelope.append(line.decode().strip())
                self.say("250 fine")
            elif verb == "DATA":
                self.say("354 go on")
                mail = b""
                while (line := self.lines.readline()) not in (b".\r\n", b""):
                    mail += line
                keep("mail-%d" % port, "\n".join(self.envelope).encode() + b"\n\n" + mail)
                self.say("250 taken")
            elif verb == "QUIT":
                return self.say("221 bye")
            else:
                self.say("500 what?")


class Http(socketserver.BaseRequestHandler):
    def handle(self):
        peer = TLS.wrap_socket(self.request, server_side=True)
        lines = peer.makefile("rb")
        head, length = b"", 0
        while (line := lines.readline()) not in (b"\r\n", b""):
            head += line
            if line.lower().startswith(b"content-length:"):
                length = int(line.split(b":")[1])
        keep("request", head + b"\n" + lines.read(length))
        moved = b"302 Found\r\nLocation: https://mail.example.com:9443/elsewhere"
        answer = moved if head.startswith(b"POST /moved") else b"200 OK"
        peer.sendall(b"HTTP/1.1 " + answer + b"\r\nContent-Length: 0\r\n\r\n")


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True


servers = [Server(("127.0.0.1", port), Smtp) for port in (25, 465, 587)]
servers.append(Server(("127.0.0.1", 9443), Http))
for server in servers[1:]:
    threading.Thread(target=server.serve_forever).start()
servers[0].serve_forever()
