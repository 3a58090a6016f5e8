import Foundation

/// A container of the stand-in engine. Every text may be hostile.
struct StandIn {
  var id = ""
  var name = "proxy"
  var image = "nginx:1.27"
  var isRunning = true
  var labels: [String: String] = [:]
  /// Ports inside to those of this machine; nil: not published.
  var ports: [Int: Int?] = [:]
  var network = "shop"
  var mounts: [(source: String, destination: String)] = []
  var files: [String: String] = [:]
  /// Arguments of its program.
  var arguments: [String] = []
  /// Its names in the network besides the container's.
  var aliases: [String] = []
  var log = ""
  /// The limit of its memory, in bytes.
  var memory = 0
  /// Of its first process; 0: it is not known, and files come by the archive.
  var pid: Int32 = 0
  var error = ""

  fileprivate func json(_ number: Int) -> [String: Any] {
    let networks = [
      network: [
        "NetworkID": network, "IPAddress": isRunning ? "172.30.0.\(number + 2)" : "", "Gateway": "172.30.0.1",
        "Aliases": aliases, "DNSNames": aliases,
      ] as [String: Any]
    ]
    let published = ports.map { inside, outside -> [String: Any] in
      outside.map { ["PrivatePort": inside, "PublicPort": $0, "Type": "tcp", "IP": "0.0.0.0"] }
        ?? ["PrivatePort": inside, "Type": "tcp"]
    }
    let bindings = Dictionary(
      uniqueKeysWithValues: ports.map { ("\($0)/tcp", $1.map { [["HostIp": "0.0.0.0", "HostPort": "\($0)"]] } ?? []) })
    let state: [String: Any] = [
      "Status": isRunning ? "running" : "exited", "Running": isRunning, "Pid": pid, "ExitCode": isRunning ? 0 : 1,
      "Error": error, "OOMKilled": false, "StartedAt": "2026-01-01T00:00:00Z", "FinishedAt": "2026-01-01T00:01:00Z",
    ]
    return [
      "list": [
        "Id": id, "Names": ["/" + name], "Image": image, "State": isRunning ? "running" : "exited",
        "Status": isRunning ? "Up 2 hours" : "Exited (1) 2 minutes ago", "Labels": labels,
        "Ports": isRunning ? published : [], "HostConfig": ["NetworkMode": network],
        "NetworkSettings": ["Networks": networks],
      ] as [String: Any],
      "inspect": [
        "Id": id, "Name": "/" + name, "RestartCount": 0, "State": state, "Path": "/entry", "Args": arguments,
        "Config": ["Image": image, "Labels": labels, "Env": [String](), "Tty": false] as [String: Any],
        "HostConfig": ["NetworkMode": network, "PortBindings": bindings, "Memory": memory] as [String: Any],
        "NetworkSettings": ["Networks": networks],
        "Mounts": mounts.map { ["Source": $0.source, "Destination": $0.destination, "RW": true, "Type": "bind"] },
      ] as [String: Any],
      "files": files, "log": log,
    ]
  }
}

extension Sandbox {
  /// Starts an engine with these containers at Docker's own socket.
  func engine(_ containers: [StandIn]) throws {
    let described = containers.enumerated().map { number, container in
      var container = container
      if container.id.isEmpty { container.id = String(format: "%064x", 0xA11CE + number) }
      return container.json(number)
    }
    let data = try JSONSerialization.data(withJSONObject: described)
    try write(String(decoding: data, as: UTF8.self), to: "/opt/containers.json")
    try start(["/usr/bin/python3", "-", "/opt/containers.json", "/run/docker.sock"], script: "engine.py")
    try sh("i=0; until [ -S /run/docker.sock ]; do i=$((i+1)); [ $i -lt 200 ]; sleep 0.05; done")
  }

  /// The requests with which the engine was asked to change something.
  var engineChanges: String { get throws { try read("/opt/containers.json.changes") ?? "" } }
}
