public import World

/// One line for each look that most recordings hold.
extension Recording {
  /// What the engine answers to a GET.
  @discardableResult
  public func docker(_ path: String, _ body: String, status: Int = 200) -> Recording {
    with(DockerGet(path: path), .init(status: status, body: Array(body.utf8), version: "1.41", engine: "Docker"))
  }

  /// A container in full: JSON members besides its id.
  @discardableResult
  public func container(_ id: String, _ members: String) -> Recording {
    docker("/containers/\(id)/json", "{\"Id\": \"\(id)\", \(members)}")
  }

  /// The engine's list of containers: JSON objects.
  @discardableResult
  public func containers(_ objects: String...) -> Recording {
    docker("/containers/json?all=1", "[" + objects.joined(separator: ",") + "]")
  }

  /// What a container has written: bytes as the engine sends them.
  @discardableResult
  public func log(of id: String, _ bytes: [UInt8]) -> Recording {
    with(
      DockerGet(path: "/containers/\(id)/logs?stdout=1&stderr=1&timestamps=1&tail=200"),
      .init(status: 200, body: bytes, version: "1.41", engine: "Docker"))
  }

  /// A file's whole text.
  @discardableResult
  public func file(_ path: String, _ text: String, in place: Place = .host, modified: Double = 0) -> Recording {
    let sight = FileRead.Sight(bytes: Array(text.utf8), size: text.utf8.count, modified: modified)
    return with(FileRead(path: path, place: place), sight)
  }

  /// Who listens in a place: addresses with ports, each with connections that wait.
  @discardableResult
  public func listening(
    in place: Place, _ sockets: (address: String, port: UInt16)..., waiting: Int = 0, processes: [Int32] = []
  ) -> Recording {
    with(
      Listeners(place: place),
      sockets.map { Listener(address: $0.address, port: $0.port, waiting: waiting, processes: processes) })
  }
}

/// One frame of a container's log: an 8-byte header, then a time and the text.
public func frame(_ text: String, stream: UInt8 = 2, at time: String = "2100-01-01T00:00:00Z") -> [UInt8] {
  let text = "\(time) \(text)"
  let count = UInt32(text.utf8.count)
  return [stream, 0, 0, 0] + [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: count >> $0) } + Array(text.utf8)
}
