import Foundation
import Testing

/// Rows 26 to 28, 32, 33 and 40: engines, sites and logs that misbehave. They held; they are to hold.
@Suite struct PeerTests {
  /// An engine that answers each connection with what Python's `reply` makes.
  static let engines: [(what: String, reply: String)] = [
    ("silent", "time.sleep(600)"), ("closed", "pass"), ("garbage", "c.sendall(os.urandom(5000))"),
    ("500", #"c.sendall(b"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n")"#),
    ("{}", #"c.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")"#),
    ("[null]", #"c.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n[null]")"#),
    ("deep", #"c.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 8000000\r\n\r\n" + b"[" * 8000000)"#),
    (
      "endless",
      #"c.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");[c.sendall(b"10000\r\n" + b"x" * 65536 + b"\r\n") for _ in iter(int, 1)]"#
    ),
    ("slow", "[(c.sendall(b'H'), time.sleep(1)) for _ in range(600)]"),
    ("cut", #"c.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 600\r\n\r\n[{")"#),
  ]

  @Test(arguments: engines.map(\.what))
  func row27AnEngineThatMisbehaves(_ what: String) throws {
    let sandbox = try Sandbox("\(#function) \(what)")
    let port = try sandbox.failing()
    let reply = try #require(Self.engines.first { $0.what == what }).reply
    try sandbox.write(
      """
      import os, socketserver, time
      class H(socketserver.BaseRequestHandler):
          def handle(self):
              c = self.request
              c.recv(65536)
              \(reply)
      class S(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
          daemon_threads = True
      S("/run/docker.sock", H).serve_forever()
      """, to: "/opt/bad.py")
    try sandbox.start(["/usr/bin/python3", "/opt/bad.py"])
    try sandbox.sh("i=0; until [ -S /run/docker.sock ]; do i=$((i+1)); [ $i -lt 200 ]; sleep 0.05; done")
    let run = try sandbox.wizard("diagnose", "http://localhost:\(port)/", "--json", "--timeout", "5")
    #expect(run.seconds < 6.5 && run.megabytes < 200, run.description)
    #expect(try Diagnosis(run).certain.isEmpty)
  }

  @Test(arguments: ["hang", "trickle", "endless"])
  func row28ASiteThatMisbehaves(_ how: String) throws {
    let sandbox = try Sandbox("\(#function) \(how)")
    let port = try sandbox.failing(server: how)
    let run = try sandbox.wizard("diagnose", "http://localhost:\(port)/", "--json", "--timeout", "5")
    #expect(run.seconds < 6 && run.megabytes < 200, run.description)
  }

  @Test func row26ARedirectToAnotherHostIsNotFollowed() throws {
    let sandbox = try Sandbox()
    try sandbox.write("127.0.0.1 localhost\n10.9.9.9 evil.example\n", to: "/etc/hosts")
    try sandbox.sh("ip address add 10.9.9.9/32 dev lo; ip address add 169.254.169.254/32 dev lo")
    let evil = try sandbox.failing(server: "evil")
    for host in ["evil.example:\(evil)", "169.254.169.254:\(evil)", "user@evil.example:\(evil)"] {
      let port = try sandbox.failing(server: "away:http://\(host)/latest")
      _ = try sandbox.wizard("diagnose", "http://localhost:\(port)/", "--json")
      let log = try sandbox.read("/opt/site.py.log") ?? ""
      #expect(log.contains("\(port) GET"), "nothing was asked")
      #expect(!log.contains("\(evil) "), "\(host) was asked: \(log)")
    }
  }

  @Test(arguments: [
    "head -c 100M /dev/zero | gzip -1", "head -c 100M /dev/zero | gzip -1 | gzip",
    "head -c 300M /dev/zero | zstd -q --long=31",
    "head -c 100M /dev/zero | xz -0", "head -c 20M /dev/urandom", "yes '{' | head -c 1M", "head -c 50M /dev/zero",
  ])
  func row3233CompressedAndEndlessLogs(_ command: String) throws {
    let sandbox = try Sandbox("\(#function) \(command)")
    try sandbox.sh("\(command) >/srv/log", limit: 60)
    let run = try sandbox.wizard("explain", "/srv/log", limit: 60 * Sandbox.slowness)
    #expect(run.megabytes < 200, run.description)
    #expect(run.processorSeconds < 8 * Sandbox.slowness, run.description)
  }
}
